package nightly

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/internal/unpack"
)

// customerFile is a spooled customer file.
type customerFile struct {
	name    string // as it came
	path    string // in the spool
	sha256  string
	date    string // business date
	dayFile bool
	proofs  []string           // endings of what stands beside it and says that it is whole
	fault   *formats.FileError // what showed before it was parsed
	retried bool               // it is one that an earlier run has kept
}

// fullFilePattern is what Moment calls the file of all customers, which is sent once (Moment:
// /documentation/billing/file-integration-guide). It is no day file.
const fullFilePattern = "*_*_moment_all-customers_{date}.csv*"

// identify works out what a spooled file is: a day file if its name fits inbox.pattern, and of which business date: the
// one asked for, else the one in its name, else today's. Moment's full file has its date in its name too.
func (n *Night) identify(f customerFile, asked string) customerFile {
	var inName string
	f.date = asked
	inName, f.dayFile = config.MatchName(n.config.Inbox.Pattern, f.name)
	if f.date == "" {
		f.date = inName
	}
	if f.date == "" && n.config.Files.Format == string(formats.FormatMomentBillingFile) {
		f.date, _ = config.MatchName(fullFilePattern, f.name)
	}
	if f.date == "" {
		f.date = n.config.Reconcile.Calendar().DateOf(n.started)
	}
	return f
}

// importFile imports one file and writes its outcome and rejects into a directory. The error is for faults of our own;
// what is wrong with the file is in the result, and why the import stopped early in stop.
func (n *Night) importFile(ctx context.Context, f customerFile, dir string) (result FileResult, stop, err error) {
	result = FileResult{
		Name: f.name, FileID: f.sha256[:12], SHA256: f.sha256, BusinessDate: f.date, DayFile: f.dayFile, State: ledger.FileOpen,
	}
	defer collectLessOften()()
	row := ledger.File{BusinessDate: f.date, SHA256: f.sha256, Name: f.name, DayFile: f.dayFile, FirstSeen: n.started, RunID: n.id}
	file, row, err := n.begin(ctx, f, row)
	if err != nil {
		return result, nil, err
	}
	if err := n.recall(ctx, row, &result); err != nil {
		return result, nil, err
	}
	im, counter := n.newImporter(f.name)
	survey, plain, err := n.survey(ctx, im, f, row, &file, &result)
	defer plain.remove()
	var fault *formats.FileError
	var interrupted *importer.StopError
	switch {
	case errors.As(err, &fault):
		result.State, result.Fault = ledger.FileRejected, fault.Error()
		return result, nil, n.finish(ctx, row, result)
	case errors.As(err, &interrupted):
		return result, err, nil
	case err != nil:
		return result, nil, err
	}
	result.Notes = slices.Concat(result.Notes, f.notes(plain, survey.Proven), notes(survey))
	if len(result.Held) > 0 {
		result.hold(survey)
		return result, nil, n.finish(ctx, row, result)
	}
	counter.total = survey.Records
	watch := n.watchPace()
	stop = n.send(ctx, im, file, row, survey, &result)
	result.Notes = append(result.Notes, watch.notes()...)
	if stop != nil && !errors.As(stop, &interrupted) {
		return result, nil, stop
	}
	// What was done is told in any case, also after an interruption.
	account, err := n.account(context.WithoutCancel(ctx), im, file, survey, f.name, dir, &result)
	if err != nil {
		return result, stop, err
	}
	result.Read, result.Outcomes, result.Problems = account.Read, account.Counts, account.Problems
	if account.Older > 0 {
		result.Notes = append(result.Notes, fmt.Sprintf("an older file: newer balances stand, %d of %s skipped", account.Older, several(account.Read, "record")))
	}
	switch {
	case len(result.Held) > 0:
		result.State = ledger.FileHeld
	case stop == nil && account.Unfinished() == 0:
		result.State = ledger.FileDone
	}
	if err := n.finish(context.WithoutCancel(ctx), row, result); err != nil && stop == nil {
		stop = &importer.StopError{Reason: "records_failed", Err: err}
	}
	return result, stop, nil
}

