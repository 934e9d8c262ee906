package nightly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tallyman/internal/durable"
	"tallyman/internal/ledger"
)

// kept is where the bytes of a file stand as long as records of it are unfinished or it is held, so that they can be sent
// without the file having to be found again.
func (n *Night) kept(sha256 string) string { return filepath.Join(n.keptDir(), sha256) }

func (n *Night) keptDir() string { return filepath.Join(n.config.DataDir, "files") }

// keep links the spooled file to where it outlives the spool.
func (n *Night) keep(f customerFile) error {
	path := n.kept(f.sha256)
	if err := os.MkdirAll(n.keptDir(), 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", f.name, err)
	}
	if err := os.Link(f.path, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep %s: %w", f.name, err)
	}
	return durable.SyncDir(n.keptDir())
}

// forget removes a kept file that nothing is left to be done for.
func (n *Night) forget(sha256 string) error {
	if err := os.Remove(n.kept(sha256)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the kept file: %w", err)
	}
	return nil
}

// tidy removes the kept files that nothing is left to be done for: those that are done, corrected by another, or left by
// a run that was killed.
func (n *Night) tidy(ctx context.Context) error {
	entries, err := os.ReadDir(n.keptDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look through the kept files: %w", err)
	}
	for _, e := range entries {
		needed, err := n.ledger.IsNeeded(ctx, e.Name())
		if err != nil {
			return err
		}
		if !needed {
			if err := n.forget(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Retry imports again the files that an earlier run left with unfinished records: those that failed, are in doubt or were
// not attempted are sent, all others keep their outcome.
func (n *Night) Retry(ctx context.Context, runID, out string) (_ *Result, err error) {
	defer func() { err = n.giveUp(ctx, err) }()
	if out == "" {
		out = n.runsDir()
	}
	left, err := n.unfinished(ctx, runID)
	if err != nil {
		return nil, err
	}
	if err := n.prepare(ctx); err != nil {
		return nil, err
	}
	result := &Result{Retry: runID}
	return result, n.importAll(ctx, left, out, result)
}

// unfinished finds the files that a run left unfinished, in the order of an import.
func (n *Night) unfinished(ctx context.Context, runID string) ([]customerFile, error) {
	if n.ledger == nil {
		return nil, &InputError{fmt.Errorf("there is no run %s: nothing was imported yet", runID)}
	}
	run, ok, err := n.ledger.FindRun(ctx, runID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &InputError{fmt.Errorf("there is no run %s: tallyman status lists them", runID)}
	}
	worked, err := n.ledger.FilesOf(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	var left []customerFile
	for _, f := range worked {
		if f.State != ledger.FileOpen {
			continue
		}
		path := n.kept(f.SHA256)
		if _, err := os.Stat(path); err != nil {
			return nil, &InputError{fmt.Errorf("the bytes of %s are not kept any more (%w): import the file itself again", f.Name, err)}
		}
		left = append(left, customerFile{name: f.Name, path: path, sha256: f.SHA256, date: f.BusinessDate, dayFile: f.DayFile, retried: true})
	}
	if len(left) == 0 {
		return nil, &InputError{fmt.Errorf("run %s left nothing to try again, or a later run has taken it up", runID)}
	}
	order(left)
	return left, nil
}
