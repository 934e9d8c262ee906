package reconciler

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"tallyman/formats"
)

// exceptionID names an exception by its reason and what it is about, and by nothing that changes from one report to the
// next. The letters in front keep a spreadsheet from reading it as a number.
func exceptionID(reason string, identity ...string) string {
	id := digestOf(append([]string{reason}, identity...)...)
	return "ex_" + hex.EncodeToString(id[:8])
}

// Finding is an exception that somebody else found: a damaged journal, say. It goes into the report among our own.
type Finding struct {
	Reason   string    // journal_damaged, torn_tail, starts_late, report_gap or completeness_unproven
	Identity string    // what tells it from other findings of the reason; the same in every run that finds it again
	Detail   string    // what happened and what to do, for a person
	SeenAt   time.Time // when it could first be seen; the zero time means not known

	// About is what the finding names, as far as it names anything: reference, ids, currency and amount. The rest of the
	// row is not used.
	About formats.ExceptionRow
}

// Find adds a finding to the exceptions. It is an error after the result was taken, or if the reason is not one that only
// somebody else can find.
func (r *Reconciler) Find(f Finding) error {
	if r.stage == finished {
		return fmt.Errorf("finding %s after the result was taken", f.Reason)
	}
	switch f.Reason {
	case formats.ReasonJournalDamaged, formats.ReasonTornTail, formats.ReasonStartsLate, formats.ReasonReportGap,
		formats.ReasonCompletenessUnproven:
	default:
		return fmt.Errorf("finding has the reason %q, which is unknown or not for others to find", f.Reason)
	}
	r.except(formats.ExceptionRow{
		ID:                exceptionID(f.Reason, f.Identity),
		Reason:            f.Reason,
		ExternalReference: f.About.ExternalReference,
		CustomerID:        f.About.CustomerID,
		PaymentID:         f.About.PaymentID,
		EventID:           f.About.EventID,
		Currency:          f.About.Currency,
		Amount:            f.About.Amount,
		HasAmount:         f.About.HasAmount,
		Detail:            f.Detail,
		FirstSeen:         f.SeenAt,
	})
	return nil
}

// except adds an exception, and to it what follows from its reason and its id.
func (r *Reconciler) except(row formats.ExceptionRow) {
	row.Severity, _ = formats.Severity(row.Reason)
	comment := r.options.Comments[row.ID]
	row.Owner, row.Comment = comment.Owner, comment.Comment
	r.found = append(r.found, row)
}

// exceptEvent adds the exceptions that one event is.
func (r *Reconciler) exceptEvent(e *event, v verdict) {
	held, unapplied := v.status == formats.StatusHeld, v.status == formats.StatusUnapplied
	listed := held || unapplied || (v.status == formats.StatusApplied && v.reason == formats.ReasonReversal)
	unsigned := e.signature == failed
	if !listed && !unsigned {
		return
	}
	e.fill()
	row := formats.ExceptionRow{
		CustomerID: e.CustomerID,
		PaymentID:  e.PaymentID,
		EventID:    e.ID,
		Currency:   e.Currency,
		Amount:     formats.SumOf(e.Amount),
		HasAmount:  e.HasAmount,
	}
	if e.at.known {
		row.FirstSeen = e.at.time
	}
	row.ExternalReference = r.customers.reference(e.claim)
	if listed {
		about := row
		about.ID, about.Reason, about.Detail = v.id, v.reason, eventDetail(e, v)
		if !held {
			about.ID = exceptionID(v.reason, eventIdentity(e))
		}
		r.except(about)
	}
	if unsigned {
		row.Reason = formats.ReasonSignatureFailed
		row.ID = exceptionID(row.Reason, r.bodyIdentity(e, row.Reason)...)
		row.Detail = signatureDetail(e)
		r.except(row)
	}
}

