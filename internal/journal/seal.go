package journal

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/klauspost/compress/zstd"
)

const (
	// sealedSuffix is what the name of a segment ends with once it is sealed.
	sealedSuffix = ".zst"

	// partSuffix marks a sealed segment in the making. With the dot in front of
	// its name nobody takes it for a part of the journal.
	partSuffix = ".part" + sealedSuffix

	// sealLockName is the file whose lock keeps two seals apart. A writer does not
	// hold it: it never comes near a segment that can be sealed.
	sealLockName = "seal.lock"
)

// ErrSealing: another seal is at work in the journal.
var ErrSealing = errors.New("the journal is being sealed by another process: wait for that one to end")

// Sealed is a segment that Seal has compressed.
type Sealed struct {
	Name  string // the new name, without directory: 2026-11-22.jsonl.zst
	Plain int64  // bytes before
	Bytes int64  // bytes on disk now
}

// Seal compresses the segments of days before a day with zstd, one after the
// other, and returns those that it has done. The last segment stays as it is,
// whatever its day: a receiver may be writing to it. What stands in a segment
// does not change, so neither do the chain and the numbers of its lines. It may
// run beside a receiver, a report and Verify.
//
// A plain segment is removed only once the compressed one is on disk and has
// been read back byte for byte. Killed anywhere, the journal is whole, and the
// next Seal goes on. It returns ErrSealing if another one is at work,
// and ErrFull if there is no room for a copy.
func Seal(ctx context.Context, dir string, before time.Time, log *slog.Logger) ([]Sealed, error) {
	return sealSegments(ctx, realDisk{}, dir, before, log)
}

func sealSegments(ctx context.Context, d disk, dir string, before time.Time, log *slog.Logger) (done []Sealed, err error) {
	segments, err := Segments(dir)
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, sealLockName))
	free, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock journal %s: %w", dir, err)
	}
	if !free {
		return nil, fmt.Errorf("%w: %s", ErrSealing, dir)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	for i, s := range segments {
		if s.Compressed || !s.Day.Before(before) || i == len(segments)-1 {
			continue
		}
		one, err := sealOne(ctx, d, s)
		if err != nil {
			return done, fmt.Errorf("seal %s: %w", s.Path, err)
		}
		log.Info("sealed a segment of the journal", "segment", one.Name, "from_bytes", one.Plain, "bytes", one.Bytes)
		done = append(done, one)
	}
	return done, nil
}

// sealOne compresses one segment.
func sealOne(ctx context.Context, d disk, s Segment) (Sealed, error) {
	dir, to := filepath.Dir(s.Path), s.Path+sealedSuffix
	part := filepath.Join(dir, "."+s.Name+partSuffix)
	if err := d.remove(part); err != nil && !errors.Is(err, os.ErrNotExist) { // of one that was killed
		return Sealed{}, err
	}
	// The reserve of a receiver on the same disk is not for this.
	if free, err := d.free(dir); err != nil || free < uint64(s.Bytes)+defaultReserve {
		return Sealed{}, errors.Join(err, fmt.Errorf("%w: it takes up to %d bytes for a while, beside the %d that are kept free", ErrFull, s.Bytes, defaultReserve))
	}
	sum, size, err := compress(ctx, d, s.Path, part)
	if err == nil {
		err = readBack(ctx, part, sum, size)
	}
	if err != nil {
		return Sealed{}, errors.Join(err, d.remove(part))
	}
	if err := d.rename(part, to); err != nil {
		return Sealed{}, errors.Join(err, d.remove(part))
	}
	if err := d.syncDir(dir); err != nil {
		return Sealed{}, err
	}
	info, err := d.stat(to)
	if err != nil {
		return Sealed{}, err
	}
	if err := errors.Join(d.remove(s.Path), d.syncDir(dir)); err != nil {
		return Sealed{}, err
	}
	return Sealed{Name: filepath.Base(to), Plain: size, Bytes: info.Size()}, nil
}

// compress writes part, synced, and returns hash and size of what was read.
func compress(ctx context.Context, d disk, path, part string) (sum [sha256.Size]byte, size int64, err error) {
	from, err := os.Open(path)
	if err != nil {
		return sum, 0, err
	}
	defer from.Close()
	file, err := d.create(part)
	if err != nil {
		return sum, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	encoder, err := zstd.NewWriter(file, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return sum, 0, err
	}
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(encoder, hash), &interruptible{ctx, from})
	if err = errors.Join(err, encoder.Close()); err != nil {
		return sum, 0, err
	}
	return [sha256.Size]byte(hash.Sum(nil)), size, file.Sync()
}

// readBack makes sure that part holds what was read.
func readBack(ctx context.Context, part string, sum [sha256.Size]byte, size int64) error {
	in, err := openInput(part)
	if err != nil {
		return err
	}
	hash := sha256.New()
	n, err := io.Copy(hash, &interruptible{ctx, bufio.NewReader(in)})
	_, closeErr := in.finish()
	if err = errors.Join(err, closeErr); err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if n != size || [sha256.Size]byte(hash.Sum(nil)) != sum {
		return errors.New("read back: it is not what was written: check the disk; the segment stays as it is")
	}
	return nil
}

// interruptible ends a copy when its context is done.
type interruptible struct {
	ctx  context.Context
	from io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
