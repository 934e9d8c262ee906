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

// Assertions calls f for each assertion of business dates up to and including one: oldest date first, the files of a date in
// the order in which they came, and the rows of a file in theirs. Those of one customer are in the order in which they were
// made, since no file overwrites what a later one has asserted.
func (l *Ledger) Assertions(ctx context.Context, upTo string, f func(Assertion) error) error {
	files, err := l.files(ctx, ` WHERE business_date <= $1 ORDER BY business_date, id`, upTo)
	if err != nil {
		return err
	}
	for i := range files {
		file := &files[i]
		err := eachFinished(ctx, l.read, file.ID, func(rows []*finishedRow) error {
			off, err := takenOff(ctx, l.read, file.ID, rows[0].Number, rows[len(rows)-1].Number)
			for j := 0; err == nil && j < len(rows); j++ {
				if r := rows[j]; r.asserts && r.Result.Balance.Set {
					r.TakenOff = off[r.Number]
					err = f(r.assertion(file))
				}
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("read assertions from the ledger: %w", err)
		}
	}
	return nil
}

func (r *finishedRow) assertion(file *File) Assertion {
	o := &r.Result
	return Assertion{
		CustomerID: o.CustomerID, ExternalReference: o.ExternalReference, Name: r.name, BusinessDate: file.BusinessDate, Currency: o.Currency,
		Balance: o.Balance.Minor, DueDate: r.dueDate, Payable: o.Payable, SentAt: fromMicros(r.sentAt), FileName: file.Name, Line: o.Line,
		TakenOff: r.TakenOff,
	}
}
