package formats

import (
	"io"
	"strconv"
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
	fields := EventFields{
		ID: []byte(r.EventID), ObligationID: []byte(r.ObligationID), PaymentID: []byte(r.PaymentID), CustomerID: []byte(r.CustomerID),
		Currency: []byte(r.Currency), Amount: r.Amount, HasAmount: r.HasAmount,
	}
	p.table.rows.payment(&PaymentLine{PaymentRow: r, Fields: &fields})
	return p.table.end()
}

// Flush writes out what is still in memory; nothing counts as written before it has returned nil.
func (p *PaymentWriter) Flush() error { return p.table.flush() }

// PaymentLine is a PaymentRow whose event stands in a line, for who writes millions of them: of the row, what Fields
// holds is not looked at.
type PaymentLine struct {
	PaymentRow
	Fields *EventFields

	// File and Line are the journal_ref, if JournalRef is empty.
	File string
	Line int64
}

// PaymentRows puts rows of payments.csv together, without its header. The zero value is ready.
type PaymentRows struct{ rows reportRows }

// Append adds one row.
func (p *PaymentRows) Append(l *PaymentLine) {
	p.rows.payment(l)
	p.rows.end()
}

// Bytes returns the rows; they are valid until the next Append or Reset.
func (p *PaymentRows) Bytes() []byte { return p.rows.text }

// Reset begins anew.
func (p *PaymentRows) Reset() { p.rows.text = p.rows.text[:0] }

// payment appends the cells of one row of payments.csv.
func (r *reportRows) payment(p *PaymentLine) {
	f := p.Fields
	r.own(p.BusinessDate)
	appendText(r, f.ID)
	appendText(r, f.ObligationID)
	appendText(r, f.PaymentID)
	appendText(r, f.CustomerID)
	appendText(r, p.ExternalReference)
	appendText(r, f.Currency)
	if f.HasAmount {
		major(r, f.Amount, f.Currency)
	} else {
		r.own("")
	}
	r.own(p.Status)
	r.own(p.Reason)
	if f.created != nil && p.HasEventTime && p.EventTime.Equal(f.CreatedAt) {
		r.cell()
		r.text = append(r.text, f.created...)
	} else {
		r.time(p.EventTime, p.HasEventTime)
	}
	r.time(p.ReceivedAt, !p.ReceivedAt.IsZero())
	r.own(p.Signature)
	switch {
	case p.JournalRef != "" || p.File == "":
		appendText(r, p.JournalRef)
	case harmless(p.File):
		appendText(r, p.File)
		r.text = strconv.AppendInt(append(r.text, ':'), p.Line, 10)
	default:
		appendText(r, p.File+":"+strconv.FormatInt(p.Line, 10))
	}
}
