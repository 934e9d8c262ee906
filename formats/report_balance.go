package formats

import (
	"io"
	"time"
)

// The statuses of a customer in balances.csv (design.md section 8); comparisons with 0 are within the tolerance.
const (
	StatusSettled    = "settled"     // payments, and nothing is owed
	StatusPartPaid   = "part_paid"   // payments, and something is still owed
	StatusOverpaid   = "overpaid"    // payments, and a credit is left
	StatusUnpaid     = "unpaid"      // no payments, and something is owed
	StatusInCredit   = "in_credit"   // no payments, and there is a credit
	StatusNothingDue = "nothing_due" // no payments, and nothing is owed
)

// BalanceRow is one row of balances.csv: one customer in one currency over one period. Amounts are minor units; they are
// printed in major units. Opening + Billed - Paid = Closing.
type BalanceRow struct {
	BusinessDate      string // YYYY-MM-DD, the report's; empty for a report without one
	ExternalReference string
	CustomerID        string
	Name              string
	Currency          string
	Opening           Sum // position at the beginning of the period
	Billed            Sum // what assertions in the period added to the position
	Paid              Sum // applied events, reversals included
	Closing           Sum // position at the end of the period
	Status            string
	PaymentCount      int64     // applied events
	FirstPaidAt       time.Time // times of the earliest and the latest of them; printed only if HasPaidAt
	LastPaidAt        time.Time
	HasPaidAt         bool
	DueDate           string // YYYY-MM-DD, or empty

	// What Moment shows now, and how much that is above the position; printed only if HasLive.
	LiveBalance    int64
	LiveDifference Sum
	HasLive        bool
}

// Age returns how many days the due date lies before the business date; it is negative before the due date. ok is false
// if there is no due date or no business date.
func (r *BalanceRow) Age() (days int, ok bool) { return DaysBetween(r.DueDate, r.BusinessDate) }

// BalanceWriter writes balances.csv (design.md section 8, Reports).
type BalanceWriter struct {
	// Ageing are the buckets of debts; set it before the first row.
	Ageing  Ageing
	table   *reportTable
	amounts [4][2]int // where those of the last row stand in the table's text
	printed PrintedBalance
}

// PrintedBalance are the figures of a row of balances.csv as they were printed.
type PrintedBalance struct {
	Amounts [4][]byte // opening, billed, paid, closing
	Bucket  string    // ageing_bucket
}

// Printed returns the figures of the row that was written last; they are valid until the next one is, or Flush.
func (b *BalanceWriter) Printed() *PrintedBalance { return &b.printed }

// NewBalanceWriter begins a balances.csv.
func NewBalanceWriter(w io.Writer) (*BalanceWriter, error) {
	b := &BalanceWriter{table: newReportTable(w, "balances.csv", []string{
		"business_date", "external_reference", "customer_id", "name", "currency", "opening_balance", "billed", "paid",
		"closing_balance", "status", "payment_count", "first_paid_at", "last_paid_at", "due_date", "age_days",
		"ageing_bucket", "live_balance", "live_difference",
	})}
	return b, b.table.end()
}

// ContinueBalances goes on with a balances.csv whose header, or whose earlier rows, somebody else has written.
func ContinueBalances(w io.Writer, ageing Ageing) *BalanceWriter {
	return &BalanceWriter{Ageing: ageing, table: &reportTable{name: "balances.csv", to: w}}
}

// Write adds one row.
func (b *BalanceWriter) Write(r BalanceRow) error {
	t := b.table
	t.own(r.BusinessDate)
	t.text(r.ExternalReference, r.CustomerID, r.Name, r.Currency)
	for i, sum := range [...]Sum{r.Opening, r.Billed, r.Paid, r.Closing} {
		b.amounts[i][0] = len(t.rows.text) + len(",")
		t.rows.sum(sum, r.Currency)
		b.amounts[i][1] = len(t.rows.text)
	}
	t.own(r.Status)
	t.rows.integer(r.PaymentCount)
	t.rows.time(r.FirstPaidAt, r.HasPaidAt)
	t.rows.time(r.LastPaidAt, r.HasPaidAt)
	t.text(r.DueDate)
	days, aged := r.Age()
	t.own(printDays(days, aged))
	if b.printed.Bucket = ""; aged {
		b.printed.Bucket = b.Ageing.Bucket(days)
	}
	t.own(b.printed.Bucket)
	if r.HasLive {
		t.own(FormatMajor(r.LiveBalance, r.Currency), r.LiveDifference.Major(r.Currency))
	} else {
		t.own("", "")
	}
	for i, at := range b.amounts {
		b.printed.Amounts[i] = t.rows.text[at[0]:at[1]]
	}
	return t.end()
}

// Flush writes out what is still in memory; nothing counts as written before it has returned nil.
func (b *BalanceWriter) Flush() error { return b.table.flush() }
