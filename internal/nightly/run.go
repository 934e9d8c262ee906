package nightly

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/mailbox"
)

// RunRequest says what a nightly pass is for.
type RunRequest struct {
	Date    string          // business date of the report, and of files without one in their name; empty: the last complete one
	Secrets journal.Secrets // of the webhooks, to check signatures again
}

// Run does a nightly pass: fetch, import, reconcile, deliver. One bad file stops neither the others nor the report, and
// neither does a mailbox that cannot be reached.
func (n *Night) Run(ctx context.Context, q RunRequest) (_ *Result, err error) {
	defer func() { err = n.giveUp(ctx, err) }()
	calendar := n.config.Reconcile.Calendar()
	result := &Result{BusinessDate: q.Date}
	if q.Date == "" {
		result.BusinessDate = calendar.LastComplete(n.started)
	}
	if err := n.prepare(ctx); err != nil {
		return nil, err
	}
	box, err := n.dial(ctx)
	if err != nil {
		result.Faults = append(result.Faults, fmt.Sprintf("the mailbox: %v", err))
	}
	if box != nil {
		defer func() { _ = box.Close() }()
	}
	if err := n.importDayFiles(ctx, box, q.Date, result); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		result.interrupt(ctx)
		return result, n.conclude(ctx, n.runsDir(), result)
	}
	if err := n.expect(ctx, q.Date, result); err != nil {
		return nil, err
	}
	if n.ledger != nil {
		if result.Report, err = n.report(ctx, q, result.BusinessDate, result.stop != nil); err != nil {
			return nil, err
		}
	}
	if why := result.notCompared(); why != "" && result.stop == nil && !n.options.DryRun {
		result.Faults = append(result.Faults, "balances are not compared with what Moment shows: "+why)
	}
	if err := n.postReport(result.Report); err != nil {
		return nil, err
	}
	if box != nil && !n.options.DryRun {
		if err := n.deliver(ctx, box, result); err != nil {
			return nil, err
		}
	}
	if err := n.mail(ctx, result); err != nil {
		return nil, err
	}
	return result, n.conclude(ctx, n.runsDir(), result)
}

// notCompared says why balances were not compared with what Moment shows; empty if they were, or nobody asked.
func (r *Result) notCompared() string {
	if r.Report == nil {
		return ""
	}
	return r.Report.Summary.Live.Stopped
}

// interrupt notes that the run was told to stop.
func (r *Result) interrupt(ctx context.Context) {
	if r.stop == nil {
		r.stopEarly(context.Cause(ctx))
	}
}

// importDayFiles fetches and imports what stands in the inbox, and what was approved. An inbox that cannot be read is a
// fault of the mailbox, not the end of the night; box is nil if there was no connection.
func (n *Night) importDayFiles(ctx context.Context, box *mailbox.Mailbox, date string, result *Result) error {
	var files []customerFile
	if box != nil {
		var err error
		if files, err = n.fetch(ctx, box, date, result); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			result.Faults = append(result.Faults, fmt.Sprintf("the inbox: %v", err))
		}
	}
	if result.stop != nil {
		return nil
	}
	released, err := n.released(ctx, files)
	if err != nil {
		return err
	}
	files = append(files, released...)
	order(files)
	for _, f := range files {
		if err := n.importInto(ctx, f, n.runsDir(), result); err != nil {
			return err
		}
		last := result.Files[len(result.Files)-1]
		// Before the file leaves the inbox: no later run would tell what became of it.
		if err := n.postOutcome(last); err != nil {
			return err
		}
		// What comes from the kept bytes says nothing about a file of that name in the inbox.
		if box != nil && !f.retried && !n.options.DryRun {
			n.putAway(context.WithoutCancel(ctx), box, last, result)
		}
		if result.stop != nil {
			return nil
		}
	}
	return nil
}

// expect notes what did not happen, above all a day file that should have come by now: that of the date asked for, or
// today's.
func (n *Night) expect(ctx context.Context, asked string, result *Result) (err error) {
	if n.options.DryRun {
		return nil
	}
	result.Absent, err = Watch{Ledger: n.ledger, Config: n.config, Now: n.started, Asked: asked}.Look(ctx)
	for _, a := range result.Absent {
		if a.Kind == AbsentFile {
			result.Missing = a.Date
		}
	}
	return err
}

// report writes the report of a business date.
func (n *Night) report(ctx context.Context, q RunRequest, date string, stopped bool) (*Report, error) {
	reporter := &Reporter{
		Ledger: n.ledger, Calendar: n.config.Reconcile.Calendar(), Tolerance: n.config.Reconcile.Tolerance, Memory: int64(n.config.Reconcile.Memory), Secrets: q.Secrets,
		DayFiles: ExpectedName(n.config.Inbox), Ageing: n.config.Reconcile.Ageing, Live: n.live(stopped), Log: n.log, Rendering: RenderingOf(n.config, n.options.Now),
	}
	if n.options.DryRun {
		reporter.Rendering.Written = nil
	}
	comments, err := LatestExceptions(n.config.Reports.Dir)
	if err != nil {
		return nil, err
	}
	return reporter.Report(ctx, ReportRequest{
		Date: date, Journals: []string{filepath.Join(n.config.DataDir, "journal")}, Optional: true,
		Out: filepath.Join(n.config.Reports.Dir, date, n.id), Comments: comments, Reports: n.config.Reports.Dir,
	})
}

// ExpectedName is the pattern of the day files' names; empty if there is no inbox for them to come to.
func ExpectedName(inbox config.Inbox) string {
	if !inbox.Configured() {
		return ""
	}
	return inbox.Pattern
}

// ReportedExceptions returns the paths of the exceptions.csv of all reports below a reports directory, the newest report
// first: run ids sort by time.
func ReportedExceptions(dir string) ([]string, error) {
	paths, err := fs.Glob(os.DirFS(dir), "*/*/exceptions.csv")
	if err != nil {
		return nil, fmt.Errorf("look for reports: %w", err)
	}
	run := func(path string) string { return filepath.Base(filepath.Dir(path)) }
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(run(b), run(a)) })
	for i, path := range paths {
		paths[i] = filepath.Join(dir, filepath.FromSlash(path))
	}
	return paths, nil
}

// LatestExceptions returns the path of the exceptions.csv that was written last below a reports directory, or "" if there
// is none.
func LatestExceptions(dir string) (string, error) {
	paths, err := ReportedExceptions(dir)
	if err != nil || len(paths) == 0 {
		return "", err
	}
	return paths[0], nil
}
