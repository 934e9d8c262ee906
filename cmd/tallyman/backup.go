package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

type backupOptions struct{ verify, skipResults bool }

func newBackupCommand(a *app) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "backup DIR [--verify]",
		Short: "Save ledger, journal and results to a directory, or check that they can be restored",
		Long: `Saves to DIR, which must be new or empty, what cannot be had again: the ledger and
the journal as they stand, what is still to be delivered, the bytes of unfinished
files, the results of runs, the reports, and the configuration without the secrets
in it. Runs and the receiver may be at work meanwhile.

DIR/data is a data_dir as it stands, DIR/reports a reports.dir. To restore, stop
receive and schedule, move what is left of the old data_dir away, copy DIR/data to
its place, and start them again; docs/operations.md has the steps.

With --verify it reads a backup instead and says whether all of it is there and
whole.`,
		Example: "  tallyman backup /mnt/backup/$(date +%F)\n  tallyman backup --verify /mnt/backup/2026-11-22",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.verify {
				return runVerifyBackup(cmd.Context(), a, args[0])
			}
			return runBackup(cmd.Context(), a, args[0], o)
		},
	}
	cmd.Flags().BoolVar(&o.verify, "verify", false, "check the backup in DIR; needs no configuration")
	cmd.Flags().BoolVar(&o.skipResults, "skip-results", false, "leave out data_dir/runs and reports.dir: files that do not change once they are written")
	cmd.MarkFlagsMutuallyExclusive("verify", "skip-results")
	return cmd
}

func runBackup(ctx context.Context, a *app, dir string, o backupOptions) error {
	cfg, err := a.config(config.SectionMerchant | config.SectionDataDir | config.SectionReports)
	if err != nil {
		return err
	}
	b, err := nightly.MakeBackup(ctx, cfg, nightly.BackupRequest{Dir: dir, Results: !o.skipResults, Version: readVersion().Version, Now: a.now()})
	if err != nil {
		return sorted(err)
	}
	if !b.Config {
		a.logger.Warn("the configuration is not in the backup, because its secrets could not be left out: write each on one line, or put them into files")
	}
	return a.answer(b, fmt.Sprintf("saved %s, %d bytes, to %s; to check it: tallyman backup --verify %[3]s\n", count(len(b.Files), "file"), b.Bytes(), printable(dir)))
}

// verifiedBackup is what `tallyman backup --verify --json` says.
type verifiedBackup struct {
	*nightly.Backup
	Problems []string `json:"problems"`
}

func runVerifyBackup(ctx context.Context, a *app, dir string) error {
	b, problems, err := nightly.CheckBackup(ctx, dir)
	if err != nil {
		return sorted(err)
	}
	text := fmt.Sprintf("%s, %d bytes, saved %s of %s: all there and whole\n", count(len(b.Files), "file"), b.Bytes(), b.MadeAt.Format("2006-01-02 15:04:05 UTC"), b.Merchant)
	if len(problems) > 0 {
		text = ""
	}
	if err := a.answer(verifiedBackup{b, append([]string{}, problems...)}, text); err != nil {
		return err
	}
	if len(problems) > 0 {
		return needsPerson(errors.New("the backup is damaged, use another: " + strings.Join(problems, "\nthe backup is damaged, use another: ")))
	}
	return nil
}