// survey reads the whole file, unpacked, before anything is sent, and asks the guards.
func (n *Night) survey(ctx context.Context, im *importer.Importer, f customerFile, row ledger.File, file *importer.File, result *FileResult) (s *importer.Survey, plain plainFile, err error) {
	if f.fault != nil {
		return nil, plainFile{}, f.fault
	}
	if plain, err = unpackFile(ctx, f.path, f.name, n.spool, n.keys); err != nil {
		return nil, plain, err
	}
	file.Open = plain.open
	guards, err := n.newGuards(ctx, row)
	if err != nil {
		return nil, plain, err
	}
	defer func() {
		err = errors.Join(err, guards.close(ctx))
		if _, ours := errors.AsType[*importer.StopError](err); err != nil && !ours && ctx.Err() != nil {
			err = &importer.StopError{Reason: "interrupted", Err: context.Cause(ctx)}
		}
	}()
	file.Look = guards.look(ctx)
	if s, err = im.Survey(ctx, *file); err != nil {
		return nil, plain, err
	}
	result.Held, err = guards.judge(ctx, s)
	return s, plain, err
}

// begin puts the file on record. A dry run only looks.
func (n *Night) begin(ctx context.Context, f customerFile, row ledger.File) (importer.File, ledger.File, error) {
	file := importer.File{Customs: customerOptions(n.config.Files), Scratch: n.spool, Ledger: noRecords{}}
	switch {
	case !n.options.DryRun:
		var err error
		if err = n.keep(f); err != nil {
			return file, row, err
		}
		if row, err = n.ledger.Begin(ctx, row); err != nil {
			return file, row, err
		}
	case n.ledger != nil:
		known, ok, err := n.ledger.FindFile(ctx, f.date, f.sha256)
		if err != nil {
			return file, row, err
		}
		row.ID = math.MaxInt64 // a file that is new to the ledger would be its newest
		if ok {
			row = known
		}
	default:
		return file, row, nil
	}
	file.Ledger = records{n.ledger, row, n.unnoted}
	if n.config.Imports.Crossed == "net" {
		since, _, err := n.config.Reconcile.Calendar().Period(f.date)
		if err != nil {
			return file, row, err
		}
		file.Since = since
	}
	return file, row, nil
}

func (n *Night) finish(ctx context.Context, row ledger.File, result FileResult) error {
	if n.options.DryRun {
		return nil
	}
	reason := cmp.Or(result.Fault, heldFor(result.Held))
	err := n.ledger.Conclude(ctx, row.ID, result.State, reason, result.Read)
	if err != nil || result.State == ledger.FileOpen || result.State == ledger.FileHeld {
		return err
	}
	return n.tidy(ctx)
}

// counter hands the importer's progress on.
type counter struct {
	total int
	done  atomic.Int64
}

func (n *Night) newImporter(name string) (*importer.Importer, *counter) {
	c := &counter{}
	options := importer.Options{
		Merchant: n.config.Merchant, Mode: n.config.API.Mode, Existing: importer.Policy(n.config.Imports.Existing),
		Concurrency: n.config.API.Concurrency, DryRun: n.options.DryRun, Log: n.log, Now: n.options.Now, Waits: n.options.Waits,
	}
	if report := n.options.Progress; report != nil {
		options.Progress = func(formats.Outcome) {
			report(Progress{File: name, Done: int(c.done.Add(1)), Total: c.total, Refused: n.client.Throttled()})
		}
	}
	return importer.New(momentAPI{n.client}, options), c
}

// account writes the outcome and rejects files.
func (n *Night) account(ctx context.Context, im *importer.Importer, file importer.File, s *importer.Survey, name, dir string, result *FileResult) (account *importer.Account, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory for results: %w", err)
	}
	base := strings.TrimSuffix(unpack.PlainName(name), ".csv")
	if n.outputs[base] {
		base += "." + result.FileID
	}
	n.outputs[base] = true
	result.Outcome = filepath.Join(dir, base+".outcome.csv")
	result.Rejects = filepath.Join(dir, base+".rejects.csv")
	err = writeFile(result.Outcome, func(outcomes io.Writer) error {
		return writeFile(result.Rejects, func(rejects io.Writer) error {
			account, err = im.Account(ctx, file, s, outcomes, rejects)
			return err
		})
	})
	return account, err
}

