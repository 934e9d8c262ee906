package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/nightly"
)

type runOptions struct {
	date   string
	dryRun bool
}

func newRunCommand(a *app) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [--date DATE] [--dry-run]",
		Short: "One nightly pass: fetch, import, reconcile, deliver",
		Long: `Takes the day files from the inbox, imports them, reconciles the journal with the
balances that were asserted, and delivers the results. This is what cron calls.

Day files are imported for the business date in their name. The report is for the
last complete business date, or for --date. A bad file stops neither the other
files nor the report.`,
		Example: "  tallyman run --date 2026-11-22\n\nIn a crontab:\n  30 6 * * *  tallyman run --config /etc/tallyman/tallyman.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runNight(cmd.Context(), a, o)
		},
	}
	cmd.Flags().Var((*dateValue)(&o.date), "date", "business `DATE` of the report, YYYY-MM-DD (else the last complete one)")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "decide everything, send, move and deliver nothing")
	return cmd
}

func runNight(ctx context.Context, a *app, o runOptions) error {
	cfg, secrets, err := a.nightConfig(0)
	if err != nil {
		return err
	}
	result, err := a.pass(ctx, cfg, nightly.RunRequest{Date: o.date, Secrets: secrets}, o.dryRun)
	if err != nil {
		return err
	}
	text := runText(result)
	if result.Report != nil {
		text += reportText(result.Report)
	}
	if err := a.answer(result, text); err != nil {
		return err
	}
	return ending(result)
}

// nightConfig loads what a nightly pass needs, and more sections if the command does.
func (a *app) nightConfig(more config.Section) (*config.Config, journal.Secrets, error) {
	need := config.SectionMerchant | config.SectionDataDir | config.SectionAPI | config.SectionInbox | config.SectionReconcile | config.SectionReports |
		config.SectionNotify | config.SectionMetrics
	cfg, err := a.config(need | more)
	if err != nil {
		return nil, nil, err
	}
	if err := supported(cfg); err != nil {
		return nil, nil, err
	}
	secrets, err := a.reportSecrets()
	return cfg, secrets, err
}

// pass does one nightly pass under the lock. The error is for what kept it from ending; how it ended is in the result.
func (a *app) pass(ctx context.Context, cfg *config.Config, q nightly.RunRequest, dryRun bool) (*nightly.Result, error) {
	told := a.teller(cfg, q.Date, dryRun)
	night, err := a.openNight(ctx, cfg, "run", dryRun)
	if err != nil {
		return nil, told.end(ctx, nil, sorted(err))
	}
	told.start(ctx, night.ID())
	result, err := night.Run(ctx, q)
	return result, told.end(ctx, result, sorted(night.closing(err)))
}

// runText is the one summary line of a nightly pass.
func runText(r *nightly.Result) string {
	total, rejected := r.Total()
	parts := []string{fmt.Sprintf("run %s for %s: %s", r.RunID, r.BusinessDate, count(len(r.Files), "file"))}
	if rejected > 0 {
		parts[0] += fmt.Sprintf(" (%d rejected as a whole)", rejected)
	}
	if held := r.HeldFiles(); held > 0 {
		parts[0] += fmt.Sprintf(" (%d held)", held)
	}
	for _, f := range r.Files {
		if f.Corrects != "" {
			parts[0] += fmt.Sprintf(" (%s corrects %s)", f.FileID, f.Corrects)
		}
		if f.Approval != nil {
			parts[0] += fmt.Sprintf(" (%s approved by %s: %s)", f.FileID, printable(f.Approval.By), printable(f.Approval.Reason))
		}
	}
	parts = append(parts, total.Footing())
	if r.Report != nil {
		parts = append(parts, rollForward(r.Report.Summary.RollForward), count(r.Report.Breaks, "break")+", "+count(r.Report.Notices, "notice"), "report in "+r.Report.Dir)
	}
	if r.Missing != "" {
		parts = append(parts, "no day file for "+r.Missing)
	}
	for _, absent := range r.Absent {
		if absent.Kind != nightly.AbsentFile {
			parts = append(parts, absent.Detail)
		}
	}
	if len(r.Waiting) > 0 {
		parts = append(parts, count(len(r.Waiting), "file")+" left in the inbox")
	}
	if r.DryRun {
		parts = append(parts, "dry run: nothing was sent")
	}
	return strings.Join(parts, "; ") + "\n"
}

// rollForward is the control total of each currency in one line.
func rollForward(totals []formats.RollForward) string {
	if len(totals) == 0 {
		return "nothing owed or paid"
	}
	var parts []string
	for _, t := range totals {
		parts = append(parts, fmt.Sprintf("%s opening %s + billed %s - paid %s = closing %s", t.Currency, t.Opening, t.Billed, t.Paid, t.Closing))
	}
	return strings.Join(parts, ", ")
}
