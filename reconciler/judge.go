package reconciler

import (
	"encoding/hex"
	"strconv"
	"time"

	"tallyman/formats"
)

// instant is a time that may be unknown; an event may be dated to the zero time.
type instant struct {
	time  time.Time
	known bool
}

// event is one delivery with all that its place depends on.
type event struct {
	formats.Event
	delivery Delivery
	at       instant   // data.created_at, else when it was received
	customer *customer // that it names, if there is an assertion for it
}

// verdict is the place of one event.
type verdict struct {
	status, reason string
	id             string // of the exception that a held event is
	line           *line  // that an applied event counts for
	before         bool   // it would be applied, but lies before the period
	why            string // more on the reason, for the exception's detail
}

// read parses a delivery.
func (r *Reconciler) read(d Delivery) *event {
	e := &event{Event: r.parser.Parse(d.Body), delivery: d}
	switch {
	case e.HasCreatedAt:
		e.at = instant{e.CreatedAt, true}
	case !d.ReceivedAt.IsZero():
		e.at = instant{d.ReceivedAt, true}
	}
	if e.CustomerID != "" {
		e.customer = r.customers[e.CustomerID]
	}
	return e
}

// judge goes down the table of design.md section 8: the first row that applies decides.
func (r *Reconciler) judge(e *event) verdict {
	if v, done := r.judgeForm(e); done {
		return v
	}
	released := false
	switch r.memory.see(e.ID, e.Data) {
	case repeated:
		return verdict{status: formats.StatusDuplicate, reason: formats.ReasonDuplicateEvent}
	case conflicting:
		v := r.hold(e, formats.ReasonConflictingEvent, eventIdentity(e))
		if v.status != formats.StatusApplied {
			return v
		}
		released = true
	}
	v := r.judgePlace(e, released)
	if !r.within(e.at) {
		if r.ahead(e.at) {
			r.watch.see(e, v)
		}
		v = verdict{
			status: formats.StatusExcluded, reason: formats.ReasonOutOfPeriod, line: v.line,
			before: v.status == formats.StatusApplied && r.ahead(e.at),
		}
	}
	return v
}

// judgeForm goes down the rows that ask what kind of thing the body is. done is false for an event that passes them all.
func (r *Reconciler) judgeForm(e *event) (v verdict, done bool) {
	problem := e.Problem.String()
	switch {
	case e.Problem.Untyped():
	case e.Type != formats.EventAmountApplied:
		return verdict{status: formats.StatusExcluded, reason: formats.ReasonOtherType}, true
	case e.Problem != formats.EventFine:
	case !e.at.known && r.bounded():
		problem = "it has no time, so nobody can tell whether it belongs to the period"
	default:
		return verdict{}, false
	}
	v = r.hold(e, formats.ReasonInvalidEvent, r.bodyIdentity(e, formats.ReasonInvalidEvent)...)
	v.why = problem
	return v, true
}

// judgePlace goes down the rows that ask whom the money is for, as if every period counted. An event that gets to the
// last of them is remembered, so that the same money is known when it comes again.
func (r *Reconciler) judgePlace(e *event, released bool) verdict {
	if e.AccountID != "" || e.BillID != "" {
		return verdict{status: formats.StatusUnapplied, reason: formats.ReasonOtherObligation}
	}
	if e.customer == nil {
		return verdict{status: formats.StatusUnapplied, reason: formats.ReasonUnknownCustomer}
	}
	l := e.customer.line(e.Currency)
	if l == nil {
		return verdict{status: formats.StatusUnapplied, reason: formats.ReasonCurrencyMismatch}
	}
	earlier, again := r.memory.pay(e)
	v := applied(e)
	if again && !released {
		v = r.hold(e, formats.ReasonPossibleDuplicate, eventIdentity(e))
		v.why = compareAmounts(e, earlier)
	}
	v.line = l
	return v
}

// applied is the verdict on an event that counts as paid.
func applied(e *event) verdict {
	v := verdict{status: formats.StatusApplied}
	if e.Amount < 0 {
		v.reason = formats.ReasonReversal
	}
	return v
}

// hold holds an event back, unless a person has decided on it: a released one is applied as far as this row goes, a
// dropped one is excluded and keeps its reason. An invalid event cannot be released.
func (r *Reconciler) hold(e *event, reason string, identity ...string) verdict {
	id := exceptionID(reason, identity...)
	decision := r.options.Decisions[id]
	switch {
	case decision == Apply && reason != formats.ReasonInvalidEvent:
		return applied(e)
	case decision == Drop:
		return verdict{status: formats.StatusExcluded, reason: reason}
	default:
		return verdict{status: formats.StatusHeld, reason: reason, id: id}
	}
}

// bounded reports whether a period is asked for.
func (r *Reconciler) bounded() bool { return !r.options.From.IsZero() || !r.options.To.IsZero() }

// ahead reports whether an instant lies before the period.
func (r *Reconciler) ahead(at instant) bool {
	return at.known && !r.options.From.IsZero() && at.time.Before(r.options.From)
}

// within reports whether an instant lies in the period. Without a period everything does.
func (r *Reconciler) within(at instant) bool {
	if !at.known {
		return true
	}
	return !r.ahead(at) && (r.options.To.IsZero() || at.time.Before(r.options.To))
}

// eventIdentity tells an event from all others, also from one with the same id and other data.
func eventIdentity(e *event) string {
	return e.ID + "\x00" + hex.EncodeToString(e.Data[:])
}

// bodyIdentity tells a delivery that may have no id by its body, and by how often that body came before for the same
// reason. It is to be asked once for a delivery and reason.
func (r *Reconciler) bodyIdentity(e *event, reason string) []string {
	return []string{string(e.delivery.Body), strconv.FormatInt(r.memory.name(reason, e.delivery.Body), 10)}
}
