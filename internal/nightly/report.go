package nightly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
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
}

// InputError says that an input of a report cannot be used: the command was given the wrong thing.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }

func (e *InputError) Unwrap() error { return e.Err }

// garbagePercent is how much garbage may lie about while a report is made. What is kept of millions of customers and
// events holds no pointers, so that it costs next to nothing to collect often.
const garbagePercent = 20

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
	report := &Report{Dir: q.Out}
	defer debug.SetGCPercent(debug.SetGCPercent(garbagePercent))
	inputs, err := r.assertions(ctx, engine, q, report)
	if err != nil {
		return nil, err
	}
	read, err := r.payments(ctx, engine, q)
	if err != nil {
		return nil, err
	}
	var match *formats.MatchTotal
	if reported != nil {
		if match, err = r.matchReports(engine, reported, q); err != nil {
			return nil, err
		}
		report.Files = append(report.Files, matchesFile)
		read.inputs = append(read.inputs, reported.inputs...)
	}
	result, err := engine.Result()
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	live, err := r.compareLive(ctx, result, q.Out, earlier)
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
	report.Summary.Inputs = append(inputs, read.inputs...)
	report.Summary.Journal = formats.SummaryJournal{Seq: read.seq, SHA256: read.hash}
	report.Summary.Previous = previous.named()
	report.Summary.Live = live
	if report.Summary.Completeness, err = r.completeness(ctx, q, read, reported, match); err != nil {
		return nil, err
	}
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

// readComments reads what analysts wrote into an earlier exceptions.csv. Not to have one is nothing special.
func readComments(path string) (map[string]formats.Comment, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	defer f.Close()
	comments, err := formats.ReadComments(f)
	if err != nil {
		return nil, fmt.Errorf("read comments in %s: %w", path, err)
	}
	return comments, nil
}

// assertions gives the engine what was asserted, from the expected file or the ledger.
func (r *Reporter) assertions(ctx context.Context, engine *reconciler.Reconciler, q ReportRequest, report *Report) ([]formats.SummaryInput, error) {
	if q.Expected != "" {
		input, counts, err := readExpected(engine, q.Expected)
		if err != nil {
			return nil, err
		}
		report.LeftOut = counts.LeftOut
		return []formats.SummaryInput{input}, makeDir(q.Out)
	}
	if err := makeDir(q.Out); err != nil {
		return nil, err
	}
	report.Files = append(report.Files, assertionsFile)
	return nil, writeReport(filepath.Join(q.Out, assertionsFile), formats.NewAssertionWriter, func(rows *formats.AssertionWriter) error {
		return r.ledgerAssertions(ctx, engine, q, rows)
	})
}

// ledgerAssertions gives the engine what the ledger knows, and writes assertions.csv on the way: those of the period.
func (r *Reporter) ledgerAssertions(ctx context.Context, engine *reconciler.Reconciler, q ReportRequest, rows *formats.AssertionWriter) error {
	first, _, _ := r.dates(q)
	starts := map[string]time.Time{}
	return r.Ledger.Assertions(ctx, r.lastDate(q), func(a ledger.Assertion) error {
		events, off := takenOff(a)
		at, known := starts[a.BusinessDate]
		if !known {
			var err error
			if at, _, err = r.Calendar.Period(a.BusinessDate); err != nil {
				return err
			}
			starts[a.BusinessDate] = at
		}
		if a.BusinessDate >= first {
			if err := rows.Write(formats.AssertionRow{
				BusinessDate: a.BusinessDate, ExternalReference: a.ExternalReference, CustomerID: a.CustomerID, Currency: a.Currency,
				Balance: a.Balance, DueDate: a.DueDate, SentAt: a.SentAt, Source: fmt.Sprintf("%s:%d", a.FileName, a.Line), TakenOff: off,
			}); err != nil {
				return err
			}
		}
		return engine.Assert(reconciler.Assertion{
			At: at, SentAt: a.SentAt, CustomerID: a.CustomerID, ExternalReference: a.ExternalReference, Name: a.Name,
			Currency: a.Currency, Balance: a.Balance, DueDate: a.DueDate, Payable: a.Payable, TakenOff: events,
		})
	})
}

// takenOff returns the events that were taken off a balance before it was sent, and their sum.
func takenOff(a ledger.Assertion) (events []string, sum formats.Sum) {
	for _, t := range a.TakenOff {
		events, sum = append(events, t.EventID), sum.Add(t.Amount)
	}
	return events, sum
}

