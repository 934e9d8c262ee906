package formats

import (
	"io"
	"time"
)

// The statuses of matches.csv.
const (
	MatchBoth        = "both"         // the journal and Moment's report have it
	MatchWebhookOnly = "webhook_only" // Moment's reports do not have it, or not yet
	MatchReportOnly  = "report_only"  // no event announced it
)

// MatchRow is one row of matches.csv: a payment or refund as the journal has it and as Moment's own report has it. What one
// side does not have is empty.
type MatchRow struct {
	BusinessDate      string // YYYY-MM-DD, the report's; empty for a report without one
	Status            string
	EventID           string
	PaymentID         string
	ExternalReference string
	CustomerID        string
	ReportID          string // Moment's own id of the transaction
	Type              string // Payment or Refund, as Moment's report has it
	Currency          string
	WebhookAmount     int64 // minor units, printed in major units
	ReportAmount      int64
	EventTime         time.Time
	ReportTime        time.Time
	JournalRef        string // file:line of the event
	ReportRef         string // file:line of the row
	By                string // what the match rests on: payment_id or customer_and_amount, customer if only that; empty for none
}

// MatchWriter writes matches.csv: the journal's payments beside those of Moment's own reports.
type MatchWriter struct{ table *reportTable }

// matchColumns is the header of matches.csv.
func matchColumns() []string {
	return []string{
		"business_date", "status", "event_id", "payment_id", "external_reference", "customer_id", "report_id", "transaction_type",
		"currency", "webhook_amount", "report_amount", "difference", "event_time", "report_time", "journal_ref", "report_ref", "matched_by",
	}
}

// NewMatchWriter begins a matches.csv.
func NewMatchWriter(w io.Writer) (*MatchWriter, error) {
	m := &MatchWriter{newReportTable(w, "matches.csv", matchColumns())}
	return m, m.table.end()
}

// Write adds one row. The difference, what Moment's report has more than the journal, is printed where both have it.
func (m *MatchWriter) Write(r MatchRow) error {
	t := m.table
	t.own(r.BusinessDate, r.Status)
	t.text(r.EventID, r.PaymentID, r.ExternalReference, r.CustomerID, r.ReportID, r.Type, r.Currency)
	webhook, report, difference := "", "", ""
	if r.Status != MatchReportOnly {
		webhook = FormatMajor(r.WebhookAmount, r.Currency)
	}
	if r.Status != MatchWebhookOnly {
		report = FormatMajor(r.ReportAmount, r.Currency)
	}
	if r.Status == MatchBoth {
		difference = SumOf(r.ReportAmount).Sub(r.WebhookAmount).Major(r.Currency)
	}
	t.own(webhook, report, difference, reportTime(r.EventTime, !r.EventTime.IsZero()), reportTime(r.ReportTime, !r.ReportTime.IsZero()))
	t.text(r.JournalRef, r.ReportRef)
	t.own(r.By)
	return t.end()
}

// Flush writes out what is still in memory; nothing counts as written before it has returned nil.
func (m *MatchWriter) Flush() error { return m.table.flush() }
