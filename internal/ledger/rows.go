package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"tallyman/formats"
)

// Operations of a row.
const (
	OperationNone   = ""       // decided without a request
	OperationCreate = "create" // POST
	OperationUpdate = "update" // PATCH
)

// Row is one record of a file: what is to be sent for it, and what became of it. Result.Outcome is empty as long as the
// row is planned and not finished; such a row may have been sent.
type Row struct {
	Number     int // of the record, from 1
	Operation  string
	Key        string   // idempotency key of the current generation; empty for an update
	BodySHA256 [32]byte // of the request's body
	Generation int      // 0 for the first key; each new one was needed because Moment stored a failure
	Refused    bool     // the last answer to a create was a definite failure: look up, and never the same key again
	PlannedAt  time.Time
	Result     formats.OutcomeRow
	// TakenOff are the payments by which the balance that is sent is less than that of Result, which the file says.
	TakenOff []formats.TakenOff
}

// Plan records rows before anything is sent for them, and those that are finished without a request. A row that is there
// already is replaced. The rows are in order of their numbers.
func (l *Ledger) Plan(ctx context.Context, file File, rows []*Row, finished []Finished) error {
	return l.batch(ctx, file, func(ctx context.Context, w *writer) error {
		if len(rows) > 0 {
			fresh, err := w.isNew(ctx, rows[0].Number, rows[len(rows)-1].Number)
			if err != nil {
				return err
			}
			if fresh {
				err = w.plan(ctx, rows)
			} else {
				err = w.putRows(ctx, file.ID, unasserting(rows))
			}
			if err != nil {
				return err
			}
		}
		decided := slices.Clone(rows)
		for _, f := range finished {
			decided = append(decided, f.Row)
		}
		if err := w.takeOff(ctx, decided); err != nil {
			return err
		}
		return w.finish(ctx, finished)
	})
}

// maxRoom is for how many rows Rows makes room before it knows how many there are.
const maxRoom = 4096

// Rows returns the rows of a file with numbers in [from, to], by number.
func (l *Ledger) Rows(ctx context.Context, fileID int64, from, to int) ([]Row, error) {
	planned, err := plannedRows(ctx, l.read, `file_id = ? AND first <= ? AND last >= ?`, fileID, to, from)
	if err != nil {
		return nil, fmt.Errorf("read rows from the ledger: %w", err)
	}
	found, err := l.read.QueryContext(ctx, `SELECT number, reference, operation, outcome, currency, balance, told
		FROM rows WHERE file_id = $1 AND number BETWEEN $2 AND $3 ORDER BY number`, fileID, from, to)
	if err != nil {
		return nil, fmt.Errorf("read rows from the ledger: %w", err)
	}
	defer found.Close()
	rows := make([]Row, 0, min(max(0, to-from+1), maxRoom))
	for found.Next() {
		var number int64
		var outcome, told string
		var balance sql.NullInt64
		rows = append(rows, Row{})
		r := &rows[len(rows)-1]
		o := &r.Result
		err := found.Scan(&number, &o.ExternalReference, &r.Operation, &outcome, &o.Currency, &balance, &told)
		if err == nil {
			err = r.readTold(told)
		}
		if err != nil {
			return nil, fmt.Errorf("read rows from the ledger: %w", err)
		}
		r.Number, o.Outcome, o.Balance = int(number), formats.Outcome(outcome), formats.Balance{Minor: balance.Int64, Set: balance.Valid}
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("read rows from the ledger: %w", err)
	}
	rows = withPlanned(rows, planned, from, to)
	off, err := takenOff(ctx, l.read, fileID, from, to)
	for i := range rows {
		rows[i].TakenOff = off[rows[i].Number]
	}
	return rows, err
}

// Advance is what is to be sent next for a row, to be on record before it is: under a new generation of its idempotency
// key, or, with a CustomerID, as an update of a customer that was found to be there. What was found is on record from
// then on as what stands.
type Advance struct {
	Row Row

	CustomerID string // empty: nobody was found
	Found      formats.Customer
	Payable    string
}

// Finished is a row with its outcome and, where Moment now holds the customer as the row says, what that asserts.
type Finished struct {
	Row       *Row
	Assertion *Standing // nil: the row asserts nothing
}

// Record writes what is to be sent next and outcomes, all or nothing.
func (l *Ledger) Record(ctx context.Context, file File, advances []Advance, finished []Finished) error {
	return l.batch(ctx, file, func(ctx context.Context, w *writer) error {
		if err := w.advance(ctx, advances); err != nil {
			return err
		}
		return w.finish(ctx, finished)
	})
}

func (w *writer) advance(ctx context.Context, advances []Advance) error {
	for i := range advances {
		a := &advances[i]
		if err := w.putRows(ctx, w.file.ID, []Finished{{Row: &a.Row}}); err != nil {
			return err
		}
		if a.CustomerID == "" {
			continue
		}
		stands := &Standing{CustomerID: a.CustomerID, Asserted: a.Found, SentAt: a.Row.PlannedAt, Payable: a.Payable}
		if err := w.putCustomers(ctx, []Finished{{Row: &a.Row, Assertion: stands}}); err != nil {
			return err
		}
	}
	return nil
}

// finish writes outcomes and what they say of their customers.
func (w *writer) finish(ctx context.Context, finished []Finished) error {
	if len(finished) == 0 {
		return nil
	}
	// Neighbours in the file are neighbours in the table.
	sorted := slices.Clone(finished)
	slices.SortStableFunc(sorted, func(a, b Finished) int { return cmp.Compare(a.Row.Number, b.Row.Number) })
	if err := w.putRows(ctx, w.file.ID, sorted); err != nil {
		return err
	}
	asserting := slices.DeleteFunc(sorted, func(f Finished) bool { return f.Assertion == nil })
	if err := w.putCustomers(ctx, asserting); err != nil {
		return err
	}
	return w.supersede(ctx, asserting)
}

// unasserting are rows that assert nothing, as putRows takes them.
func unasserting(rows []*Row) []Finished {
	out := make([]Finished, len(rows))
	for i, r := range rows {
		out[i].Row = r
	}
	return out
}

// putRows writes rows of a file to the table, and what they assert, if anything.
func (w *writer) putRows(ctx context.Context, fileID int64, rows []Finished) error {
	err := w.do.rows.put(ctx, w.tx, len(rows), func(i int, values []any) []any {
		r := rows[i].Row
		var sent any
		if s := rows[i].Assertion; s != nil {
			sent = micros(s.SentAt)
		}
		o := &r.Result
		w.text = appendTold(w.text[:0], r, rows[i].Assertion)
		return append(values, fileID, r.Number, o.ExternalReference, r.Operation, string(o.Outcome), o.Currency, nullBalance(o.Balance), sent, string(w.text))
	})
	for i := 0; err == nil && i < len(rows); i++ {
		err = w.moved(ctx, rows[i].Row.Number)
	}
	return err
}

func nullBalance(b formats.Balance) any {
	if !b.Set {
		return nil
	}
	return b.Minor
}
