package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"tallyman/formats"
)

// Counts are the records of a file by outcome.
type Counts map[formats.Outcome]int

// Problem is one class of what went wrong: how often, and one example.
type Problem struct {
	Outcome formats.Outcome
	Reason  string
	Count   int
	Line    int    // of the first one
	Detail  string // of the first one, without the value in the file
}

// Account is where every record of a file ended.
type Account struct {
	Read     int
	Counts   Counts
	Older    int       // records that are skipped because a newer file has asserted their customers
	Problems []Problem // in order of the first line
}

// FootError says that outcomes and records do not add up: a fault of ours that must not pass in silence.
type FootError struct{ Read, Counted int }

func (e *FootError) Error() string {
	return fmt.Sprintf("the outcomes do not foot: %d records read, %d accounted for; report this and keep the data directory", e.Read, e.Counted)
}

// Account writes the outcome of every record, in file order, and the rejected records as they came. It tells what is on
// record, so that calling it again writes the same bytes; of a dry run it tells what would be done. As far as every record
// is finished and none rejected, the file itself is not read again.
func (im *Importer) Account(ctx context.Context, file File, s *Survey, outcomes, rejects io.Writer) (*Account, error) {
	out := formats.NewOutcomeWriter(outcomes)
	var rejected *formats.RejectsWriter
	a := &Account{Counts: Counts{}}
	seen := map[Problem]int{}
	if err := im.accountFinished(ctx, file, s, a, out); err != nil {
		return nil, err
	}
	err := im.walk(ctx, file, s, a.Read, func(r *formats.CustomerReader, chunk []entry) error {
		if rejected == nil {
			var err error
			if rejected, err = formats.NewRejectsWriter(rejects, r); err != nil {
				return err
			}
		}
		for i := range chunk {
			row := im.outcome(&chunk[i], s.stopped)
			a.add(row, chunk[i].problems, seen)
			if err := out.Write(row); err != nil {
				return err
			}
			if row.Outcome != formats.Rejected {
				continue
			}
			if err := rejected.Write(chunk[i].raw, row.Reason, row.Detail); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if rejected != nil {
		err = rejected.Flush()
	}
	return a, errors.Join(err, out.Flush(), a.foots(s))
}

// accountFinished accounts for the chunks at the beginning of the file that are finished, with nothing rejected, by what is
// on record of them alone.
func (im *Importer) accountFinished(ctx context.Context, file File, s *Survey, a *Account, out *formats.OutcomeWriter) error {
	if im.options.DryRun {
		return nil
	}
	for a.Read < s.Records {
		to := min(a.Read+chunkSize, s.Records)
		rows, err := file.Ledger.Rows(ctx, a.Read+1, to)
		if err != nil {
			return stopForRecords(ctx, err)
		}
		unfinished := func(r *Row) bool { return !r.Result.Outcome.Final() || r.Result.Outcome == formats.Rejected }
		if len(rows) < to-a.Read || slices.ContainsFunc(rows, unfinished) {
			return nil
		}
		for _, r := range rows {
			a.count(r.Result)
			if err := out.Write(r.Result); err != nil {
				return err
			}
		}
	}
	return nil
}

// outcome is where an entry ended: as it is on record, or as it was decided without a request. Of a dry run it is where
// the record would end. stopped is why Send did not get to it, if an answer of the API was the reason.
func (im *Importer) outcome(e *entry, stopped string) formats.OutcomeRow {
	if e.before != nil && (!im.options.DryRun || !e.ready) {
		row := e.before.Result
		if row.Outcome == "" {
			row.Outcome, row.Reason, row.Detail = formats.InDoubt, "interrupted", "a request may have been sent and no answer is on record; run again"
		}
		if e.ready && e.waits() {
			row.Reason, row.Detail = e.verdict.Reason, e.verdict.Detail
		}
		return row
	}
	row := e.result()
	row.Outcome, row.Reason, row.Detail = e.verdict.Outcome, e.verdict.Reason, e.verdict.Detail
	if e.verdict.Operation != operationNone && !im.options.DryRun {
		row.Outcome, row.Reason, row.Detail = formats.NotAttempted, cmp.Or(stopped, "interrupted"), notSent+"; run again"
	}
	return row
}

// add counts an outcome, and keeps the first of each class of problems as an example. What the file's own text says
// stays in the outcome file, so the example of a wrong record is told by rule and remedy.
func (a *Account) add(row formats.OutcomeRow, problems []*formats.Problem, seen map[Problem]int) {
	a.count(row)
	switch row.Outcome {
	case formats.Rejected, formats.Failed, formats.InDoubt, formats.NotAttempted:
	default:
		return
	}
	class := Problem{Outcome: row.Outcome, Reason: row.Reason}
	i, known := seen[class]
	if !known {
		i = len(a.Problems)
		seen[class] = i
		class.Line, class.Detail = row.Line, row.Detail
		if len(problems) > 0 {
			class.Detail = problems[0].Remedy
			if problems[0].Column != "" {
				class.Detail = problems[0].Column + ": " + class.Detail
			}
		}
		a.Problems = append(a.Problems, class)
	}
	a.Problems[i].Count++
}

func (a *Account) count(row formats.OutcomeRow) {
	a.Read++
	a.Counts[row.Outcome]++
	if row.Reason == olderFile {
		a.Older++
	}
}

// foots checks that every record that was read has exactly one outcome.
func (a *Account) foots(s *Survey) error {
	counted := 0
	for _, o := range formats.Outcomes {
		counted += a.Counts[o]
	}
	if a.Read != s.Records || counted != s.Records {
		return &FootError{Read: s.Records, Counted: counted}
	}
	return nil
}

// Unfinished reports whether records are left that another run should try again.
func (a *Account) Unfinished() int {
	return a.Counts[formats.Failed] + a.Counts[formats.InDoubt] + a.Counts[formats.NotAttempted]
}
