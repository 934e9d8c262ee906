package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile writes a whole file, 0600, so that it is there in full or not at all, also after a power cut: a temporary file
// beside it, sync, rename, sync of the directory. A file of that name is replaced. The temporary one is named after it,
// with a dot in front and digits behind; a process that is killed leaves it.
func WriteFile(path string, write func(io.Writer) error) error {
	err := replace(path, func(f *os.File) error {
		back := newWriteBack(f, writeBackBytes)
		buffered := bufio.NewWriterSize(back, bufferSize)
		if err := errors.Join(write(buffered), buffered.Flush(), back.end()); err != nil {
			return err
		}
		return f.Sync()
	})
	if err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// WriteAgain is WriteFile for what can be made again of what is there: it does not wait for the disk. The file is there in
// full or not at all whatever becomes of the process, but a power cut within the next half minute or so may leave it short.
func WriteAgain(path string, write func(io.Writer) error) error {
	return replace(path, func(f *os.File) error {
		buffered := bufio.NewWriterSize(f, bufferSize)
		return errors.Join(write(buffered), buffered.Flush())
	})
}

const bufferSize = 64 << 10

// replace has a temporary file filled and puts it in the place of path.
func replace(path string, fill func(*os.File) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, "."+base+"*") // 0600
	if err != nil {
		return err
	}
	if err = errors.Join(fill(f), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
