package formats

import (
	"io"
	"time"
)

// The statuses of a journal line in payments.csv (design.md section 8, "Which events count").
const (
	StatusApplied   = "applied"   // it counts as paid
	StatusUnapplied = "unapplied" // good money that fits no balance here
	StatusHeld      = "held"      // does not count until a person has looked at it
	StatusDuplicate = "duplicate" // delivered before
	StatusExcluded  = "excluded"  // does not belong here
)

// The reasons that stand beside a status in payments.csv. Those of held and unapplied lines are also reasons in
// exceptions.csv.
const (
	ReasonInvalidEvent      = "invalid_event"
	ReasonOtherType         = "other_type"
	ReasonDuplicateEvent    = "duplicate_event"
	ReasonConflictingEvent  = "conflicting_event"
	ReasonOutOfPeriod       = "out_of_period"
	ReasonOtherObligation   = "other_obligation"
	ReasonUnknownCustomer   = "unknown_customer"
	ReasonCurrencyMismatch  = "currency_mismatch"
	ReasonPossibleDuplicate = "possible_duplicate"
	ReasonReversal          = "reversal"
)

// What is known of the signature of a journal line.
const (
	SignatureVerified   = "verified"
	SignatureUnverified = "unverified" // a bare event, or no secret at hand
	SignatureFailed     = "failed"     // no secret at hand gives this signature
)

// PaymentRow is one row of payments.csv: what became of one line of the journal. Texts are as the event had them and
// empty where it had none that can be read.
type PaymentRow struct {
	BusinessDate      string // YYYY-MM-DD, the report's; empty for a report without one
	EventID           string
	ObligationID      string
	PaymentID         string
	CustomerID        string
	ExternalReference string // of the customer, if there is an assertion for it
	Currency          string
	Amount            int64 // minor units; printed in major units, and only if HasAmount
	HasAmount         bool
	Status            string
	Reason            string
	EventTime         time.Time // data.created_at, else when it was received; printed only if HasEventTime
	HasEventTime      bool
	ReceivedAt        time.Time // zero if not known
	Signature         string    // verified, unverified or failed
	JournalRef        string    // file:line
}

// PaymentWriter writes payments.csv (design.md section 8, Reports).
type PaymentWriter struct{ table *reportTable }

// NewPaymentWriter begins a payments.csv.
func NewPaymentWriter(w io.Writer) (*PaymentWriter, error) {
	p := &PaymentWriter{newReportTable(w, "payments.csv", []string{
		"business_date", "event_id", "obligation_id", "payment_id", "customer_id", "external_reference", "currency",
		"amount", "status", "reason", "event_time", "received_at", "signature", "journal_ref",
	})}
	return p, p.table.end()
}

// Write adds one row.
func (p *PaymentWriter) Write(r PaymentRow) error {
	t := p.table
	t.own(r.BusinessDate)
	t.text(r.EventID, r.ObligationID, r.PaymentID, r.CustomerID, r.ExternalReference, r.Currency)
	if r.HasAmount {
		t.own(FormatMajor(r.Amount, r.Currency))
	} else {
		t.own("")
	}
	t.own(r.Status, r.Reason, reportTime(r.EventTime, r.HasEventTime), reportTime(r.ReceivedAt, !r.ReceivedAt.IsZero()))
	t.own(r.Signature)
	t.text(r.JournalRef)
	return t.end()
}

// Flush writes out what is still in memory; nothing counts as written before it has returned nil.
func (p *PaymentWriter) Flush() error { return p.table.flush() }
