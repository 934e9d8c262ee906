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
	"strings"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
)

// The names in a backup. The directory of data is a data_dir as it stands.
const (
	backupManifest = "backup.json" // written last: without it the backup is not finished
	backupConfig   = "tallyman.yaml"
	backupData     = "data"
	backupReports  = "reports"
)

// Backup says what a backup holds. It is backup.json in it.
type Backup struct {
	Merchant string       `json:"merchant"`
	Version  string       `json:"version"` // of the program
	MadeAt   time.Time    `json:"made_at"`
	Results  bool         `json:"results"` // runs and reports are in it
	Config   bool         `json:"config"`  // so is the configuration, without its secrets
	Files    []BackupFile `json:"files"`   // by path
}

// BackupFile is one file of a backup.
type BackupFile struct {
	Path   string `json:"path"` // in the backup, with slashes
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Bytes adds up the files.
func (b *Backup) Bytes() (n int64) {
	for _, f := range b.Files {
		n += f.Bytes
	}
	return n
}

// BackupRequest says what is to be backed up.
type BackupRequest struct {
	Dir     string // new or empty
	Results bool   // the results of runs and the reports as well
	Version string
	Now     time.Time
}

// MakeBackup copies what cannot be had again to a directory, while runs and the receiver may be at work. After an error
// nothing of it is left.
func MakeBackup(ctx context.Context, cfg *config.Config, q BackupRequest) (_ *Backup, err error) {
	if err := checkTarget(cfg, q.Dir); err != nil {
		return nil, &InputError{err}
	}
	defer func() {
		if err != nil {
			for _, name := range []string{backupData, backupReports, backupConfig} {
				err = errors.Join(err, os.RemoveAll(filepath.Join(q.Dir, name)))
			}
		}
	}()
	data := filepath.Join(q.Dir, backupData)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("make the backup: %w", err)
	}
	if err := copyState(ctx, cfg, data); err != nil {
		return nil, err
	}
	b := &Backup{Merchant: cfg.Merchant, Version: q.Version, MadeAt: q.Now.UTC(), Results: q.Results}
	if q.Results {
		if err := copyTree(ctx, filepath.Join(cfg.DataDir, "runs"), filepath.Join(data, "runs")); err != nil {
			return nil, err
		}
		if err := copyTree(ctx, cfg.Reports.Dir, filepath.Join(q.Dir, backupReports)); err != nil {
			return nil, err
		}
	}
	// Last, so that it knows every event that a report beside it speaks of.
	if err := journal.Copy(ctx, filepath.Join(cfg.DataDir, "journal"), filepath.Join(data, "journal")); err != nil {
		return nil, err
	}
	if b.Config, err = copyConfig(cfg.File(), filepath.Join(q.Dir, backupConfig)); err != nil {
		return nil, err
	}
	if b.Files, err = listBackup(ctx, q.Dir); err != nil {
		return nil, err
	}
	return b, writeFile(filepath.Join(q.Dir, backupManifest), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(b)
	})
}

// checkTarget refuses a directory that holds something, or that would be lost together with what it is to save.
func checkTarget(cfg *config.Config, dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("make the backup: %w", err)
	}
	for _, own := range []string{cfg.DataDir, cfg.Reports.Dir} {
		if rel, err := filepath.Rel(own, abs); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return fmt.Errorf("%s is in %s, which it is to save: name a directory on another disk", dir, own)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make the backup: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: name a new directory for each backup", dir)
	}
	return nil
}

// copyState copies the ledger, what is still to be delivered, and the bytes of unfinished files. A file that is begun or
// ends between the steps is had in one of the two copies.
func copyState(ctx context.Context, cfg *config.Config, data string) error {
	kept := func() error {
		return copyTree(ctx, filepath.Join(cfg.DataDir, "files"), filepath.Join(data, "files"))
	}
	if err := kept(); err != nil {
		return err
	}
	l, err := ledger.OpenExisting(ctx, cfg.DataDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if err := errors.Join(l.Snapshot(ctx, filepath.Join(data, ledger.FileName)), l.Close()); err != nil {
			return err
		}
	}
	if err := copyTree(ctx, filepath.Join(cfg.DataDir, "outbox"), filepath.Join(data, "outbox")); err != nil {
		return err
	}
	return kept()
}

// copyConfig copies the configuration without the secrets in it. One that cannot be freed of them is left out.
func copyConfig(from, to string) (bool, error) {
	text, err := os.ReadFile(from)
	if err != nil {
		return false, fmt.Errorf("back up the configuration: %w", err)
	}
	if text, err = config.Withhold(text); err != nil {
		return false, nil
	}
	return true, writeFile(to, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
