package ledger

import (
	"context"
	"fmt"
	"time"

	"tallyman/formats"
)

// Assertion is "this customer owes this much", made by one row of one file and acknowledged by Moment.
type Assertion struct {
	CustomerID        string
	ExternalReference string
	Name              string
	BusinessDate      string // of the file
	Currency          string
	Balance           int64 // minor units
	DueDate           string
	Payable           string
	SentAt            time.Time // when Moment acknowledged it
	FileName          string
	Line              int
	// TakenOff are the payments by which the balance that was sent is less than Balance, which the file says.
	TakenOff []formats.TakenOff
}

// Assertions calls f for each assertion of business dates up to and including one, oldest date first and in the order in
// which they were made within a date.
func (l *Ledger) Assertions(ctx context.Context, upTo string, f func(Assertion) error) error {
	found, err := l.read.QueryContext(ctx, `SELECT a.customer_id, a.reference, a.name, a.business_date, a.currency, a.balance, a.due_date, a.payable, a.sent_at, f.name, a.line,
		(SELECT json_group_array(json_array(t.event_id, t.amount)) FROM taken_off t WHERE t.file_id = a.file_id AND t.number = a.number)
		FROM assertions a JOIN files f ON f.id = a.file_id WHERE a.business_date <= $1 ORDER BY a.business_date, a.sent_at, a.file_id, a.number`, upTo)
	if err != nil {
		return fmt.Errorf("read assertions from the ledger: %w", err)
	}
	defer found.Close()
	for found.Next() {
		var a Assertion
		var sent int64
		var off string
		if err := found.Scan(&a.CustomerID, &a.ExternalReference, &a.Name, &a.BusinessDate, &a.Currency, &a.Balance, &a.DueDate, &a.Payable, &sent, &a.FileName, &a.Line, &off); err != nil {
			return fmt.Errorf("read assertions from the ledger: %w", err)
		}
		a.SentAt = fromMicros(sent)
		if a.TakenOff, err = parseTakenOff(off); err != nil {
			return fmt.Errorf("read assertions from the ledger: %w", err)
		}
		if err := f(a); err != nil {
			return err
		}
	}
	if err := found.Err(); err != nil {
		return fmt.Errorf("read assertions from the ledger: %w", err)
	}
	return nil
}
