package formats

import (
	"io"
	"time"
)

// AssertionRow is one row of assertions.csv: a balance that a record of a customer file asserted for a business date of the
// report's period.
type AssertionRow struct {
	BusinessDate      string // of the file, YYYY-MM-DD
	ExternalReference string
	CustomerID        string
	Currency          string
	Balance           int64     // minor units; printed in major units
	DueDate           string    // YYYY-MM-DD, or empty
	SentAt            time.Time // when Moment acknowledged it; zero if not known
	Source            string    // file:line of the record
	TakenOff          Sum       // payments that were taken off Balance before it was sent, minor units; left empty if none were
}

// AssertionWriter writes assertions.csv: where the figures of balances.csv that are not payments come from.
type AssertionWriter struct{ table *reportTable }

// assertionColumns is the header of assertions.csv.
func assertionColumns() []string {
	return []string{
		"business_date", "external_reference", "customer_id", "currency", "balance", "due_date", "sent_at", "source", "taken_off",
	}
}

// NewAssertionWriter begins an assertions.csv.
func NewAssertionWriter(w io.Writer) (*AssertionWriter, error) {
	a := &AssertionWriter{newReportTable(w, "assertions.csv", assertionColumns())}
	return a, a.table.end()
}

// Write adds one row.
func (a *AssertionWriter) Write(r AssertionRow) error {
	t := a.table
	t.own(r.BusinessDate)
	t.text(r.ExternalReference, r.CustomerID, r.Currency)
	t.own(FormatMajor(r.Balance, r.Currency))
	t.text(r.DueDate)
	t.own(reportTime(r.SentAt, !r.SentAt.IsZero()))
	t.text(r.Source)
	if r.TakenOff.IsZero() {
		t.own("")
	} else {
		t.own(r.TakenOff.Major(r.Currency))
	}
	return t.end()
}

// Flush writes out what is still in memory; nothing counts as written before it has returned nil.
func (a *AssertionWriter) Flush() error { return a.table.flush() }
