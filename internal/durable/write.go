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
func WriteFile(path string, write func(io.Writer) error) (err error) {
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
	back := newWriteBack(f, writeBackBytes)
	buffered := bufio.NewWriterSize(back, 64<<10)
	err = errors.Join(write(buffered), buffered.Flush(), back.end())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncDir(dir)
}
