package nightly

import (
	"os"
	"path/filepath"

	"tallyman/internal/journal"
)

// way is how far the journals of a report have been read.
type way struct {
	names  inputNames
	behind int64 // bytes
	all    int64 // bytes; 0 if nobody can tell
}

func newWay(paths []string) *way {
	return &way{names: inputNames{}, all: plainBytes(paths)}
}

// pass notes that a batch was placed, and returns how much is behind and ahead; nothing is behind if nobody can tell.
func (w *way) pass(b *journal.Batch) (behind, ahead int64) {
	if n := len(b.Lines); n > 0 && w.all > 0 {
		last := &b.Lines[n-1]
		w.behind += last.Offset + int64(len(last.Raw)) + 1 - b.Lines[0].Offset
	}
	return w.behind, max(w.all-w.behind, 0)
}

// plainBytes returns how many bytes of lines some files and directories hold; 0 if one of them is compressed or cannot be
// looked at.
func plainBytes(paths []string) int64 {
	var all int64
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if files, err = filepath.Glob(filepath.Join(path, "*.jsonl*")); err != nil {
				return 0
			}
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				continue
			}
			if filepath.Ext(file) != ".jsonl" {
				return 0
			}
			all += info.Size()
		}
	}
	return all
}
