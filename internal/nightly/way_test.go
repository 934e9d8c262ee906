package nightly

import (
	"os"
	"path/filepath"
	"testing"
)

// How much there is to read is told of plain files and of directories of them, and of nothing else.
func TestPlainBytes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.jsonl": "12345", "b.jsonl": "678", "HEAD": "x", "c.txt": "y"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	none := filepath.Join(dir, "none")
	if got := plainBytes([]string{dir, filepath.Join(dir, "a.jsonl"), none}); got != 13 {
		t.Errorf("%d bytes", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "d.jsonl.zst"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := plainBytes([]string{dir}); got != 0 {
		t.Errorf("%d bytes where one is compressed", got)
	}
}
