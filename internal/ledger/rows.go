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
// row is planned; such a row may have been sent. With a final outcome it is finished, and is not written again.
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
// already and not finished is replaced. The rows are in order of their numbers.
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
				err = w.putRows(ctx, file.ID, rows)
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

// Rows returns the rows of a file with numbers in [from, to], by number.
func (l *Ledger) Rows(ctx context.Context, fileID int64, from, to int) ([]Row, error) {
	rows, err := l.rows(ctx, fileID, from, to)
	if err != nil {
		return nil, fmt.Errorf("read rows from the ledger: %w", err)
	}
	return rows, nil
}

// rows reads plans first, then rows, and then what is finished: a row that moves on meanwhile is seen twice, the last time
// as it is, and not overlooked.
func (l *Ledger) rows(ctx context.Context, fileID int64, from, to int) ([]Row, error) {
	chunks, err := plannedRows(ctx, l.read, `file_id = ? AND first <= ? AND last >= ?`, fileID, to, from)
	if err != nil {
		return nil, err
	}
	others, err := l.unpackedRows(ctx, fileID, from, to)
	if err != nil {
		return nil, err
	}
	finished, err := finishedRows(ctx, l.read, fileID, from, to)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(finished), len(finished)+len(others))
	for i := range finished {
		rows[i] = finished[i].Row
	}
	rows = joined(rows, others)
	for _, c := range chunks {
		rows = joined(rows, slices.DeleteFunc(c.rows, func(r Row) bool { return r.Number < from || r.Number > to }))
	}
	off, err := takenOff(ctx, l.read, fileID, from, to)
	for i := range rows {
		rows[i].TakenOff = off[rows[i].Number]
	}
	return rows, err
}

// joined adds to rows those of others that are not among them. All are in order.
func joined(rows, others []Row) []Row {
	n := len(rows)
	for _, r := range others {
		if _, found := slices.BinarySearchFunc(rows[:n], r.Number, byNumber); !found {
			rows = append(rows, r)
		}
	}
	if n > 0 && len(rows) > n {
		slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.Number, b.Number) })
	}
	return rows
}

func byNumber(r Row, number int) int { return cmp.Compare(r.Number, number) }

// unpackedRows returns rows of the table rows, in order.
func (l *Ledger) unpackedRows(ctx context.Context, fileID int64, from, to int) (rows []Row, err error) {
	found, err := l.read.QueryContext(ctx, `SELECT number, reference, operation, outcome, currency, balance, told
		FROM rows WHERE file_id = $1 AND number BETWEEN $2 AND $3 ORDER BY number`, fileID, from, to)
	if err != nil {
		return nil, err
	}
	defer found.Close()
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
			return nil, err
		}
		r.Number, o.Outcome, o.Balance = int(number), formats.Outcome(outcome), formats.Balance{Minor: balance.Int64, Set: balance.Valid}
	}
	return rows, found.Err()
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

// Finished is a row with its outcome and, where Moment now holds the customer as the row says, what that asserts. A row that
// is rejected or not finished asserts nothing.
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
		if err := w.putRows(ctx, w.file.ID, []*Row{&a.Row}); err != nil {
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
	var others []*Row
	packed := sorted[:0]
	for _, f := range sorted {
		if packs(f.Row.Result.Outcome) {
			packed = append(packed, f)
		} else {
			others = append(others, f.Row)
		}
	}
	if err := w.putFinished(ctx, packed); err != nil {
		return err
	}
	asserting := slices.DeleteFunc(packed, func(f Finished) bool { return f.Assertion == nil })
	if err := w.putCustomers(ctx, asserting); err != nil {
		return err
	}
	if err := w.supersede(ctx, asserting); err != nil {
		return err
	}
	return w.putRows(ctx, w.file.ID, others)
}

// putRows writes rows of a file that are not packed.
func (w *writer) putRows(ctx context.Context, fileID int64, rows []*Row) error {
	err := w.do.rows.put(ctx, w.tx, len(rows), func(i int, values []any) []any {
		r, o := rows[i], &rows[i].Result
		w.text = appendTold(w.text[:0], r)
		return append(values, fileID, r.Number, o.ExternalReference, r.Operation, string(o.Outcome), o.Currency, nullBalance(o.Balance), string(w.text))
	})
	for i := 0; err == nil && i < len(rows); i++ {
		err = w.moved(ctx, rows[i].Number)
	}
	return err
}

func nullBalance(b formats.Balance) any {
	if !b.Set {
		return nil
	}
	return b.Minor
}
