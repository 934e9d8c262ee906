package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A journal belongs to the first mode that is known, and so does its copy.
func TestMode(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	for _, mode := range []string{"", "test", "", "test"} {
		if err := BindMode(dir, mode); err != nil {
			t.Fatalf("%q: %v", mode, err)
		}
	}
	if err := Copy(t.Context(), dir, to); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, to} {
		var other *ModeError
		if err := BindMode(d, "live"); !errors.As(err, &other) || other.Journal != "test" {
			t.Errorf("%s: %v", d, err)
		}
		if err := CheckMode(d, "live"); !errors.As(err, &other) {
			t.Errorf("%s: %v", d, err)
		}
		if err := CheckMode(d, "test"); err != nil {
			t.Errorf("%s: %v", d, err)
		}
	}
	if err := CheckMode(filepath.Join(dir, "nowhere"), "live"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a look makes a journal")
	}
}
