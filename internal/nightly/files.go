package nightly

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tallyman/internal/durable"
	"tallyman/internal/unpack"
)

// writeFile writes a whole file so that it is there in full or not at all.
func writeFile(path string, write func(io.Writer) error) error { return durable.WriteFile(path, write) }

// spool copies a local file into a directory, synced, and returns the copy's path, size and SHA-256. From then on what
// happens to the original does not matter.
func spool(ctx context.Context, from, dir string) (path, sum string, err error) {
	src, err := os.Open(from)
	if err != nil {
		return "", "", fmt.Errorf("read customer file: %w", err)
	}
	defer src.Close()
	if info, err := src.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", "", errors.Join(err, fmt.Errorf("read customer file: %s is no regular file", from))
	}
	path = filepath.Join(dir, filepath.Base(from))
	dst, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", "", fmt.Errorf("spool %s: %w", from, err)
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(dst, hash), readerFunc(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return src.Read(p)
	}))
	if err := errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return "", "", errors.Join(fmt.Errorf("spool %s: %w", from, err), os.Remove(path))
	}
	return path, hex.EncodeToString(hash.Sum(nil)), nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// newSpool makes an empty directory for a run's files and removes what killed runs have left there.
func newSpool(dataDir, runID string) (string, error) {
	all := filepath.Join(dataDir, "spool")
	if err := os.RemoveAll(all); err != nil {
		return "", fmt.Errorf("clear the spool: %w", err)
	}
	dir := filepath.Join(all, runID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the spool: %w", err)
	}
	return dir, nil
}

// listFiles returns the regular files that the sources name: a file itself, of a directory its files but hidden ones,
// by name, and neither those that vouch for others nor those of directories below.
func listFiles(sources []string) ([]string, error) {
	var files []string
	for _, source := range sources {
		info, err := os.Stat(source)
		if err != nil {
			return nil, fmt.Errorf("find customer file: %w", err)
		}
		switch {
		case info.Mode().IsRegular():
			files = append(files, source)
			continue
		case !info.IsDir():
			// To open a pipe nobody writes to would wait for ever, and not hear a signal.
			return nil, fmt.Errorf("%s is neither a file nor a directory: save what it gives in a file, and name that", source)
		}
		entries, err := os.ReadDir(source)
		if err != nil {
			return nil, fmt.Errorf("list customer files: %w", err)
		}
		for _, entry := range entries {
			if entry.Type()&fs.ModeType == 0 && !strings.HasPrefix(entry.Name(), ".") && !unpack.IsCompanion(entry.Name()) {
				files = append(files, filepath.Join(source, entry.Name()))
			}
		}
	}
	return files, nil
}
