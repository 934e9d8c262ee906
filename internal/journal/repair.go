package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Repaired says what Repair moved aside. It is zero if there was no torn tail.
type Repaired struct {
	File  string // the segment, without directory
	Aside string // the new file beside it
	Bytes int64  // moved
}

// Repair moves the torn tail of the journal in dir aside, and does nothing
// else. It returns ErrLocked while a receiver is running; that one has done it
// at its start.
func Repair(ctx context.Context, dir string, now time.Time, log *slog.Logger) (_ Repaired, err error) {
	lock, err := takeLock(ctx, dir)
	if err != nil {
		return Repaired{}, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	s, err := newScan(dir, func(Line) error { return nil })
	if err != nil {
		return Repaired{}, err
	}
	s.mine = true
	s.own = s.own || s.hasSegments()
	if _, err := s.run(ctx); err != nil {
		return Repaired{}, fmt.Errorf("repair journal: %w", err)
	}
	if !s.repairable() {
		return Repaired{}, nil
	}
	return s.repair(realDisk{}, now, log)
}

// repairable reports whether the scan has found a torn tail of our own.
func (s *scan) repairable() bool {
	return s.torn != nil && s.segment && filepath.Ext(s.torn.path) == ".jsonl"
}

// repair moves the torn tail that the scan has found.
func (s *scan) repair(d disk, now time.Time, log *slog.Logger) (Repaired, error) {
	aside, err := moveAside(d, s.torn.path, s.torn.offset, now)
	if err != nil {
		return Repaired{}, err
	}
	r := Repaired{File: filepath.Base(s.torn.path), Aside: aside, Bytes: s.torn.size}
	log.Warn("moved the torn tail of the journal aside", "segment", r.File, "aside", r.Aside, "bytes", r.Bytes)
	return r, nil
}

// takeLock takes the lock of the journal in dir. It asks for a moment, because
// somebody who verifies looks at the lock too.
func takeLock(ctx context.Context, dir string) (*flock.Flock, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	lock := flock.New(filepath.Join(dir, lockName))
	ok, err := lock.TryLockContext(ctx, 20*time.Millisecond)
	switch {
	case ok:
		return lock, nil
	case err == nil, errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
	default:
		return nil, fmt.Errorf("lock journal %s: %w", dir, err)
	}
}
