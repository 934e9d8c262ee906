package nightly

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tallyman/formats"
	"tallyman/internal/ledger"
	"tallyman/reconciler"
)

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
	return nil, writeReport(report.file, filepath.Join(q.Out, assertionsFile), formats.NewAssertionWriter, func(rows *formats.AssertionWriter) error {
		return r.ledgerAssertions(ctx, engine, q, rows)
	})
}

// ledgerAssertions gives the engine what the ledger knows, and writes assertions.csv on the way: those of the period.
func (r *Reporter) ledgerAssertions(ctx context.Context, engine *reconciler.Reconciler, q ReportRequest, rows *formats.AssertionWriter) error {
	first, _, _ := r.dates(q)
	starts := map[string]time.Time{}
	some := make([]reconciler.Assertion, 0, assertionsAtOnce)
	err := r.Ledger.Assertions(ctx, r.lastDate(q), func(a ledger.Assertion) error {
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
		some = append(some, reconciler.Assertion{
			At: at, SentAt: a.SentAt, CustomerID: a.CustomerID, ExternalReference: a.ExternalReference, Name: a.Name,
			Currency: a.Currency, Balance: a.Balance, DueDate: a.DueDate, Payable: a.Payable, TakenOff: events,
		})
		if len(some) < cap(some) {
			return nil
		}
		defer func() { some = some[:0] }()
		return engine.AssertAll(some)
	})
	if err != nil {
		return err
	}
	return engine.AssertAll(some)
}

// assertionsAtOnce is how many assertions the engine gets together.
const assertionsAtOnce = 1024

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
	var assertions []reconciler.Assertion
	counts, err := formats.EachExpected(sum, func(rows []formats.ExpectedRow) (repeated int, err error) {
		assertions = assertions[:0]
		for i := range rows {
			row := &rows[i]
			assertions = append(assertions, reconciler.Assertion{
				CustomerID: row.CustomerID, ExternalReference: row.ExternalReference, Name: row.Name, Currency: row.Currency,
				Balance: row.Balance, DueDate: row.DueDate, Payable: row.Payable,
			})
		}
		return repeated, engine.AssertOnce(assertions, func(i int, equal bool) error {
			if !equal {
				return rows[i].Conflict()
			}
			repeated++
			return nil
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
