package nightly

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// LockedError says that another process works on the data directory.
type LockedError struct{ Path, Holder string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("another run holds %s (%s): wait for it to end, then run again", e.Path, e.Holder)
}

// lockName is the run lock's name in the data directory.
const lockName = "run.lock"

// lockPatience is how long the run lock is asked for while others only look at it, each for an instant (ReadHolder).
const lockPatience = time.Second

// lock takes the run lock of a data directory, which falls by itself when the process ends. It does not wait for a run
// to end. The file stays; what it says about the holder is for people only.
func lock(ctx context.Context, dataDir, command string, now time.Time) (unlock func() error, err error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	path := filepath.Join(dataDir, lockName)
	l := flock.New(path, flock.SetPermissions(0o600))
	held, err := take(ctx, l)
	if err != nil {
		return nil, fmt.Errorf("take the run lock %s: %w", path, err)
	}
	if !held {
		holder, _ := os.ReadFile(path)
		return nil, &LockedError{Path: path, Holder: strings.TrimSpace(string(holder))}
	}
	text := fmt.Sprintf("tallyman %s, process %d, since %s\n", command, os.Getpid(), now.UTC().Format(time.RFC3339))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("take the run lock %s: %w", path, err)
	}
	return l.Unlock, nil
}

// take takes a lock unless a run holds it. Those who only look at it share it; they are waited for.
func take(ctx context.Context, l *flock.Flock) (held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		if held, err := l.TryLock(); held || err != nil {
			return held, err
		}
		shared, err := l.TryRLock()
		if err != nil || !shared {
			return false, err
		}
		if err := l.Unlock(); err != nil {
			return false, err
		}
		timer := time.NewTimer(5 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return false, nil
			}
			return false, ctx.Err()
		}
	}
}
