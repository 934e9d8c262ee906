package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"tallyman/internal/sshdtest"
)

func TestList(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{})
	for _, name := range []string{
		"b.csv", "a.csv", "a.csv.sha256", "a.csv.md5", "c.csv", "c.csv.done", "d.csv.part", "e.csv.filepart", "f.tmp", "g.csv~", ".h.csv", "lonely.done",
	} {
		leave(t, o, name, []byte(name))
	}
	for _, err := range []error{
		os.Mkdir(filepath.Join(o.Path, "archive"), 0o700),
		os.Symlink("/etc/passwd", filepath.Join(o.Path, "link.csv")),
		syscall.Mkfifo(filepath.Join(o.Path, "pipe.csv"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	leave(t, o, "-rf.csv", nil)
	leave(t, o, "esc\x1b[2J.csv", nil)
	entries, refused, err := open(t, o).List(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%s %d done=%t sha256=%t md5=%t", e.Name, e.Size, e.Done, e.SHA256, e.MD5))
	}
	want := []string{"a.csv 5 done=false sha256=true md5=true", "b.csv 5 done=false sha256=false md5=false", "c.csv 5 done=true sha256=false md5=false"}
	if !slices.Equal(got, want) {
		t.Errorf("entries %q, want %q", got, want)
	}
	for name, part := range map[string]string{"-rf.csv": `begins with "-"`, `esc\u001b[2J.csv`: "character", "link.csv": "symbolic link", "pipe.csv": "named pipe"} {
		if !slices.ContainsFunc(refused, func(r Refused) bool { return r.Name == name && strings.Contains(r.Reason, part) }) {
			t.Errorf("%q is not refused for %q in %v", name, part, refused)
		}
	}
	if len(refused) != 4 {
		t.Errorf("refused %v, want 4", refused)
	}
}

// The server decides the names; none of these may reach the caller as a file.
func TestHostileNames(t *testing.T) {
	hostile := []string{"/", "a\x00b.csv", "a\nb.csv", "-a.csv", strings.Repeat("n", 4096), "a\\b.csv", "\xff.csv"}
	f := startFaulty(t, func(f *faulty) {
		f.names = append(slices.Clone(hostile), "../../etc/passwd", "dir/ok.csv", "ok.csv", "..")
	})
	entries, refused, err := open(t, f.options()).List(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name)
	}
	// The library shows base names only; they are looked at again before use.
	if want := []string{"ok.csv", "passwd"}; !slices.Equal(got, want) {
		t.Errorf("entries %q, want %q", got, want)
	}
	if len(refused) != len(hostile) {
		t.Errorf("refused %d, want %d: %v", len(refused), len(hostile), refused)
	}
	for _, r := range refused {
		if printable(r.Name) != r.Name {
			t.Errorf("refused name %q is not safe to print", r.Name)
		}
	}
}

func TestListingIsCapped(t *testing.T) {
	t.Run("endless", func(t *testing.T) {
		f := startFaulty(t, func(f *faulty) { f.endless = true })
		o := f.options()
		o.tune.maxListing = 1 << 20
		m := open(t, o)
		_, _, err := m.List(testContext(t))
		var large *TooLargeError
		if !errors.As(err, &large) {
			t.Fatalf("error %v, want *TooLargeError", err)
		}
		if c := f.connections.Load(); c != 1 {
			t.Errorf("%d connections, want 1", c)
		}
		if _, err := m.Read(testContext(t), "none.done"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("mailbox is of no use afterwards: %v", err)
		}
	})
	t.Run("too many", func(t *testing.T) {
		f := startFaulty(t, nil)
		o := f.options()
		o.tune.maxEntries = 3
		m := open(t, o)
		for i := range 4 {
			_, _, err := m.List(testContext(t))
			if (err != nil) != (i > 3) {
				t.Errorf("%d files: error %v", i, err)
			}
			f.write(fmt.Sprintf("outgoing/%d.csv", i), nil)
		}
		_, _, err := m.List(testContext(t))
		var large *TooLargeError
		if !errors.As(err, &large) || !strings.Contains(err.Error(), "3 directory entries") {
			t.Errorf("error %v, want *TooLargeError", err)
		}
	})
}

func TestListErrors(t *testing.T) {
	t.Run("no such directory", func(t *testing.T) {
		_, o := sshd(t, sshdtest.Options{})
		o.Path += "/none"
		_, _, err := open(t, o).List(testContext(t))
		var operation *OperationError
		if !errors.As(err, &operation) || !errors.Is(err, fs.ErrNotExist) || operation.Path != o.Path || operation.Op != "list" {
			t.Errorf("error %v", err)
		}
	})
	t.Run("permission denied", func(t *testing.T) {
		_, o := sshd(t, sshdtest.Options{Deny: []string{"opendir"}})
		_, _, err := open(t, o).List(testContext(t))
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "list "+o.Path) || !strings.Contains(err.Error(), "ask the biller") {
			t.Errorf("error %v", err)
		}
	})
}
