package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
	"tallyman/reconciler"
)

type reconcileOptions struct {
	date     string
	from, to string
	expected string
	journals []string
	out      string
	previous string
	live     string
	moment   []string
	comments string
}

func newReconcileCommand(a *app) *cobra.Command {
	var o reconcileOptions
	cmd := &cobra.Command{
		Use:   "reconcile [--date DATE] [--from T --to T] [--expected FILE --journal PATH... --out DIR]",
		Short: "Match the journal of payments with the expected balances",
		Long: `Writes balances.csv, payments.csv, exceptions.csv, changes.csv and summary.json, and
for people the workbook report.xlsx and the page report.html (reports.formats).

Without --expected, for a business date (the last complete one unless --date says
otherwise) from the ledger and the journal in data_dir. With --expected, from files
alone: a CSV with customer_id, currency and balance (an outcome file will do), and
journals, of tallyman or with a bare Moment event a line. That form needs no
configuration; one that is there gives tolerance, time zone, memory and secrets.

Breaks end with 3, and so do signed figures that have moved; notices do not.`,
		Example: "  tallyman reconcile --date 2026-11-22\n  tallyman reconcile --expected expected.csv --journal events.jsonl --out report",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runReconcile(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.Var((*dateValue)(&o.date), "date", "business `DATE`, YYYY-MM-DD")
	f.StringVar(&o.from, "from", "", "begin of the period, RFC 3339, inclusive")
	f.StringVar(&o.to, "to", "", "end of the period, RFC 3339, exclusive")
	f.StringVar(&o.expected, "expected", "", "`FILE` with the expected balances, instead of the ledger")
	f.StringArrayVar(&o.journals, "journal", nil, "journal file or directory `PATH`; may be given again")
	f.StringVar(&o.out, "out", "", "write the report into `DIR`")
	f.StringArrayVar(&o.moment, "moment-report", nil, "`FILE` of Moment's own reports, to match payments with; may be given again")
	f.StringVar(&o.comments, "comments", "", "`FILE` with owners and comments: an exceptions.csv or workbook that was sent back")
	f.StringVar(&o.live, "live", "", "compare with what Moment shows now, none, exceptions or all: `MODE`; else reconcile.live")
	f.StringVar(&o.previous, "previous", "", "`DIR` of the report to compare with and go on from; else the last one of that date in reports.dir")
	return cmd
}

func runReconcile(ctx context.Context, a *app, o reconcileOptions) error {
	q, err := o.request()
	if err != nil {
		return err
	}
	cfg, err := a.reconcileConfig(o)
	if err != nil {
		return err
	}
	reporter := &nightly.Reporter{Log: a.logger, Rendering: nightly.EveryFormat()}
	if cfg != nil {
		reporter.Rendering = nightly.RenderingOf(cfg, a.now)
		reporter.Calendar, reporter.Tolerance = cfg.Reconcile.Calendar(), cfg.Reconcile.Tolerance
		reporter.Ageing = cfg.Reconcile.Ageing
		reporter.MomentReport = nightly.MomentReportOptions(cfg)
		reporter.Memory = int64(cfg.Reconcile.Memory)
		if reporter.Secrets, err = a.reportSecrets(); err != nil {
			return err
		}
	}
	if o.expected == "" {
		reporter.Ledger, err = ledger.OpenExisting(ctx, cfg.DataDir)
		if errors.Is(err, fs.ErrNotExist) {
			return usage(fmt.Errorf("there is no ledger in %s yet: import a customer file first, or give --expected, --journal and --out", cfg.DataDir))
		}
		if err != nil {
			return sorted(err)
		}
		defer func() { _ = reporter.Ledger.Close() }()
		if err := a.ledgerDefaults(&q, cfg); err != nil {
			return err
		}
		live, end := a.liveComparison(cfg, cmp.Or(o.live, cfg.Reconcile.Live))
		defer end()
		reporter.Live, reporter.DayFiles = live, nightly.ExpectedName(cfg.Inbox)
	}
	if q.Comments == "" {
		q.Comments = filepath.Join(q.Out, "exceptions.csv")
	}
	report, err := reporter.Report(ctx, q)
	if err != nil {
		return sorted(err)
	}
	if err := a.answer(report, reportText(report)); err != nil {
		return err
	}
	if why := report.Summary.Live.Stopped; why != "" && reporter.Live.API != nil {
		return needsPerson(fmt.Errorf("balances are not compared with what Moment shows: %s", why))
	}
	if needs := report.NeedsPerson(); len(needs) > 0 {
		return needsPerson(errors.New(strings.Join(needs, "\n")))
	}
	return nil
}

// rfc3339 is the form of RFC 3339 section 5.6, which time.Parse takes less strictly.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// request reads the flags.
func (o reconcileOptions) request() (nightly.ReportRequest, error) {
	q := nightly.ReportRequest{Date: o.date, Expected: o.expected, Journals: o.journals, Out: o.out, PreviousDir: o.previous, MomentReports: o.moment, Returned: o.comments}
	for _, flag := range []struct {
		name, text string
		to         *time.Time
	}{{"--from", o.from, &q.From}, {"--to", o.to, &q.To}} {
		if flag.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, flag.text)
		if err != nil || !rfc3339.MatchString(flag.text) {
			return q, usage(fmt.Errorf("%s: %q is no time as RFC 3339 has it, such as 2026-11-22T00:00:00+02:00", flag.name, flag.text))
		}
		*flag.to = t
	}
	if o.previous != "" {
		if _, err := os.Stat(filepath.Join(o.previous, "summary.json")); err != nil {
			return q, usage(fmt.Errorf("--previous: %w: name the directory of a report", err))
		}
	}
	switch {
	case o.expected != "" && (len(o.journals) == 0 || o.out == ""):
		return q, usage(errors.New("--expected needs --journal and --out"))
	case o.live != "" && o.expected != "":
		return q, usage(errors.New("--live needs the ledger: leave out --expected"))
	case !slices.Contains([]string{"", reconciler.LiveNone, reconciler.LiveExceptions, reconciler.LiveAll}, o.live):
		return q, usage(fmt.Errorf("--live: %q is none of none, exceptions and all", o.live))
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return q, usage(errors.New("--from must be before --to"))
	}
	return q, nil
}

// reconcileConfig loads the configuration. For files alone there need not be one, and nil is returned then.
func (a *app) reconcileConfig(o reconcileOptions) (*config.Config, error) {
	if o.expected == "" {
		return a.config(config.SectionMerchant | config.SectionDataDir | config.SectionReconcile | config.SectionReports)
	}
	cfg, err := a.config(config.SectionReconcile)
	if errors.Is(err, fs.ErrNotExist) && a.configPath() == configName {
		return nil, nil // nobody named one
	}
	return cfg, err
}

// ledgerDefaults fills in what the flags leave open for a report from the ledger.
func (a *app) ledgerDefaults(q *nightly.ReportRequest, cfg *config.Config) error {
	calendar := cfg.Reconcile.Calendar()
	if q.Date == "" && q.From.IsZero() && q.To.IsZero() {
		q.Date = calendar.LastComplete(a.now())
	}
	if len(q.Journals) == 0 {
		q.Journals, q.Optional = []string{filepath.Join(cfg.DataDir, "journal")}, true
	}
	q.Reports = cfg.Reports.Dir
	if q.Out != "" {
		return nil
	}
	previous, err := nightly.LatestExceptions(cfg.Reports.Dir)
	if err != nil {
		return err
	}
	id, err := nightly.NewRunID(a.now())
	if err != nil {
		return err
	}
	date := q.Date
	if date == "" && !q.To.IsZero() {
		date = calendar.DateOf(q.To.Add(-time.Nanosecond))
	}
	if date == "" {
		date = "open"
	}
	q.Comments, q.Out = previous, filepath.Join(cfg.Reports.Dir, date, id)
	return nil
}
