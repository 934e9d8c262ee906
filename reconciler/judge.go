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
	*Placing
	*claim
	at            instant
	formats.Event // its texts, once fill has read them: only events that a person must see need them
	filled        bool
}

// verdict is the place of one event.
type verdict struct {
	status, reason string
	id             string // of the exception that a held event is
	currency       string // in which an applied event counts for its customer
	before         bool   // it would be applied, but lies before the period
	why            string // more on the reason, for the exception's detail
}

// fill reads the event's texts, by the strict parser and for good.
func (e *event) fill() {
	if e.filled {
		return
	}
	e.filled = true
	e.Event = formats.ParseEvent(e.Body)
	if e.Ref == "" {
		e.Ref = e.ref()
	}
}

// judge goes down the table of design.md section 8: the first row that applies decides.
func (r *Reconciler) judge(e *event) (verdict, error) {
	switch e.standing {
	case otherType:
		return verdicts[expectOtherType], nil
	case invalid, timeless:
		return r.judgeInvalid(e), nil
	}
	released := false
	repetition, err := r.memory.see(&e.prints)
	if err != nil {
		return verdict{}, err
	}
	switch repetition {
	case repeated:
		return verdict{status: formats.StatusDuplicate, reason: formats.ReasonDuplicateEvent}, nil
	case conflicting:
		v := r.hold(e, formats.ReasonConflictingEvent)
		if v.status != formats.StatusApplied {
			return v, nil
		}
		released = true
	}
	v, err := r.judgePlace(e, released)
	if e.when != within {
		if e.when == ahead {
			r.watch.see(e, v)
		}
		v = verdict{
			status: formats.StatusExcluded, reason: formats.ReasonOutOfPeriod, currency: v.currency,
			before: v.status == formats.StatusApplied && e.when == ahead,
		}
	}
	return v, err
}

// judgeInvalid judges what nobody can know what it says.
func (r *Reconciler) judgeInvalid(e *event) verdict {
	v := r.hold(e, formats.ReasonInvalidEvent)
	if v.why = e.Fields.Problem.String(); e.standing == timeless {
		v.why = "it has no time, so nobody can tell whether it belongs to the period"
	}
	return v
}

// judgePlace goes down the rows that ask whom the money is for, as if every period counted. An event that gets to the
// last of them is remembered, so that the same money is known when it comes again.
func (r *Reconciler) judgePlace(e *event, released bool) (verdict, error) {
	switch e.standing {
	case otherObligation:
		return verdicts[expectOtherObligation], nil
	case unknownCustomer:
		return verdicts[expectUnknownCustomer], nil
	}
	currency, ok := r.customers.owes(e.customer-1, e.currency)
	if !ok {
		return verdicts[expectMismatch], nil
	}
	earlier, again, err := r.memory.pay(&e.prints, e.amount)
	v := applied(e.amount)
	if again && !released {
		v = r.hold(e, formats.ReasonPossibleDuplicate)
		v.why = compareAmounts(e, earlier)
	}
	v.currency = currency
	return v, err
}

// applied is the verdict on an event that counts as paid.
func applied(amount int64) verdict {
	v := verdict{status: formats.StatusApplied}
	if amount < 0 {
		v.reason = formats.ReasonReversal
	}
	return v
}

// hold holds an event back, unless a person has decided on it: a released one is applied as far as this row goes, a
// dropped one is excluded and keeps its reason. An invalid event cannot be released.
func (r *Reconciler) hold(e *event, reason string) verdict {
	e.fill()
	identity := []string{eventIdentity(e)}
	if reason == formats.ReasonInvalidEvent {
		identity = r.bodyIdentity(e, reason)
	}
	id := exceptionID(reason, identity...)
	decision := r.options.Decisions[id]
	switch {
	case decision == Apply && reason != formats.ReasonInvalidEvent:
		return applied(e.Amount)
	case decision == Drop:
		return verdict{status: formats.StatusExcluded, reason: reason}
	default:
		return verdict{status: formats.StatusHeld, reason: reason, id: id}
	}
}

// eventIdentity tells an event from all others, also from one with the same id and other data.
func eventIdentity(e *event) string {
	e.fill()
	return e.ID + "\x00" + hex.EncodeToString(e.Data[:])
}

// bodyIdentity tells a delivery that may have no id by its body, and by how often that body came before for the same
// reason. It is to be asked once for a delivery and reason.
func (r *Reconciler) bodyIdentity(e *event, reason string) []string {
	return []string{string(e.Body), strconv.FormatInt(r.memory.name(reason, e.Body), 10)}
}
