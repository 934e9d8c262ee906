package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFile(t *testing.T)  { testWhole(t, WriteFile) }
func TestWriteAgain(t *testing.T) { testWhole(t, WriteAgain) }

// testWhole holds a way of writing files to it that they are there in full or not at all.
func testWhole(t *testing.T, writeFile func(string, func(io.Writer) error) error) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.csv")
	put := func(text string, fault error) error {
		return writeFile(path, func(w io.Writer) error {
			_, err := fmt.Fprint(w, text)
			return errors.Join(err, fault)
		})
	}
	for _, text := range []string{"one", "another"} {
		if err := put(text, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q %v, want %q", got, err, text)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	// What fails leaves the old one, and nothing beside it.
	fault := errors.New("no")
	if err := put("half", fault); !errors.Is(err, fault) {
		t.Errorf("%v, want %v", err, fault)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	if got, _ := os.ReadFile(path); string(got) != "another" {
		t.Errorf("the old file became %q", got)
	}
	if err := writeFile(filepath.Join(dir, "none", "x"), func(io.Writer) error { return nil }); err == nil {
		t.Error("written into a directory that is not there")
	}
}

func TestWriteFileHere(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := WriteFile("x", func(io.Writer) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestFree(t *testing.T) {
	if free, err := Free(t.TempDir()); err != nil || free == 0 {
		t.Errorf("%d %v", free, err)
	}
	if _, err := Free(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("room where nothing is")
	}
}
