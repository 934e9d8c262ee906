package nightly

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"tallyman/reconciler"
)

// spillFiles makes the files into which a report spills what has no room in memory. They stand in the report's directory,
// on the disk that has to have room for the report, and have no name where the system allows it, so that a killed run
// leaves none behind.
type spillFiles struct {
	dir  string
	open []*spillFile
}

type spillFile struct {
	*os.File
	name string // still to be removed, or empty
}

func (s *spillFiles) create() (reconciler.SpillFile, error) {
	f, err := os.CreateTemp(s.dir, ".spill-*")
	if err != nil {
		return nil, fmt.Errorf("make room for more events than reconcile.memory allows: %w", err)
	}
	file := &spillFile{File: f, name: f.Name()}
	if os.Remove(file.name) == nil {
		file.name = ""
	}
	s.open = append(s.open, file)
	return file, nil
}

// Close frees the file's room on disk. A second time does nothing.
func (f *spillFile) Close() error {
	err := f.File.Close()
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	if f.name != "" {
		err = errors.Join(err, os.Remove(f.name))
	}
	return err
}

// close closes the files that are left.
func (s *spillFiles) close() error {
	var err error
	for _, file := range s.open {
		err = errors.Join(err, file.Close())
	}
	return err
}
