package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallyman/internal/sshdtest"
)

func TestCheckDirectories(t *testing.T) {
	describe := func(all []DirectoryStatus) string {
		var lines []string
		for _, d := range all {
			lines = append(lines, fmt.Sprintf("%s exists=%t readable=%t writable=%t ok=%t", d.Key, d.Exists, d.Readable, d.Writable, d.Err == nil))
		}
		return strings.Join(lines, "\n")
	}
	check := func(t *testing.T, o Options, want string) []DirectoryStatus {
		t.Helper()
		all := open(t, o).CheckDirectories(testContext(t))
		if got := describe(all); got != want {
			t.Errorf("got\n%s\nwant\n%s\n%+v", got, want, all)
		}
		for _, dir := range []string{o.Path, o.Archive, o.Deliver} {
			if entries, err := os.ReadDir(dir); err == nil {
				for _, e := range entries {
					if !e.IsDir() {
						t.Errorf("left behind in %s: %s", dir, e.Name())
					}
				}
			}
		}
		return all
	}
	const (
		good  = "exists=true readable=true writable=true ok=true"
		later = "exists=false readable=false writable=false ok=true"
	)
	t.Run("some are not there yet", func(t *testing.T) {
		_, o := sshd(t, sshdtest.Options{})
		o.Archive = filepath.Join(o.Path, "done")
		if err := os.Mkdir(o.Archive, 0o700); err != nil {
			t.Fatal(err)
		}
		check(t, o, "inbox.path "+good+"\ninbox.archive "+good+"\ninbox.rejected "+later+"\ninbox.deliver "+later)
	})
	t.Run("no inbox", func(t *testing.T) {
		_, o := sshd(t, sshdtest.Options{})
		o.Path, o.Deliver = o.Path+"/none", ""
		all := check(t, o, "inbox.path exists=false readable=false writable=false ok=false\ninbox.archive "+later+"\ninbox.rejected "+later)
		if !errors.Is(all[0].Err, fs.ErrNotExist) {
			t.Errorf("error %v", all[0].Err)
		}
	})
	t.Run("nothing can be written", func(t *testing.T) {
		_, o := sshd(t, sshdtest.Options{Deny: []string{"write"}})
		o.Deliver = ""
		all := open(t, o).CheckDirectories(testContext(t))
		if !all[0].Readable || all[0].Writable || !errors.Is(all[0].Err, fs.ErrPermission) {
			t.Errorf("%+v", all[0])
		}
	})
	t.Run("nothing can be renamed", func(t *testing.T) {
		_, o := sshd(t, sshdtest.Options{Deny: []string{"rename", "posix-rename"}})
		o.Deliver = ""
		check(t, o, "inbox.path exists=true readable=true writable=false ok=false\ninbox.archive "+later+"\ninbox.rejected "+later)
	})
	t.Run("nothing can be listed", func(t *testing.T) {
		_, o := sshd(t, sshdtest.Options{Deny: []string{"opendir"}})
		all := open(t, o).CheckDirectories(testContext(t))
		if all[0].Readable || !errors.Is(all[0].Err, fs.ErrPermission) {
			t.Errorf("%+v", all[0])
		}
	})
}
