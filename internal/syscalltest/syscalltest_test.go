package syscalltest_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tallyman/internal/syscalltest"
)

func TestMain(m *testing.M) {
	syscalltest.Main()
	if path := os.Getenv("SYSCALLTEST_WRITE"); path != "" {
		writeAndSync(path)
	}
	os.Exit(m.Run())
}

// writeAndSync is the program under test: it tells which step failed.
func writeAndSync(path string) {
	f, err := os.Create(path + ".part")
	if err == nil {
		_, err = f.WriteString("0123456789")
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(path+".part", path)
	}
	if err != nil {
		os.Stdout.WriteString(err.Error())
		os.Exit(3)
	}
	os.Exit(0)
}

func TestCallsFail(t *testing.T) {
	tests := map[string]struct {
		name    string
		verdict syscalltest.Verdict
		exit    int
		says    string
		content string // of the temporary file afterwards
	}{
		"none":   {"", syscalltest.Verdict{}, 0, "", ""},
		"fsync":  {"fsync", syscalltest.Verdict{Errno: syscall.EIO}, 3, "input/output error", "0123456789"},
		"open":   {"openat", syscalltest.Verdict{Errno: syscall.EACCES}, 3, "permission denied", ""},
		"write":  {"write", syscalltest.Verdict{Errno: syscall.ENOSPC}, 3, "no space left on device", ""},
		"rename": {"renameat", syscalltest.Verdict{Errno: syscall.EPERM}, 3, "operation not permitted", "0123456789"},
		"half":   {"write", syscalltest.Verdict{Half: true}, 3, "no space left on device", "01234"},
		"kill":   {"fsync", syscalltest.Verdict{Kill: true}, -1, "", "0123456789"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "SYSCALLTEST_WRITE="+path)
			var out bytes.Buffer
			cmd.Stdout = &out
			halved := false
			syscalltest.Start(t, cmd, func(c syscalltest.Call) syscalltest.Verdict {
				if !strings.HasPrefix(c.Path, path) || c.Name != test.name {
					return syscalltest.Verdict{}
				}
				if halved {
					return syscalltest.Verdict{Errno: syscall.ENOSPC}
				}
				halved = test.verdict.Half
				return test.verdict
			})
			err := cmd.Wait()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if cmd.ProcessState.ExitCode() != test.exit || !strings.Contains(out.String(), test.says) {
				t.Errorf("exit %d, %q", cmd.ProcessState.ExitCode(), out.String())
			}
			if got, _ := os.ReadFile(path + ".part"); string(got) != test.content {
				t.Errorf("the temporary file holds %q, want %q", got, test.content)
			}
		})
	}
}
