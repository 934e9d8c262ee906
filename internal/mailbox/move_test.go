package mailbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tallyman/internal/sshdtest"
)

// morning is when the archive tests take place.
func morning() time.Time {
	return time.Date(2026, 11, 22, 8, 30, 0, 0, time.FixedZone("SAST", 2*60*60))
}

func TestArchive(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{})
	o.Now = morning
	archive := filepath.Join(o.Path, "archive")
	m := open(t, o)
	first, second := []byte("first"), []byte("second")
	for _, content := range [][]byte{first, second} {
		leave(t, o, "a.csv", content)
		leave(t, o, "a.csv.done", nil)
		leave(t, o, "a.csv.sha256", nil)
		leave(t, o, "a.csv.md5", nil)
		if err := m.Archive(testContext(t), "a.csv", sumOf(content)); err != nil {
			t.Fatal(err)
		}
		if left := names(t, o.Path); !slices.Equal(left, []string{"archive"}) {
			t.Errorf("inbox holds %q", left)
		}
	}
	unique := "a.csv." + sumOf(second)[:8] + ".20261122T063000Z"
	if got := mustRead(t, filepath.Join(archive, "a.csv")); got != "first" {
		t.Errorf("a.csv was replaced by %q", got)
	}
	if got := mustRead(t, filepath.Join(archive, unique)); got != "second" {
		t.Errorf("%s holds %q", unique, got)
	}
	if all := names(t, archive); len(all) != 8 {
		t.Errorf("archive holds %q, want two files with three partners each", all)
	}
	err := m.Archive(testContext(t), "a.csv", sumOf(second))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(o.Path, "a.csv")) {
		t.Errorf("a file that is gone: error %v", err)
	}
}

// Where hard links are protected, OpenSSH's server refuses the plain rename to
// users who do not own the file, and only its extension works.
func TestArchiveWhereThePlainRenameIsRefused(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{Deny: []string{"rename"}})
	o.Now = morning
	leave(t, o, "a.csv", []byte("x"))
	if err := open(t, o).Archive(testContext(t), "a.csv", sumOf([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	want := "a.csv." + sumOf([]byte("x"))[:8] + ".20261122T063000Z"
	if all := names(t, filepath.Join(o.Path, "archive")); !slices.Equal(all, []string{want}) {
		t.Errorf("archive holds %q, want %q: the extension replaces, so the name must be unique", all, want)
	}
}

func TestMoveIsDenied(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{Deny: []string{"rename", "posix-rename"}})
	leave(t, o, "a.csv", []byte("x"))
	m := open(t, o)
	for name, move := range map[string]func() error{
		"archive": func() error { return m.Archive(testContext(t), "a.csv", "") },
		"reject":  func() error { return m.Reject(testContext(t), "a.csv", "", "why") },
	} {
		err := move()
		var operation *OperationError
		if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &operation) || operation.Op != "rename" || !strings.Contains(err.Error(), "ask the biller") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if got := mustRead(t, filepath.Join(o.Path, "a.csv")); got != "x" {
		t.Errorf("inbox holds %q", got)
	}
}

// A connection that breaks after the server has renamed leaves the question
// whether it did; the file must not be reported missing.
func TestMoveOverABrokenConnection(t *testing.T) {
	f := startFaulty(t, nil)
	f.write("outgoing/a.csv", []byte("x"))
	f.dropAfterRename.Store(1)
	if err := open(t, f.options()).Archive(testContext(t), "a.csv", ""); err != nil {
		t.Error(err)
	}
	if got := mustRead(t, filepath.Join(f.dir, "outgoing", "archive", "a.csv")); got != "x" {
		t.Errorf("archive holds %q", got)
	}
	if n := f.connections.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestReject(t *testing.T) {
	for name, deny := range map[string][]string{"": nil, "plain rename refused": {"rename"}} {
		t.Run(name, func(t *testing.T) {
			_, o := sshd(t, sshdtest.Options{Deny: deny})
			rejected := filepath.Join(o.Path, "rejected")
			m := open(t, o)
			for _, content := range []string{"first", "second"} {
				leave(t, o, "a.csv", []byte(content))
				if err := m.Reject(testContext(t), "a.csv", sumOf([]byte(content)), "line 3: "+content); err != nil {
					t.Fatal(err)
				}
			}
			all := names(t, rejected)
			if len(all) != 4 {
				t.Fatalf("rejected holds %q, want two files and two reasons", all)
			}
			for _, file := range all {
				if strings.HasSuffix(file, ".reason.txt") {
					continue
				}
				reason := mustRead(t, filepath.Join(rejected, file+".reason.txt"))
				if reason != "line 3: "+mustRead(t, filepath.Join(rejected, file))+"\n" {
					t.Errorf("%s: reason %q", file, reason)
				}
			}
		})
	}
}

func TestMoveRefusesBadArguments(t *testing.T) {
	f := startFaulty(t, nil)
	m := open(t, f.options())
	for _, test := range [][2]string{{"../a.csv", ""}, {"a.csv", "xyz"}, {"a.csv", "ab"}} {
		if err := m.Archive(testContext(t), test[0], test[1]); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Archive(%q, %q): error %v", test[0], test[1], err)
		}
	}
}

func TestReadPartner(t *testing.T) {
	f := startFaulty(t, func(f *faulty) { f.shortRead = 100 })
	content := pattern(20 << 10)
	f.write("outgoing/a.csv.done", content)
	f.write("outgoing/large.done", make([]byte, maxPartner+1))
	m := open(t, f.options())
	got, err := m.Read(testContext(t), "a.csv.done")
	if err != nil || string(got) != string(content) {
		t.Errorf("%d bytes of %d, error %v", len(got), len(content), err)
	}
	var large *TooLargeError
	if _, err := m.Read(testContext(t), "large.done"); !errors.As(err, &large) {
		t.Errorf("error %v, want *TooLargeError", err)
	}
	if _, err := m.Read(testContext(t), "none.done"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
	if _, err := m.Read(testContext(t), "../a"); err == nil {
		t.Error("hostile name accepted")
	}
}
