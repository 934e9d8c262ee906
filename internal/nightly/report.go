package nightly

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
	"tallyman/internal/overview"
	"tallyman/reconciler"
)

// Reporter reconciles a journal with what was asserted and writes the report.
type Reporter struct {
	Ledger    *ledger.Ledger // nil: an expected file tells the assertions
	Calendar  config.Calendar
	Tolerance int64
	DayFiles  string          // inbox.pattern, if a day file is expected for every business date
	Workers   int             // that read the journal; 0: one a processor
	Memory    int64           // bytes to remember customers and events in; what is more goes to disk; 0: no limit
	Block     int             // bytes of it that are read at once; 0: as many as is best
	Secrets   journal.Secrets // to check the signatures again; without any, lines are unverified
	Rendering Rendering       // what is made for people of the machine files
	Ageing    formats.Ageing
	Live      LiveComparison
	// MomentReport says how Moment's own reports are read.
	MomentReport formats.MomentReportOptions
	Log          *slog.Logger
}

// ReportRequest says which report is wanted.
type ReportRequest struct {
	Date     string    // business date; its period, unless From and To are given
	From, To time.Time // zero: open
	Expected string    // expected file, instead of the ledger
	Journals []string  // files or directories, in order
	Optional bool      // a journal that is not there is an empty one: nothing was received yet; what was imported beside it counts too
	Out      string    // directory, made if need be
	Comments string    // exceptions.csv of an earlier report, for owner and comment; may be missing

	// Reports is where earlier reports stand, <date>/<run id>: a report of a business date goes on from the last one of that
	// date, else of the date before. PreviousDir is the directory of the one to go on from instead. Both may be empty.
	Reports, PreviousDir string
	// Returned is an exceptions.csv or a workbook with owners and comments that goes before Comments; empty for none.
	Returned string
	// MomentReports are files of Moment's own reports, the third leg of the match; none is all right.
	MomentReports []string
}

// Report is a written report.
type Report struct {
	Dir     string          `json:"dir"`
	Files   []string        `json:"files"` // names in Dir
	Summary formats.Summary `json:"summary"`
	Breaks  int             `json:"breaks"`
	Notices int             `json:"notices"`
	LeftOut int             `json:"left_out"` // rows of the expected file that assert nothing

	// Reasons says, in words, why not all is right; empty if all is.
	Reasons []string `json:"reasons"`
	// Signed is the last signature for the period; left out if nobody has signed.
	Signed *overview.Signed `json:"signed,omitempty"`

	file     fileWriter
	balances *overview.Balances // the rows of balances.csv, added up
}

// InputError says that an input of a report cannot be used: the command was given the wrong thing.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }

func (e *InputError) Unwrap() error { return e.Err }

// garbagePercent is how much garbage may lie about while the balances are read, and payingPercent from then on, beside what is
// kept of millions of customers and events by then. That holds no pointers, so that it costs next to nothing to collect often.
const (
	garbagePercent = 20
	payingPercent  = 5
)

// Report reads the inputs and writes balances.csv, payments.csv, exceptions.csv, changes.csv and summary.json, each
// whole or not at all. The same inputs give the same bytes.
func (r *Reporter) Report(ctx context.Context, q ReportRequest) (*Report, error) {
	if q.Date != "" && q.From.IsZero() && q.To.IsZero() {
		from, to, err := r.Calendar.Period(q.Date)
		if err != nil {
			return nil, &InputError{err}
		}
		q.From, q.To = from, to
	}
	if err := q.check(); err != nil {
		return nil, &InputError{err}
	}
	options, earlier, err := r.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	spilled := &spillFiles{dir: q.Out}
	defer func() { _ = spilled.close() }() // only if the report fails: Result closes them and tells
	options.Memory, options.Spill = r.Memory, spilled.create
	engine, err := reconciler.New(options)
	if err != nil {
		return nil, &InputError{err}
	}
	reported, err := r.readMomentReports(q)
	if err != nil {
		return nil, err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(garbagePercent))
	report := &Report{Dir: q.Out, file: q.fileWriter()}
	inputs, err := r.assertions(ctx, engine, q, report)
	if err != nil {
		return nil, err
	}
	debug.SetGCPercent(payingPercent)
	read, err := r.payments(ctx, engine, q)
	if err != nil {
		return nil, err
	}
	read.inputs = append(inputs, read.inputs...)
	var match *formats.MatchTotal
	if reported != nil {
		if match, err = r.matchReports(engine, reported, q); err != nil {
			return nil, err
		}
		report.Files = append(report.Files, matchesFile)
		read.inputs = append(read.inputs, reported.inputs...)
	}
	completeness, err := r.completeness(ctx, q, read, reported, match)
	if err != nil {
		return nil, err
	}
	return r.conclude(ctx, engine, report, earlier, read, completeness)
}

