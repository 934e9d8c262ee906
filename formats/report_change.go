package formats

import "io"

// The kinds of rows in changes.csv, in the order in which they stand there.
const (
	ChangeEvent     = "event"     // what became of one event
	ChangeAssertion = "assertion" // a balance that was asserted
	ChangeCustomer  = "customer"  // a figure of a row of balances.csv
	ChangeTotal     = "total"     // a control total of a currency
)

// ChangeRow is one row of changes.csv: a figure that is another one than in the report of the same business date before
// it. Figures are printed as the two reports print them; one that a report does not have is empty.
type ChangeRow struct {
	BusinessDate      string // YYYY-MM-DD, the report's; empty for a report without one
	Kind              string
	ExternalReference string
	CustomerID        string
	EventID           string
	Currency          string
	Figure            string // a column of the report it stands in, such as closing_balance
	Old, New          string
	JournalRef        string // file:line of an event, or of the record that asserted a balance
	Detail            string // what happened, for a person
}

// ChangeWriter writes changes.csv: what is another figure than in the report of the same business date before it.
type ChangeWriter struct{ table *reportTable }

// changeColumns is the header of changes.csv.
func changeColumns() []string {
	return []string{
		"business_date", "kind", "external_reference", "customer_id", "event_id", "currency", "figure", "old_value",
		"new_value", "journal_ref", "detail",
	}
}

// NewChangeWriter begins a changes.csv.
func NewChangeWriter(w io.Writer) (*ChangeWriter, error) {
	c := &ChangeWriter{newReportTable(w, "changes.csv", changeColumns())}
	return c, c.table.end()
}

// Write adds one row.
func (c *ChangeWriter) Write(r ChangeRow) error {
	t := c.table
	t.own(r.BusinessDate, r.Kind)
	t.text(r.ExternalReference, r.CustomerID, r.EventID, r.Currency)
	t.own(r.Figure, r.Old, r.New)
	t.text(r.JournalRef, r.Detail)
	return t.end()
}

// Flush writes out what is still in memory; nothing counts as written before it has returned nil.
func (c *ChangeWriter) Flush() error { return c.table.flush() }
