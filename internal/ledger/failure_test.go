package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRemedy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), dir)
	if got := Remedy(err); !strings.Contains(got, "backup") {
		t.Errorf("%v: remedy %q", err, got)
	}
	other := t.TempDir()
	if err := os.Mkdir(filepath.Join(other, FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), other)
	if got := Remedy(err); !strings.Contains(got, "rights") {
		t.Errorf("%v: remedy %q", err, got)
	}
	if got := Remedy(errors.New("something else")); got != "" {
		t.Errorf("another error has the remedy %q", got)
	}
}