// conclude writes what came of the inputs.
func (r *Reporter) conclude(ctx context.Context, engine *reconciler.Reconciler, report *Report, earlier earlierReports, read journalRead, completeness formats.Completeness) (*Report, error) {
	result, err := engine.Result()
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	live, err := r.compareLive(ctx, result, report.Dir, earlier)
	if err != nil {
		return nil, err
	}
	if err := report.writeBalances(result, r.Ageing); err != nil {
		return nil, err
	}
	previous, err := report.follow(result, earlier, live)
	if err != nil {
		return nil, err
	}
	report.Breaks, report.Notices = result.Breaks, result.Notices
	report.Summary = result.Summary()
	report.Summary.Timezone = r.Calendar.Location().String()
	report.Summary.Inputs = read.inputs
	report.Summary.Journal = formats.SummaryJournal{Seq: read.seq, SHA256: read.hash}
	report.Summary.Previous = previous.named()
	report.Summary.Live = live
	report.Summary.Completeness = completeness
	if err := report.write(result, previous, r.Log); err != nil {
		return report, err
	}
	return report, r.render(ctx, report)
}

// prepare gathers what people and earlier reports have said that a new one goes on from.
func (r *Reporter) prepare(ctx context.Context, q ReportRequest) (options reconciler.Options, earlier earlierReports, err error) {
	options = reconciler.Options{From: q.From, To: q.To, BusinessDate: q.Date, DateOf: r.Calendar.DateOf, Tolerance: r.Tolerance, Seen: r.seen(ctx, q)}
	if options.Comments, err = readComments(q.Comments); err != nil {
		// What an analyst wrote is worth a warning, not the morning's report.
		r.Log.Warn("owners and comments are not taken over from the last report: mend that file, then reconcile again", "error", err)
	}
	if options.Comments, err = returnedComments(options.Comments, q.Returned); err != nil {
		return options, earlier, err
	}
	if options.Decisions, err = r.decisions(ctx); err != nil {
		return options, earlier, err
	}
	earlier, err = findEarlier(q)
	if errors.Is(err, syscall.EIO) {
		// The disk has it and cannot give it now: without it, breaks that are open would be left out.
		return options, earlier, err
	}
	if err != nil {
		r.Log.Warn("an earlier report cannot be read, so this one does not go on from it", "error", err)
	}
	options.Watch = earlier.watch()
	return options, earlier, nil
}

func (r *Reporter) decisions(ctx context.Context) (map[string]reconciler.Decision, error) {
	if r.Ledger == nil {
		return nil, nil
	}
	made, err := r.Ledger.Decisions(ctx)
	out := make(map[string]reconciler.Decision, len(made))
	for id, d := range made {
		out[id] = reconciler.Decision(d.Decision)
	}
	return out, err
}

// check looks for what a report cannot do without, before anything is written.
func (q ReportRequest) check() error {
	if info, err := os.Stat(q.Out); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file: name a directory for the report", q.Out)
	}
	if q.Optional {
		return nil
	}
	for _, path := range q.Journals {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("read journal: %w: check --journal", err)
		}
	}
	return nil
}
