package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Payment is an event of the journal that says money was applied to a customer. The ledger keeps it only to know, when
// the next file comes, whether a balance has been paid on since it was asserted; reports read the journal itself.
type Payment struct {
	EventID    string
	CustomerID string
	ReceivedAt time.Time
	PaidAt     time.Time // the event's own time; zero: ReceivedAt
	Currency   string
	Amount     int64
	Elsewhere  bool   // it was applied to an account or a bill, and not to the customer's balance
	Money      string // the same for the same money under another event id; empty if that cannot be told
}

// journalSeq is the binding under which the last journal line is kept that payments were taken from.
const journalSeq = "journal.seq"

// PaymentsUpTo returns the number of the last journal line that AddPayments was told of; 0 if none.
func (l *Ledger) PaymentsUpTo(ctx context.Context) (int64, error) {
	var value string
	err := l.read.QueryRowContext(ctx, `SELECT value FROM binding WHERE name = $1`, journalSeq).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read from the ledger: %w", err)
	}
	return strconv.ParseInt(value, 10, 64)
}

// AddPayments records payments and the number of the journal line they reach up to. One that is known is left as it is.
func (l *Ledger) AddPayments(ctx context.Context, payments []Payment, upTo int64) error {
	return l.transaction(ctx, func(tx *sql.Tx) error {
		for _, p := range payments {
			if _, err := tx.ExecContext(ctx, `INSERT INTO payments (event_id, customer_id, received_at, paid_at, currency, amount, on_balance, money)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
				p.EventID, p.CustomerID, micros(p.ReceivedAt), cmp.Or(micros(p.PaidAt), micros(p.ReceivedAt)), p.Currency, p.Amount, boolInt(!p.Elsewhere), p.Money); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO binding (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			journalSeq, strconv.FormatInt(upTo, 10))
		return err
	})
}
