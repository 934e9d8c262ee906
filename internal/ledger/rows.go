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
}

// Plan records rows before anything is sent for them, and those that are finished without a request. A row that is there
// already is replaced. The rows are in order of their numbers.
func (l *Ledger) Plan(ctx context.Context, file File, rows []Row, finished []Finished) error {
	return l.batch(ctx, file, func(ctx context.Context, w *writer) error {
		if len(rows) > 0 {
			fresh, err := w.isNew(ctx, rows[0].Number, rows[len(rows)-1].Number)
			if err != nil {
				return err
			}
			if fresh {
				err = w.plan(ctx, rows)
			} else {
				err = w.putRows(ctx, file.ID, rows, nil)
			}
			if err != nil {
				return err
			}
		}
		return w.finish(ctx, finished)
	})
}

// Rows returns the rows of a file with numbers in [from, to], by number.
func (l *Ledger) Rows(ctx context.Context, fileID int64, from, to int) ([]Row, error) {
	planned, err := plannedRows(ctx, l.read, `file_id = ? AND first <= ? AND last >= ?`, fileID, to, from)
	if err != nil {
		return nil, fmt.Errorf("read rows from the ledger: %w", err)
	}
	found, err := l.read.QueryContext(ctx, `SELECT number, line, reference, operation, outcome, idempotency, body_sha256, generation, refused, planned_at,
		customer_id, currency, balance, payable, http_status, attempts, reason, detail
		FROM rows WHERE file_id = $1 AND number BETWEEN $2 AND $3 ORDER BY number`, fileID, from, to)
	if err != nil {
		return nil, fmt.Errorf("read rows from the ledger: %w", err)
	}
	defer found.Close()
	var rows []Row
	for found.Next() {
		var r Row
		var body []byte
		var planned int64
		var balance sql.NullInt64
		o := &r.Result
		if err := found.Scan(&r.Number, &o.Line, &o.ExternalReference, &r.Operation, &o.Outcome, &r.Key, &body, &r.Generation, &r.Refused, &planned,
			&o.CustomerID, &o.Currency, &balance, &o.Payable, &o.HTTPStatus, &o.Attempts, &o.Reason, &o.Detail); err != nil {
			return nil, fmt.Errorf("read rows from the ledger: %w", err)
		}
		copy(r.BodySHA256[:], body)
		r.PlannedAt = fromMicros(planned)
		o.Balance = formats.Balance{Minor: balance.Int64, Set: balance.Valid}
		rows = append(rows, r)
	}
	return withPlanned(rows, planned, from, to), found.Err()
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
	Row       Row
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
		if err := w.putRows(ctx, w.file.ID, []Row{a.Row}, nil); err != nil {
			return err
		}
		if a.CustomerID == "" {
			continue
		}
		stands := &Standing{CustomerID: a.CustomerID, Asserted: a.Found, SentAt: a.Row.PlannedAt, Payable: a.Payable}
		if err := w.putCustomers(ctx, []Finished{{Row: a.Row, Assertion: stands}}); err != nil {
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
	sorted := slices.SortedFunc(slices.Values(finished), func(a, b Finished) int { return cmp.Compare(a.Row.Number, b.Row.Number) })
	rows := make([]Row, len(sorted))
	asserting := make([]Finished, 0, len(sorted))
	for i, f := range sorted {
		rows[i] = f.Row
		if f.Assertion != nil {
			asserting = append(asserting, f)
		}
	}
	if err := w.putRows(ctx, w.file.ID, rows, func(i int) *Standing { return sorted[i].Assertion }); err != nil {
		return err
	}
	if err := w.putCustomers(ctx, asserting); err != nil {
		return err
	}
	return w.supersede(ctx, asserting)
}

// putRows writes rows of a file to the table, and what they assert, if anything.
func (w *writer) putRows(ctx context.Context, fileID int64, rows []Row, asserts func(i int) *Standing) error {
	err := w.do.rows.put(ctx, w.tx, len(rows), func(i int, values []any) []any {
		r := &rows[i]
		var body []byte
		if r.Operation != OperationNone {
			body = r.BodySHA256[:]
		}
		var name, due string
		var sent any
		if asserts != nil {
			if s := asserts(i); s != nil {
				name, due, sent = s.Asserted.Name, s.Asserted.DueDate, micros(s.SentAt)
			}
		}
		o := &r.Result
		return append(values, fileID, r.Number, o.Line, o.ExternalReference, r.Operation, string(o.Outcome), r.Key, body, r.Generation, boolInt(r.Refused),
			micros(r.PlannedAt), o.CustomerID, o.Currency, nullBalance(o.Balance), o.Payable, o.HTTPStatus, o.Attempts, o.Reason, o.Detail, name, due, sent)
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
