package nightly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"tallyman/internal/journal"
	"tallyman/internal/ledger"
)

// copyTree copies the regular files below a directory; a directory that is not there is an empty one. What goes away
// meanwhile was done with, and what a run is just writing belongs to a later backup.
func copyTree(ctx context.Context, from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("back up %s: %w", from, err)
	}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular() || tornName.MatchString(d.Name()) || exists(target):
			return nil
		}
		src, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer src.Close()
		return writeFile(target, func(w io.Writer) error {
			_, err := io.Copy(w, src)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("back up %s: %w", from, err)
	}
	return nil
}

// listBackup returns the files below a directory with size and hash, by path, but not the manifest.
func listBackup(ctx context.Context, dir string) ([]BackupFile, error) {
	files := []BackupFile{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || rel == backupManifest {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		sum := newSummer(f)
		n, err := io.Copy(io.Discard, sum)
		hash, _ := sum.result()
		files = append(files, BackupFile{Path: filepath.ToSlash(rel), Bytes: n, SHA256: hash})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the backup %s: %w", dir, err)
	}
	return files, nil
}

// CheckBackup reads a whole backup and returns what is wrong with it; nothing if a restore of it will do. The error is for
// what is no finished backup.
func CheckBackup(ctx context.Context, dir string) (b *Backup, problems []string, err error) {
	text, err := os.ReadFile(filepath.Join(dir, backupManifest))
	if err != nil {
		return nil, nil, &InputError{fmt.Errorf("%s holds no finished backup: %w", dir, err)}
	}
	b = &Backup{}
	if err := json.Unmarshal(text, b); err != nil {
		return nil, nil, &InputError{fmt.Errorf("read %s of the backup: %w", backupManifest, err)}
	}
	there, err := listBackup(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	problems = b.compare(there)
	if path := filepath.Join(dir, backupData, ledger.FileName); exists(path) {
		found, err := ledger.CheckSnapshot(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range found {
			problems = append(problems, "the ledger: "+f)
		}
	}
	report, err := journal.Verify(ctx, filepath.Join(dir, backupData, "journal"), nil)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for _, f := range report.Damage {
		problems = append(problems, "the journal: "+f.String())
	}
	return b, problems, nil
}

// compare says what differs from the manifest.
func (b *Backup) compare(there []BackupFile) (problems []string) {
	found := map[string]BackupFile{}
	for _, f := range there {
		found[f.Path] = f
	}
	for _, f := range b.Files {
		switch got, ok := found[f.Path]; {
		case !ok:
			problems = append(problems, f.Path+" is missing")
		case got != f:
			problems = append(problems, f.Path+" is not what was saved")
		}
		delete(found, f.Path)
	}
	for _, f := range there {
		if _, extra := found[f.Path]; extra {
			problems = append(problems, f.Path+" is none of its files")
		}
	}
	return problems
}