// notes are the things worth saying about a good file.
func notes(s *importer.Survey) []string {
	var notes []string
	if s.Records == 0 {
		notes = append(notes, "the file has a header and no records")
	}
	if len(s.UnknownColumns) > 0 {
		notes = append(notes, "columns that nothing is read from: "+strings.Join(s.UnknownColumns, ", "))
	}
	if s.BlankLines > 0 {
		notes = append(notes, fmt.Sprintf("blank lines passed over: %d", s.BlankLines))
	}
	return notes
}

// ImportRequest says what a one-off import takes.
type ImportRequest struct {
	Date    string   // business date for all files; empty: each file's own
	Out     string   // directory for the results; empty: the run's own
	Sources []string // files, directories, or sftp:NAME
}

// remotePrefix marks a source that is in the configured inbox.
const remotePrefix = "sftp:"

// Import imports files, one after the other, by business date, then name, then content. One bad file does not stop the
// others; an API that refuses to work does.
func (n *Night) Import(ctx context.Context, q ImportRequest) (_ *Result, err error) {
	defer func() { err = n.giveUp(ctx, err) }()
	if q.Out == "" {
		q.Out = n.runsDir()
	}
	result := &Result{BusinessDate: q.Date}
	files, err := n.gather(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := n.prepare(ctx); err != nil {
		return nil, err
	}
	return result, n.importAll(ctx, files, q.Out, result)
}

// importAll imports files one after the other, until the API refuses to work.
func (n *Night) importAll(ctx context.Context, files []customerFile, dir string, result *Result) error {
	for _, f := range files {
		if err := n.importInto(ctx, f, dir, result); err != nil {
			return err
		}
		if result.stop != nil {
			break
		}
	}
	return n.conclude(ctx, dir, result)
}

// prepare brings the records up to date before anything is decided by them.
func (n *Night) prepare(ctx context.Context) error {
	take := func(ctx context.Context, payments []ledger.Payment, upTo int64) error {
		return n.ledger.AddPayments(ctx, payments, upTo)
	}
	if n.options.DryRun {
		if n.ledger == nil {
			return nil
		}
		take = n.unnoted.add
	}
	return notePayments(ctx, n.ledger, filepath.Join(n.config.DataDir, "journal"), take)
}

// importInto imports one file and adds what became of it to the result.
func (n *Night) importInto(ctx context.Context, f customerFile, dir string, result *Result) error {
	one, stop, err := n.importFile(ctx, f, dir)
	if err != nil {
		return fmt.Errorf("import %s: %w", f.name, err)
	}
	result.Files = append(result.Files, one)
	if stop != nil {
		result.stopEarly(stop)
	}
	return nil
}

// gather spools the sources and puts them in order.
func (n *Night) gather(ctx context.Context, q ImportRequest) ([]customerFile, error) {
	var files []customerFile
	for i, source := range q.Sources {
		dir := filepath.Join(n.spool, fmt.Sprint(i))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
		if name, ok := strings.CutPrefix(source, remotePrefix); ok {
			f, err := n.fetchOne(ctx, name, dir, q.Date)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
			continue
		}
		paths, err := listFiles([]string{source})
		if err != nil {
			return nil, &InputError{err}
		}
		for _, from := range paths {
			path, sum, err := spool(ctx, from, dir)
			if err != nil {
				return nil, err
			}
			f := n.identify(customerFile{name: filepath.Base(from), path: path, sha256: sum}, q.Date)
			if err := f.vouch(ctx, from); err != nil {
				return nil, err
			}
			files = append(files, f)
		}
	}
	order(files)
	return files, nil
}

func order(files []customerFile) {
	slices.SortStableFunc(files, func(a, b customerFile) int {
		return strings.Compare(a.date+"\x00"+a.name+"\x00"+a.sha256, b.date+"\x00"+b.name+"\x00"+b.sha256)
	})
}
