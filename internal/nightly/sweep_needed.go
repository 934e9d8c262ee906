package nightly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"tallyman/internal/config"
	"tallyman/internal/ledger"
)

// needed is what must stay however old it is: by run id, with the reason.
type needed struct{ runs, reports map[string]string }

// findNeeded asks the ledger and looks what is still to be sent. Without a ledger nobody knows what is needed, so that
// nothing may go.
func findNeeded(ctx context.Context, cfg *config.Config) (*needed, error) {
	n := &needed{runs: map[string]string{}, reports: map[string]string{}}
	l, err := ledger.OpenExisting(ctx, cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		for _, dir := range []string{filepath.Join(cfg.DataDir, "runs"), cfg.Reports.Dir} {
			if exists(dir) {
				return nil, &InputError{fmt.Errorf("%s is there and no ledger, so that nobody knows what of it is still needed: restore the ledger from a backup", dir)}
			}
		}
		return n, nil
	}
	if err != nil {
		return nil, err
	}
	if err := errors.Join(n.ask(ctx, l), l.Close()); err != nil {
		return nil, err
	}
	letters, err := waitingLetters(cfg.DataDir)
	for _, w := range letters {
		n.reports[filepath.Base(w.Report)] = "it is still to be sent by mail"
	}
	return n, err
}

// ask notes the last run of each file that is unfinished or held, and the reports that somebody signed.
func (n *needed) ask(ctx context.Context, l *ledger.Ledger) error {
	files, err := l.Unsettled(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		n.runs[f.RunID] = f.Name + " is not finished"
	}
	signed, err := l.SignedReports(ctx)
	for _, name := range signed {
		n.reports[name] = "it is signed"
	}
	return err
}
