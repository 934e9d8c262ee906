package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Copy copies the journal in one directory to another, which it makes, up to the last whole line, while a receiver may go
// on writing. The copy is synced and has a HEAD of its own; one that knows more lines than there are is taken over, and so
// are torn tails and heads that were put aside, so that damage shows in the copy as it does in the journal. What was imported
// beside it is copied along with it. A journal that is not there makes an empty copy.
func Copy(ctx context.Context, from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("copy journal: %w", err)
	}
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// A seal would replace segments while they are copied.
	seal := flock.New(filepath.Join(from, sealLockName), flock.SetPermissions(0o600))
	if _, err := seal.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return fmt.Errorf("copy journal: wait for it to be sealed: %w", err)
	}
	err := copyJournal(ctx, from, to)
	if err = errors.Join(err, seal.Close()); err != nil {
		return fmt.Errorf("copy journal %s: %w", from, err)
	}
	if _, err := os.Stat(filepath.Join(from, ImportedName)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := Copy(ctx, filepath.Join(from, ImportedName), filepath.Join(to, ImportedName)); err != nil {
		return err
	}
	return realDisk{}.syncDir(to)
}

func copyJournal(ctx context.Context, from, to string) error {
	// Lines are on disk before HEAD knows them: what HEAD knows now must be in the copy.
	head, err := readHead(filepath.Join(from, headName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	segments, err := Segments(from)
	if err != nil {
		return err
	}
	for i, s := range segments {
		growing := i == len(segments)-1 && !s.Compressed
		if err := copySegment(ctx, s.Path, filepath.Join(to, s.Name), growing); err != nil {
			return err
		}
	}
	if err := copyEvidence(ctx, from, to); err != nil {
		return err
	}
	read, err := Read(ctx, to, func(Line) error { return nil })
	if err != nil {
		return err
	}
	if read.Seq >= head.Seq && read.Hash != "" {
		head = Witness{Seq: read.Seq, Hash: read.Hash}
	}
	if head.Hash == "" {
		return realDisk{}.syncDir(to)
	}
	return errors.Join(realDisk{}.writeHead(filepath.Join(to, headName), head.text()), realDisk{}.syncDir(to))
}

// copySegment copies a segment, of one that is growing only whole lines, and syncs the copy.
func copySegment(ctx context.Context, from, to string, growing bool) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	n, err := io.Copy(dst, &interruptible{ctx, src})
	if err != nil {
		return err
	}
	if growing {
		end, err := wholeLines(dst, n)
		if err != nil {
			return err
		}
		if err := dst.Truncate(end); err != nil {
			return err
		}
	}
	return dst.Sync()
}

// wholeLines returns how many of the first n bytes of a file are whole lines.
func wholeLines(f *os.File, n int64) (int64, error) {
	piece := make([]byte, 64<<10)
	for n > 0 {
		begin := max(0, n-int64(len(piece)))
		got := piece[:n-begin]
		if _, err := f.ReadAt(got, begin); err != nil {
			return 0, err
		}
		if i := strings.LastIndexByte(string(got), '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
		n = begin
	}
	return 0, nil
}

// copyEvidence copies what was put aside, torn tails and heads that did not fit, and the mode.
func copyEvidence(ctx context.Context, from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); strings.Contains(name, ".torn-") || strings.HasPrefix(name, headName+".mismatch-") || name == modeName {
			if err := copySegment(ctx, filepath.Join(from, name), filepath.Join(to, name), false); err != nil {
				return err
			}
		}
	}
	return nil
}
