package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

type importOptions struct {
	dryRun bool
	date   string
	out    string
	retry  string
}

func newImportCommand(a *app) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import [--dry-run] [--date DATE] [--out DIR] SOURCE... | --retry RUN-ID",
		Short: "Import customer files once",
		Long: `Creates or updates the customers of the files at Moment. A SOURCE is a file, a
directory, or sftp:NAME for a file in the configured inbox.

Every record ends in exactly one outcome, in NAME.outcome.csv; the rejected ones
stand in NAME.rejects.csv as they came, with the reason, and can be imported as
they are once corrected, with --date for the business date of the file that they
come from. The same file again sends nothing for what is finished.

With --dry-run nothing is sent and nothing is recorded: the same files say what
would be done.

With --retry no SOURCE is needed: the files of that run are taken up again, and only
what failed, is in doubt or was not attempted is sent.`,
		Example: "  tallyman import --dry-run customers.csv\n  tallyman import --date 2026-11-22 customers.csv",
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 0) == (o.retry == "") {
				return errors.New("import needs a SOURCE, or --retry RUN-ID without one")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(cmd.Context(), a, o, args)
		},
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "decide everything, send nothing")
	cmd.Flags().Var((*dateValue)(&o.date), "date", "business `DATE` of the files, YYYY-MM-DD (else the one in the name, else today's)")
	cmd.Flags().StringVar(&o.out, "out", "", "write the results into `DIR` (else data_dir/runs/RUN-ID)")
	cmd.Flags().StringVar(&o.retry, "retry", "", "take up again the unfinished records of the run with that `RUN-ID`")
	return cmd
}

func runImport(ctx context.Context, a *app, o importOptions, sources []string) error {
	need := config.SectionMerchant | config.SectionDataDir | config.SectionAPI
	if slices.ContainsFunc(sources, func(s string) bool { return strings.HasPrefix(s, "sftp:") }) {
		need |= config.SectionInbox
	}
	cfg, err := a.config(need | config.SectionMetrics)
	if err != nil {
		return err
	}
	if err := supported(cfg); err != nil {
		return err
	}
	night, err := a.openNight(ctx, cfg, "import", o.dryRun)
	if err != nil {
		return sorted(err)
	}
	var result *nightly.Result
	if o.retry != "" {
		result, err = night.Retry(ctx, o.retry, o.out)
	} else {
		result, err = night.Import(ctx, nightly.ImportRequest{Date: o.date, Out: o.out, Sources: sources})
	}
	err = night.closing(err)
	if !o.dryRun {
		leaveMetrics(ctx, cfg, a.logger.With("run", night.ID()))
	}
	if err != nil {
		return sorted(err)
	}
	if err := a.answer(result, importText(result)); err != nil {
		return err
	}
	return ending(result)
}

// supported refuses what the files section says and no file can be read by.
func supported(cfg *config.Config) error {
	if err := nightly.CheckFiles(cfg.Files); err != nil {
		return usage(err)
	}
	return nil
}

// importText is what a person sees of an import: a line a file that foots, one example of each problem, where to look.
func importText(r *nightly.Result) string {
	var b strings.Builder
	for _, f := range r.Files {
		describeFile(&b, r, f)
	}
	if len(r.Files) == 0 && r.Stop() == nil {
		b.WriteString("no files\n")
	}
	return b.String()
}

// describeHeld says why a file is held, a line a guard, and what helps.
func describeHeld(b *strings.Builder, f nightly.FileResult) {
	for _, h := range f.Held {
		fmt.Fprintf(b, "  held by %s (%s): %s\n", h.Guard, h.Limit, printable(h.Detail))
	}
	if len(f.Held) > 0 {
		fmt.Fprintf(b, "  if it is right: tallyman approve %s --reason TEXT\n", f.FileID)
	}
}

func describeFile(b *strings.Builder, r *nightly.Result, f nightly.FileResult) {
	dry := ""
	if r.DryRun {
		dry = " (dry run: nothing was sent)"
	}
	if f.Fault != "" {
		fmt.Fprintf(b, "%s for %s: rejected as a whole, nothing was sent: %s\n", printable(f.Name), f.BusinessDate, printable(f.Fault))
		return
	}
	if len(f.Held) > 0 && f.Outcome == "" {
		fmt.Fprintf(b, "%s (%s) for %s: %s records, held, nothing was sent%s\n", printable(f.Name), f.FileID, f.BusinessDate, fmt.Sprint(f.Read), dry)
		describeHeld(b, f)
		return
	}
	fmt.Fprintf(b, "%s for %s: %s%s\n", printable(f.Name), f.BusinessDate, f.Footing(), dry)
	describeHeld(b, f)
	if f.Approval != nil {
		fmt.Fprintf(b, "  approved by %s: %s (it was held: %s)\n", printable(f.Approval.By), printable(f.Approval.Reason), printable(f.Approval.HeldFor))
	}
	for _, note := range f.Notes {
		fmt.Fprintf(b, "  note: %s\n", printable(note))
	}
	for _, p := range f.Problems {
		fmt.Fprintf(b, "  %d %s, %s; the first at line %d: %s\n", p.Count, p.Outcome, p.Reason, p.Line, printable(p.Detail))
	}
	if f.Outcome != "" {
		fmt.Fprintf(b, "  outcome: %s\n", printable(f.Outcome))
	}
	if f.Outcomes["rejected"] > 0 {
		fmt.Fprintf(b, "  rejects: %s (correct them there, then import that file with --date %s)\n", printable(f.Rejects), f.BusinessDate)
	}
}
