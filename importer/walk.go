package importer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tallyman/formats"
)

// chunkSize is how many records are planned together: one transaction, on disk before the first of them is sent.
const chunkSize = 2048

// entry is one record joined with what is on record of it.
type entry struct {
	number   int
	line     int
	customer formats.Customer // its balance is the one to be sent
	says     formats.Balance  // that of the file
	takenOff []formats.TakenOff
	news     formats.Sum // of what was taken off: what arrived after the balance that stands was acknowledged
	problems []*formats.Problem
	raw      []byte // valid as long as its chunk is worked on
	before   *Row   // nil: the record is new to the ledger
	standing Standing
	verdict  Verdict
	ready    bool // verdict is set; otherwise the record is finished and before tells how
}

// walk reads the file in chunks, joins each with the records and calls f with it, once with no entries if there are none.
// So many records at the beginning of the file, whole chunks of them, are passed over. The entries are f's until it returns.
func (im *Importer) walk(ctx context.Context, file File, s *Survey, over int, f func(*formats.CustomerReader, []entry) error) (err error) {
	r, closer, err := file.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	if over > 0 && over == s.Records {
		return f(r, nil)
	}
	var raws []byte
	for last, chunks := false, 0; !last; chunks++ {
		raws = raws[:0]
		chunk := make([]entry, 0, chunkSize)
		for len(chunk) < chunkSize {
			if file.First > 0 && chunks*chunkSize+len(chunk) == file.First {
				last = true
				break
			}
			record, err := r.Next()
			if errors.Is(err, io.EOF) {
				last = true
				break
			}
			if err != nil {
				return fmt.Errorf("read the file again: %w", err)
			}
			if record.Number <= over {
				continue
			}
			start := len(raws)
			raws = append(raws, record.Raw...)
			chunk = append(chunk, entry{number: record.Number, line: record.Line, customer: record.Customer, says: record.Customer.Balance, problems: record.Problems, raw: raws[start:]})
		}
		if len(chunk) == 0 && chunks > 0 {
			break
		}
		if err := im.join(ctx, file, s, chunk); err != nil {
			return err
		}
		if err := f(r, chunk); err != nil {
			return err
		}
	}
	return nil
}

// join looks up what is on record of a chunk and decides for each entry that is not finished.
func (im *Importer) join(ctx context.Context, file File, s *Survey, chunk []entry) error {
	if len(chunk) == 0 {
		return nil
	}
	rows, err := file.Ledger.Rows(ctx, chunk[0].number, chunk[len(chunk)-1].number)
	if err != nil {
		return stopForRecords(ctx, err)
	}
	for i := range rows {
		e := &chunk[rows[i].Number-chunk[0].number]
		if e.before = rows[i]; e.before.Result.Line != e.line || e.before.Result.ExternalReference != e.customer.ExternalReference {
			return errReadDifferently(e.line)
		}
	}
	var references []string
	for i := range chunk {
		e := &chunk[i]
		if e.before != nil && e.before.Result.Outcome.Final() {
			continue
		}
		e.ready = true
		if e.verdict = ruleOut(e, s.repeats[e.number]); e.verdict.Outcome == "" {
			references = append(references, e.customer.ExternalReference)
		}
	}
	if len(references) == 0 {
		return nil
	}
	standings, err := file.Ledger.Standings(ctx, references)
	if err != nil {
		return stopForRecords(ctx, err)
	}
	var paid map[string][]Payment
	if !file.Since.IsZero() {
		if paid, err = file.Ledger.Payments(ctx, file.Since, references); err != nil {
			return stopForRecords(ctx, err)
		}
	}
	for i := range chunk {
		if e := &chunk[i]; e.ready && e.verdict.Outcome == "" {
			e.standing = standings[e.customer.ExternalReference]
			e.takeOff(paid[e.customer.ExternalReference])
			e.verdict = decide(e.customer, e.standing, im.options.Existing)
			e.explainTakenOff(file.Since)
		}
	}
	return nil
}

// errReadDifferently says that the records of a file have been numbered by another reading of it, so that nothing on
// record can be joined with it.
func errReadDifferently(line int) error {
	return &StopError{Reason: "misconfigured", Err: fmt.Errorf("line %d is not the record it was when this file was last imported: the files section of the configuration has changed since; change it back to finish this file", line)}
}

// ruleOut decides what the file alone decides: the record is wrong, or it says again what another one says. Without an
// outcome in the verdict the record is good.
func ruleOut(e *entry, again formats.Repeat) Verdict {
	switch {
	case len(e.problems) > 0:
		reason, detail := formats.Explain(e.problems)
		return Verdict{Outcome: formats.Rejected, Reason: reason, Detail: detail}
	case again.Conflict:
		return Verdict{Outcome: formats.Rejected, Reason: formats.ConflictingRows, Detail: "external_reference: " + again.Remedy()}
	case again.Other != 0:
		return Verdict{Outcome: formats.Duplicate, Reason: "same_row", Detail: fmt.Sprintf("the same as line %d, which counts", again.Other)}
	}
	return Verdict{}
}

// result is the outcome row of an entry as far as the file and the verdict tell it. What a wrong record says of money is
// there if nothing is wrong with that: somebody may have paid it.
func (e *entry) result() formats.OutcomeRow {
	out := formats.OutcomeRow{Line: e.line, ExternalReference: e.customer.ExternalReference, CustomerID: e.standing.CustomerID, Payable: e.standing.Payable}
	_, known := formats.MinorDigits(e.customer.Currency)
	if len(e.problems) == 0 || e.says.Set && known {
		out.Currency, out.Balance = e.customer.Currency, e.says
	}
	return out
}