func readExpected(engine *reconciler.Reconciler, path string) (formats.SummaryInput, formats.ExpectedCounts, error) {
	input := formats.SummaryInput{Path: filepath.Base(path)}
	f, err := os.Open(path)
	if err != nil {
		return input, formats.ExpectedCounts{}, &InputError{fmt.Errorf("read expected file: %w: check --expected", err)}
	}
	defer f.Close()
	sum := newSummer(f)
	counts, err := formats.ReadExpected(sum, func(row formats.ExpectedRow) error {
		return engine.Assert(reconciler.Assertion{
			CustomerID: row.CustomerID, ExternalReference: row.ExternalReference, Name: row.Name, Currency: row.Currency,
			Balance: row.Balance, DueDate: row.DueDate, Payable: row.Payable,
		})
	})
	if err != nil {
		return input, counts, &InputError{fmt.Errorf("%s: %w", path, err)}
	}
	if _, err := io.Copy(io.Discard, sum); err != nil {
		return input, counts, fmt.Errorf("read %s: %w", path, err)
	}
	input.SHA256, input.Lines = sum.result()
	return input, counts, nil
}

// inputNames are the names by which a report calls its journal files: the base name, so that a report is the same
// wherever the files stand, or the whole path of a file whose base name another one has already.
type inputNames map[string]string

func (n inputNames) of(path string) string {
	base := filepath.Base(path)
	if filepath.Base(filepath.Dir(path)) == journal.ImportedName {
		base = journal.ImportedName + "/" + base
	}
	if first, taken := n[base]; taken && first != path {
		return path
	}
	n[base] = path
	return base
}

// file returns what stands before the number of the line in a journal_ref. A segment keeps the name it had before it was
// sealed, so that a reference stays true.
func (n inputNames) file(line *journal.Line) string {
	name := n.of(line.Path)
	return strings.TrimSuffix(name, filepath.Base(name)) + line.File
}

// journalRead is what was found on the way through the journals.
type journalRead struct {
	inputs        []formats.SummaryInput
	seq           int64
	hash          string
	damaged, torn bool
}

// paths returns the journals that are read, in order: what was received counts before what was imported.
func (q ReportRequest) paths() []string {
	if !q.Optional {
		return q.Journals
	}
	var paths []string
	for _, path := range q.Journals {
		paths = append(paths, path, filepath.Join(path, journal.ImportedName))
	}
	return paths
}

// payments gives the engine every line of the journals, and writes payments.csv on the way.
func (r *Reporter) payments(ctx context.Context, engine *reconciler.Reconciler, q ReportRequest) (read journalRead, err error) {
	err = writeFile(filepath.Join(q.Out, "payments.csv"), func(w io.Writer) error {
		rows, err := formats.NewPaymentWriter(w)
		if err != nil {
			return err
		}
		if err := rows.Flush(); err != nil { // the header; the rows are put together elsewhere
			return err
		}
		names := inputNames{}
		for _, path := range q.paths() {
			summary, err := r.place(ctx, engine, path, names, w)
			if q.Optional && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if len(summary.Files) == 0 && !q.Optional {
				return &InputError{fmt.Errorf("%s holds no journal: it needs files named *.jsonl, *.jsonl.gz or *.jsonl.zst", path)}
			}
			if err := read.add(engine, path, summary, names); err != nil {
				return err
			}
		}
		return nil
	})
	return read, err
}

// add takes over what one journal says of itself.
func (read *journalRead) add(engine *reconciler.Reconciler, path string, s journal.Summary, names inputNames) error {
	imported := filepath.Base(path) == journal.ImportedName
	for _, f := range s.Files {
		read.inputs = append(read.inputs, formats.SummaryInput{Path: names.of(f.Path), SHA256: f.SHA256, Lines: f.Lines})
	}
	if s.Hash != "" && !imported { // the chain of what was received is the one that the next report goes on from
		read.seq, read.hash = s.Seq, s.Hash
	}
	reasons := map[journal.Kind]string{journal.TornTail: formats.ReasonTornTail, journal.StartsLate: formats.ReasonStartsLate}
	for _, f := range slices.Concat(s.Damage, s.Notices) {
		reason, ok := reasons[f.Kind]
		switch {
		case ok:
			read.torn = read.torn || f.Kind == journal.TornTail
		case f.Kind == journal.BeingWritten, f.Kind == journal.ForeignFile:
			continue
		default:
			reason, read.damaged = formats.ReasonJournalDamaged, true
		}
		identity := fmt.Sprintf("%s %s:%d", f.Kind, f.File, f.Line)
		if imported {
			f.File = journal.ImportedName + "/" + f.File
			identity = journal.ImportedName + " " + identity
		}
		if err := engine.Find(reconciler.Finding{Reason: reason, Identity: identity, Detail: f.String()}); err != nil {
			return err
		}
	}
	return nil
}
