package ledger

import (
	"context"
	"database/sql"
	"fmt"
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

// Plan records rows before anything is sent for them, and what the finished ones among them assert. A row that is there
// already is replaced.
func (l *Ledger) Plan(ctx context.Context, file File, rows []Row, finished []Finished) error {
	return l.batch(ctx, func(ctx context.Context, do statements) error {
		for i := range rows {
			r := &rows[i]
			var body []byte
			if r.Operation != OperationNone {
				body = r.BodySHA256[:]
			}
			if _, err := do.planRow.ExecContext(ctx, file.ID, r.Number, r.Result.Line, r.Result.ExternalReference, r.Operation, string(r.Result.Outcome), r.Key, body,
				r.Generation, boolInt(r.Refused), micros(r.PlannedAt), r.Result.CustomerID, r.Result.Currency, nullBalance(r.Result.Balance),
				r.Result.Payable, r.Result.HTTPStatus, r.Result.Attempts, r.Result.Reason, r.Result.Detail); err != nil {
				return err
			}
		}
		return do.assert(ctx, file, finished)
	})
}

// Rows returns the rows of a file with numbers in [from, to], by number.
func (l *Ledger) Rows(ctx context.Context, fileID int64, from, to int) ([]Row, error) {
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
	return rows, found.Err()
}

// Advance is what is to be sent next for a row, to be on record before it is: under a new generation of its idempotency
// key, or, with a CustomerID, as an update of a customer that was found to be there. What was found is on record from
// then on as what stands.
type Advance struct {
	Number     int
	Operation  string
	Key        string
	BodySHA256 [32]byte
	Generation int
	PlannedAt  time.Time

	CustomerID string // empty: nobody was found
	Found      formats.Customer
	Payable    string
}

// Finished is a row with its outcome and, where Moment now holds the customer as the row says, what that asserts.
type Finished struct {
	Number    int
	Refused   bool
	Result    formats.OutcomeRow
	Assertion *Standing // nil: the row asserts nothing
}

// Record writes what is to be sent next and outcomes, all or nothing.
func (l *Ledger) Record(ctx context.Context, file File, advances []Advance, finished []Finished) error {
	return l.batch(ctx, func(ctx context.Context, do statements) error {
		if err := do.advance(ctx, file, advances); err != nil {
			return err
		}
		for i := range finished {
			f := &finished[i]
			o := &f.Result
			if _, err := do.finishRow.ExecContext(ctx, file.ID, f.Number, string(o.Outcome), boolInt(f.Refused), o.CustomerID, o.Payable, o.HTTPStatus,
				o.Attempts, o.Reason, o.Detail); err != nil {
				return err
			}
		}
		return do.assert(ctx, file, finished)
	})
}

func (do statements) advance(ctx context.Context, file File, advances []Advance) error {
	for i := range advances {
		a := &advances[i]
		if _, err := do.advanceRow.ExecContext(ctx, file.ID, a.Number, a.Operation, a.Key, a.BodySHA256[:], a.Generation, micros(a.PlannedAt)); err != nil {
			return err
		}
		if a.CustomerID == "" {
			continue
		}
		stands := Standing{CustomerID: a.CustomerID, Asserted: a.Found, SentAt: a.PlannedAt, Payable: a.Payable}
		if err := do.customer(ctx, file, a.Found.ExternalReference, &stands); err != nil {
			return err
		}
	}
	return nil
}

func nullBalance(b formats.Balance) sql.NullInt64 { return sql.NullInt64{Int64: b.Minor, Valid: b.Set} }
