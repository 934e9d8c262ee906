package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tallyman/formats"
)

// PaidOn is a payment on the balance of a customer.
type PaidOn struct {
	formats.TakenOff
	Currency string
	News     bool // it arrived after what stands was acknowledged
}

const selectPaidOn = `SELECT c.reference, p.event_id, p.amount, p.currency, p.received_at > c.sent_at
	FROM customers c JOIN payments p ON p.customer_id = c.customer_id
	WHERE c.reference ` + listed + ` AND p.paid_at >= ? AND p.on_balance = 1 AND NOT EXISTS (
		SELECT 1 FROM payments q WHERE q.customer_id = p.customer_id AND q.money = p.money AND p.money <> ''
		AND (q.received_at, q.event_id) < (p.received_at, p.event_id))
	ORDER BY c.reference, p.received_at, p.event_id`

// PaidOn returns, by reference, what customers have paid on their balances at or after an instant, in the order in which it
// was received. Money that came a second time under another event id is left out, as reports leave it out.
func (l *Ledger) PaidOn(ctx context.Context, since time.Time, references []string) (map[string][]PaidOn, error) {
	list, err := json.Marshal(references)
	if err != nil {
		return nil, err
	}
	found, err := l.read.QueryContext(ctx, selectPaidOn, string(list), micros(since))
	if err != nil {
		return nil, fmt.Errorf("read payments from the ledger: %w", err)
	}
	defer found.Close()
	paid := map[string][]PaidOn{}
	for found.Next() {
		var reference string
		var p PaidOn
		if err := found.Scan(&reference, &p.EventID, &p.Amount, &p.Currency, &p.News); err != nil {
			return nil, fmt.Errorf("read payments from the ledger: %w", err)
		}
		paid[reference] = append(paid[reference], p)
	}
	return paid, found.Err()
}

const selectTakenOff = `SELECT number, event_id, amount FROM taken_off WHERE file_id = ? AND number BETWEEN ? AND ? ORDER BY number, event_id`

// takenOff returns what was taken off the balances of a file's rows before they were sent, by number.
func takenOff(ctx context.Context, q querier, fileID int64, from, to int) (map[int][]formats.TakenOff, error) {
	found, err := q.QueryContext(ctx, selectTakenOff, fileID, from, to)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	off := map[int][]formats.TakenOff{}
	for found.Next() {
		var number int
		var t formats.TakenOff
		if err := found.Scan(&number, &t.EventID, &t.Amount); err != nil {
			return nil, err
		}
		off[number] = append(off[number], t)
	}
	return off, found.Err()
}

// takeOff writes what is taken off the balances of rows that are planned or finished without a request, in place of what
// an earlier plan took off.
func (w *writer) takeOff(ctx context.Context, rows []*Row) error {
	if len(rows) == 0 {
		return nil
	}
	byRow := func(a, b *Row) int { return a.Number - b.Number }
	before, err := takenOff(ctx, w.tx, w.file.ID, slices.MinFunc(rows, byRow).Number, slices.MaxFunc(rows, byRow).Number)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if before[r.Number] != nil {
			if _, err := w.tx.ExecContext(ctx, `DELETE FROM taken_off WHERE file_id = ? AND number = ?`, w.file.ID, r.Number); err != nil {
				return err
			}
		}
		for _, t := range r.TakenOff {
			if _, err := w.tx.ExecContext(ctx, `INSERT INTO taken_off (file_id, number, event_id, amount) VALUES (?, ?, ?, ?)`, w.file.ID, r.Number, t.EventID, t.Amount); err != nil {
				return err
			}
		}
	}
	return nil
}

// less returns a balance less what was taken off it; as it is where that does not fit into int64, since nothing was taken
// off then.
func less(b formats.Balance, off []formats.TakenOff) formats.Balance {
	sum := formats.SumOf(b.Minor)
	for _, t := range off {
		sum = sum.SubSum(formats.SumOf(t.Amount))
	}
	if minor, fits := sum.Int64(); b.Set && fits {
		b.Minor = minor
	}
	return b
}
