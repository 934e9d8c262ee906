package nightly

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Holder says who works on a data directory.
type Holder struct {
	Held bool   // by a process that is alive
	Text string // command, process and since when, for people; of the last holder if it is held no more
}

// Began reports whether the holder is the run that began at an instant.
func (h Holder) Began(at time.Time) bool {
	return h.Held && strings.HasSuffix(h.Text, "since "+at.UTC().Format(time.RFC3339))
}

// ReadHolder looks at the run lock of a data directory. It asks for the lock with others and gives it back at once; a run
// that begins at that very moment waits for it.
func ReadHolder(dataDir string) (h Holder, err error) {
	path := filepath.Join(dataDir, lockName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Holder{}, nil
	}
	if err != nil {
		return Holder{}, fmt.Errorf("look at the run lock: %w", err)
	}
	h.Text = strings.TrimSpace(string(text))
	l := flock.New(path)
	free, err := l.TryRLock()
	if err != nil {
		return h, fmt.Errorf("look at the run lock %s: %w", path, err)
	}
	if h.Held = !free; h.Held {
		return h, nil
	}
	return h, l.Close()
}
