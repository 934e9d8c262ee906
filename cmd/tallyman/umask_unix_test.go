//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// withUmask runs the rest of the test under a mask; it is the whole process's,
// so no test here runs in parallel.
func withUmask(t *testing.T, mask int) {
	old := syscall.Umask(mask)
	t.Cleanup(func() { syscall.Umask(old) })
}

func modeOf(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestRestrictFiles(t *testing.T) {
	withUmask(t, 0)
	restrictFiles()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if mode := modeOf(t, path); mode != 0o600 {
		t.Errorf("mode %o", mode)
	}
}

// The modes asked for are right by themselves.
func TestInitModes(t *testing.T) {
	withUmask(t, 0)
	dir := filepath.Join(t.TempDir(), "new")
	a, _, _ := testApp()
	if err := runInit(a, dir); err != nil {
		t.Fatal(err)
	}
	if mode := modeOf(t, dir); mode != 0o700 {
		t.Errorf("directory mode %o", mode)
	}
	if mode := modeOf(t, filepath.Join(dir, configName)); mode != 0o600 {
		t.Errorf("file mode %o", mode)
	}
}
