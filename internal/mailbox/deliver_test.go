package mailbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tallyman/internal/sshdtest"
)

// local writes a file to be delivered.
func local(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.csv")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDeliver(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{})
	m := open(t, o)
	for _, content := range []string{"", "first", string(pattern(300 << 10)), "last"} {
		for _, name := range []string{"report.csv", "2026-11-22/run/report.csv"} {
			if err := m.Deliver(testContext(t), local(t, []byte(content)), name); err != nil {
				t.Fatal(err)
			}
			if got := mustRead(t, filepath.Join(o.Deliver, name)); got != content {
				t.Errorf("%s holds %d bytes, want %d", name, len(got), len(content))
			}
		}
	}
	if all := names(t, o.Deliver); !slices.Equal(all, []string{"2026-11-22", "report.csv"}) {
		t.Errorf("delivered %q", all)
	}
}

func TestDeliverNowhere(t *testing.T) {
	f := startFaulty(t, nil)
	o := f.options()
	o.Deliver = ""
	if err := open(t, o).Deliver(testContext(t), "none", "x.csv"); err != nil {
		t.Error(err)
	}
}

func TestDeliverRefusesNames(t *testing.T) {
	f := startFaulty(t, nil)
	m := open(t, f.options())
	for _, name := range []string{"", "../x", "/x", "a//b", "a/../b", "a/", ".x", "a/-b", "a\nb"} {
		if err := m.Deliver(testContext(t), local(t, nil), name); err == nil {
			t.Errorf("%q accepted", name)
		}
	}
	if err := m.Deliver(testContext(t), filepath.Join(t.TempDir(), "none"), "x.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no local file: error %v", err)
	}
}

// Two clients that deliver under one name do not write into each other's uploads, and each writes over its own.
func TestDeliverBesideAnother(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{Deny: []string{"rename", "posix-rename"}})
	o.Mark = "0a1b2c3d"
	m := open(t, o)
	if err := os.MkdirAll(o.Deliver, 0o700); err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(o.Deliver, "report.csv.part")
	if err := os.WriteFile(theirs, []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.Deliver(testContext(t), local(t, []byte("ours")), "report.csv"); err == nil || !strings.Contains(err.Error(), "report.csv.0a1b2c3d.part") {
		t.Errorf("error %v", err)
	}
	if got := mustRead(t, theirs); got != "half of it" {
		t.Errorf("the other upload is %q now", got)
	}
}

// Without the extension the old file is removed first.
func TestDeliverWithoutPosixRename(t *testing.T) {
	f := startFaulty(t, func(f *faulty) { f.noPosixRename = true })
	m := open(t, f.options())
	for _, content := range []string{"first", "second"} {
		if err := m.Deliver(testContext(t), local(t, []byte(content)), "report.csv"); err != nil {
			t.Fatal(err)
		}
		if got := mustRead(t, filepath.Join(f.dir, "incoming/tallyman/report.csv")); got != content {
			t.Errorf("delivered %q, want %q", got, content)
		}
	}
}

// A server that says yes and keeps half is found out, and the file that was
// there before stays.
func TestDeliverComparesSizes(t *testing.T) {
	f := startFaulty(t, nil)
	m := open(t, f.options())
	if err := m.Deliver(testContext(t), local(t, []byte("before")), "report.csv"); err != nil {
		t.Fatal(err)
	}
	f.clipWrites.Store(10 << 10)
	err := m.Deliver(testContext(t), local(t, pattern(100<<10)), "report.csv")
	if err == nil || !strings.Contains(err.Error(), "10240 bytes where 102400") {
		t.Errorf("error %v", err)
	}
	if got := mustRead(t, filepath.Join(f.dir, "incoming/tallyman/report.csv")); got != "before" {
		t.Errorf("the file that was there holds %q", got)
	}
	if all := names(t, filepath.Join(f.dir, "incoming/tallyman")); len(all) != 1 {
		t.Errorf("left behind: %q", all)
	}
}

func TestDeliverDenied(t *testing.T) {
	for requests, part := range map[string]string{"open": "write ", "mkdir": "make directory ", "rename,posix-rename": "rename "} {
		t.Run(requests, func(t *testing.T) {
			_, o := sshd(t, sshdtest.Options{Deny: []string{requests}})
			err := open(t, o).Deliver(testContext(t), local(t, []byte("x")), "report.csv")
			if !errors.Is(err, fs.ErrPermission) || !strings.HasPrefix(err.Error(), part+o.Deliver) {
				t.Errorf("error %v", err)
			}
			if entries, err := os.ReadDir(o.Deliver); err == nil && len(entries) > 0 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func TestDeliverOverABrokenConnection(t *testing.T) {
	content := pattern(200 << 10)
	f := startFaulty(t, nil)
	f.dropAfterRename.Store(1)
	if err := open(t, f.options()).Deliver(testContext(t), local(t, content), "report.csv"); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, filepath.Join(f.dir, "incoming/tallyman/report.csv")); got != string(content) {
		t.Errorf("delivered %d bytes, want %d", len(got), len(content))
	}
}
