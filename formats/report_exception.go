package formats

import (
	"io"
	"time"
)

// The severities of exceptions.csv.
const (
	SeverityBreak  = "break"  // money or a total that does not fit, and needs a person
	SeverityNotice = "notice" // worth knowing, nothing to fix
	SeverityClosed = "closed" // a break of the report before this one that is open no more; listed once
)

// The reasons of exceptions.csv beside those of held and unapplied payments and ReasonReversal (design.md section 8,
// Exceptions).
const (
	ReasonBalanceDrift         = "balance_drift"
	ReasonCrossedPayment       = "crossed_payment"
	ReasonTotalsDiffer         = "totals_differ"
	ReasonJournalDamaged       = "journal_damaged"
	ReasonTornTail             = "torn_tail"
	ReasonSignatureFailed      = "signature_failed"
	ReasonOverpaid             = "overpaid"
	ReasonNotPayable           = "not_payable"
	ReasonStartsLate           = "starts_late"
	ReasonReportGap            = "report_gap"
	ReasonCompletenessUnproven = "completeness_unproven"
)

// Severity returns how much a reason of exceptions.csv weighs. ok is false for any other word.
func Severity(reason string) (severity string, ok bool) {
	switch reason {
	case ReasonInvalidEvent, ReasonConflictingEvent, ReasonPossibleDuplicate, ReasonOtherObligation,
		ReasonUnknownCustomer, ReasonCurrencyMismatch, ReasonBalanceDrift, ReasonCrossedPayment, ReasonTotalsDiffer,
		ReasonJournalDamaged, ReasonTornTail, ReasonSignatureFailed:
		return SeverityBreak, true
	case ReasonOverpaid, ReasonReversal, ReasonNotPayable, ReasonStartsLate, ReasonReportGap, ReasonCompletenessUnproven:
		return SeverityNotice, true
	default:
		return "", false
	}
}

// ExceptionRow is one row of exceptions.csv: something that needs a person (a break) or that one should know (a notice).
type ExceptionRow struct {
	ID                string // the same in every report that shows this exception
	Severity          string
	Reason            string
	ExternalReference string
	CustomerID        string
	PaymentID         string
	EventID           string
	Currency          string
	Amount            Sum // minor units; printed in major units, and only if HasAmount
	HasAmount         bool
	Detail            string    // what happened and what to do, for a person
	FirstSeen         time.Time // when it could first be seen; zero if not known
	AgeDays           int       // days from then to the business date; printed only if HasAge
	HasAge            bool
	Owner             string // the analyst's own words, from the last report
	Comment           string
}

// exceptionColumns is the header of exceptions.csv.
func exceptionColumns() []string {
	return []string{
		"exception_id", "severity", "reason", "external_reference", "customer_id", "payment_id", "event_id", "currency",
		"amount", "detail", "first_seen", "age_days", "owner", "comment",
	}
}

// ExceptionWriter writes exceptions.csv (design.md section 8, Reports).
type ExceptionWriter struct{ table *reportTable }

// NewExceptionWriter begins an exceptions.csv.
func NewExceptionWriter(w io.Writer) (*ExceptionWriter, error) {
	e := &ExceptionWriter{newReportTable(w, "exceptions.csv", exceptionColumns())}
	return e, e.table.end()
}

// Write adds one row.
func (e *ExceptionWriter) Write(r ExceptionRow) error {
	t := e.table
	t.own(r.ID, r.Severity, r.Reason)
	t.text(r.ExternalReference, r.CustomerID, r.PaymentID, r.EventID, r.Currency)
	if r.HasAmount {
		t.own(r.Amount.Major(r.Currency))
	} else {
		t.own("")
	}
	t.text(r.Detail)
	t.own(reportTime(r.FirstSeen, !r.FirstSeen.IsZero()), printDays(r.AgeDays, r.HasAge))
	t.text(r.Owner, r.Comment)
	return t.end()
}

// Flush writes out what is still in memory; nothing counts as written before it has returned nil.
func (e *ExceptionWriter) Flush() error { return e.table.flush() }
