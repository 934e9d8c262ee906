package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

func newSweepCommand(a *app) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "sweep [--dry-run]",
		Short: "Remove results that have been kept long enough",
		Long: `Removes the results of runs and the reports that are older than the keep section
of the configuration says, and what killed runs had begun to write.

It never touches the journal, the ledger, what is still to be delivered, the
results of unfinished or held files, the last report of each business date, and
anything that does not have the name that a run gives it.`,
		Example: "  tallyman sweep --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSweep(cmd.Context(), a, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be removed, and remove nothing")
	return cmd
}

func runSweep(ctx context.Context, a *app, dryRun bool) error {
	cfg, err := a.config(config.SectionDataDir | config.SectionReports | config.SectionKeep)
	if err != nil {
		return err
	}
	swept, err := nightly.Sweep(ctx, cfg, a.now(), dryRun)
	if err != nil {
		return sorted(err)
	}
	return a.answer(swept, sweepText(cfg, swept))
}

// sweepText is what was removed, a line each, and a summary.
func sweepText(cfg *config.Config, s *nightly.Swept) string {
	var b strings.Builder
	verb := "removed"
	if s.DryRun {
		verb = "would remove"
	}
	for _, items := range [][]nightly.SweptItem{s.Runs, s.Reports, s.Torn} {
		for _, item := range items {
			fmt.Fprintf(&b, "%s %s\n", verb, printable(item.Path))
		}
	}
	for _, needed := range s.Needed {
		fmt.Fprintf(&b, "left %s\n", printable(needed))
	}
	fmt.Fprintf(&b, "%s %s (keep.runs: %s), %s (keep.reports: %s) and %s; %d bytes\n", verb, count(len(s.Runs), "run"), cfg.Keep.Runs,
		count(len(s.Reports), "report"), cfg.Keep.Reports, count(len(s.Torn), "torn file"), s.Bytes())
	return b.String()
}
