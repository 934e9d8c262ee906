package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tallyman/internal/syscalltest"
)

// A synchronization that failed is never tried again: the kernel takes what it could not write for written from then on. So
// nothing is written any more by that process, although the disk would take it.
func TestNothingIsWrittenAfterAFailedSync(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(t.Context(), dir)
	must(t, errors.Join(err, l.Close()))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TALLYMAN_TEST_FAIL_ONE_SYNC="+dir)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	var mu sync.Mutex
	armed := false
	syscalltest.Start(t, cmd, func(c syscalltest.Call) syscalltest.Verdict {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case c.Path == filepath.Join(dir, "now"):
			armed = true
		case armed && (c.Name == "fsync" || c.Name == "fdatasync") && strings.HasPrefix(c.Path, filepath.Join(dir, FileName)):
			armed = false
			return syscalltest.Verdict{Errno: syscall.EIO}
		}
		return syscalltest.Verdict{}
	})
	if err := cmd.Wait(); err != nil || said.String() != "broken broken " {
		t.Errorf("%v: it said %q", err, said.String())
	}
}

// failOneSync is the other process of TestNothingIsWrittenAfterAFailedSync: it says how two commits ended.
func failOneSync(dir string) {
	ctx := context.Background()
	l, err := Open(ctx, dir)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "now"), nil, 0o600)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, sum := range []string{"first", "second"} {
		_, err := l.Begin(ctx, File{BusinessDate: "2026-03-16", SHA256: sum, Name: "a.csv", RunID: "r"})
		if errors.Is(err, ErrBroken) {
			fmt.Print("broken ")
		} else {
			fmt.Print(err, " ")
		}
	}
	os.Exit(0)
}
