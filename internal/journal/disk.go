package journal

import (
	"errors"
	"fmt"
	"io"
	"os"

	"tallyman/internal/durable"
)

// disk is what this package changes on the file system. Tests put a disk in its
// place that fails, or that forgets what was not synced.
type disk interface {
	create(path string) (segmentFile, error) // new, 0600, for appending
	open(path string) (segmentFile, error)   // existing, for appending
	rewrite(path string, offset int64) error // the bytes from offset on, in place, synced
	truncate(path string, size int64) error  // synced
	rename(from, to string) error
	remove(path string) error
	stat(path string) (os.FileInfo, error)
	syncDir(path string) error
	writeHead(path string, text []byte) error // atomic, synced
	free(path string) (uint64, error)         // bytes left to us on the file system
}

// segmentFile is an open segment.
type segmentFile interface {
	io.WriteCloser
	Sync() error
	Stat() (os.FileInfo, error)
}

// realDisk is the disk of the operating system.
type realDisk struct{}

func (realDisk) create(path string) (segmentFile, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
}

func (realDisk) open(path string) (segmentFile, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
}

func (realDisk) stat(path string) (os.FileInfo, error) { return os.Stat(path) }
func (realDisk) rename(from, to string) error          { return os.Rename(from, to) }
func (realDisk) remove(path string) error              { return os.Remove(path) }

func (realDisk) syncDir(path string) error        { return durable.SyncDir(path) }
func (realDisk) free(path string) (uint64, error) { return durable.Free(path) }

func (realDisk) truncate(path string, size int64) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(size), file.Sync(), file.Close())
}

func (realDisk) writeHead(path string, text []byte) error {
	return durable.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// rewrite writes the bytes from offset on in place and syncs them.
func (realDisk) rewrite(path string, offset int64) (err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("rewrite end of segment: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	piece := make([]byte, 1<<20)
	for {
		n, err := file.ReadAt(piece, offset)
		if n > 0 {
			if _, err := file.WriteAt(piece[:n], offset); err != nil {
				return fmt.Errorf("rewrite end of segment: %w", err)
			}
			offset += int64(n)
		}
		if errors.Is(err, io.EOF) {
			return file.Sync()
		}
		if err != nil {
			return fmt.Errorf("rewrite end of segment: %w", err)
		}
	}
}

var _ disk = realDisk{}