// exceptLine adds the exceptions that a row of balances.csv is.
func (r *Reconciler) exceptLine(row formats.BalanceRow, l *line) {
	base := formats.ExceptionRow{
		ExternalReference: row.ExternalReference,
		CustomerID:        row.CustomerID,
		Currency:          row.Currency,
	}
	if row.Status == formats.StatusOverpaid {
		about := base
		about.Reason = formats.ReasonOverpaid
		about.ID = exceptionID(about.Reason, row.CustomerID, row.Currency)
		about.Amount, about.HasAmount = row.Closing.Neg(), true
		about.FirstSeen = row.LastPaidAt
		about.Detail = overpaidDetail(row)
		r.except(about)
	}
	for i := range l.customer.points {
		p := &l.customer.points[i]
		if p.line != l || p.crossed.IsZero() {
			continue
		}
		about := base
		about.Reason = formats.ReasonCrossedPayment
		about.ID = crossedID(row.CustomerID, row.Currency, p.at)
		about.Amount, about.HasAmount = p.crossed, true
		about.FirstSeen = p.sentAt
		about.Detail = crossedDetail(p)
		r.except(about)
	}
}

// crossedID names a balance that crossed payments.
func crossedID(customerID, currency string, at time.Time) string {
	return exceptionID(formats.ReasonCrossedPayment, customerID, currency, at.UTC().Format(time.RFC3339Nano))
}

// exceptUnpayable adds a notice for every customer that cannot be paid, if others can: where Moment shows payment rules
// for nobody, their absence says nothing.
func (r *Reconciler) exceptUnpayable(lines iter.Seq[*line]) {
	rules := false
	for l := range lines {
		if rules = r.customers.rules && l.customer.payable == "yes"; rules || !r.customers.rules {
			break
		}
	}
	if !rules || !r.customers.refused {
		return
	}
	for l := range lines {
		c := l.customer
		if c.payable != "no" || l != c.current() {
			continue
		}
		r.except(formats.ExceptionRow{
			ID:                exceptionID(formats.ReasonNotPayable, c.id),
			Reason:            formats.ReasonNotPayable,
			ExternalReference: c.reference,
			CustomerID:        c.id,
			Detail:            "Moment shows no payment rules for this customer, so it cannot be paid there, while other customers can; ask Moment to set them",
			FirstSeen:         c.points[len(c.points)-1].sentAt,
		})
	}
}

// severityOrder is the order of severities in a report: what needs a person first, what is over last.
func severityOrder(severity string) int {
	return slices.Index([]string{formats.SeverityBreak, formats.SeverityNotice, formats.SeverityClosed}, severity)
}

// sortExceptions puts breaks first, the oldest of each severity first and those of unknown age last.
func sortExceptions(rows []formats.ExceptionRow) {
	places := make([]exceptionPlace, len(rows))
	for i := range rows {
		row := &rows[i]
		places[i] = exceptionPlace{severityOrder(row.Severity), row.FirstSeen.IsZero(), row.FirstSeen.Unix(), row.FirstSeen.Nanosecond(), i}
	}
	slices.SortFunc(places, func(a, b exceptionPlace) int {
		if a.severity != b.severity {
			return cmp.Compare(a.severity, b.severity)
		}
		if a.ageless != b.ageless {
			if a.ageless {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.nanos, b.nanos), strings.Compare(rows[a.from].ID, rows[b.from].ID), cmp.Compare(a.from, b.from))
	})
	for i := range places {
		move(rows, places, i)
	}
}

// exceptionPlace is what an exception is sorted by, and where it stands: there may be as many as customers, and moving
// whole rows about for every comparison would take longer than all the rest of a report.
type exceptionPlace struct {
	severity int
	ageless  bool
	seconds  int64
	nanos    int
	from     int
}

// move puts the row that belongs at i there, then the one that belongs where that was, and so on until the circle closes.
func move(rows []formats.ExceptionRow, places []exceptionPlace, i int) {
	first := rows[i]
	for at := i; ; {
		from := places[at].from
		places[at].from = at
		if from == i {
			rows[at] = first
			return
		}
		rows[at] = rows[from]
		at = from
	}
}
