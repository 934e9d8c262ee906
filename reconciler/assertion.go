package reconciler

import (
	"errors"
	"fmt"
	"time"

	"tallyman/formats"
)

// Assertion says that a customer owed an amount at a time. It sets the customer's position, whatever was paid before.
type Assertion struct {
	// At is when the assertion takes effect: the beginning of its business date's period. The zero time is before all
	// events.
	At time.Time
	// SentAt is when Moment acknowledged it; the zero time means not known. A payment between At and SentAt crossed it.
	SentAt time.Time

	CustomerID        string // bcus_…; required
	ExternalReference string // empty keeps what an earlier assertion said; so do an empty Name and Payable
	Name              string
	Currency          string // ISO 4217; required
	Balance           int64  // minor units; negative is a credit
	DueDate           string // YYYY-MM-DD, or empty: belongs to this balance only
	// TakenOff are the ids of the events that were taken off the balance before it was sent to Moment: Balance is what the
	// customer owed at At all the same, but these payments did not cross it.
	TakenOff []string
	Payable  string // yes or no, as Moment's answer had payment_rules or not; empty if not known
}

// Assert takes one assertion. All assertions come before the first delivery, those of one customer in order of At; of two
// with the same At the later call wins. Assertions at or after the end of the period are passed over.
func (r *Reconciler) Assert(a Assertion) error { return r.AssertAll([]Assertion{a}) }

// AssertAll takes some assertions as Assert takes one. Where there are a million customers, it takes a fraction of the time.
func (r *Reconciler) AssertAll(some []Assertion) error {
	return r.eachAssertion(some, func(a *Assertion, _ int, g *guess) error {
		return r.customers.assertAt(g, a, r.beforePeriod(a.At))
	})
}

// AssertOnce takes some assertions of customers that must not have another one, as those of an expected file. An assertion
// of a customer that has one already is not taken: again gets its number among them, and whether currency and balance are
// equal; its error ends the rest. All else is as with Assert.
func (r *Reconciler) AssertOnce(some []Assertion, again func(i int, equal bool) error) error {
	return r.eachAssertion(some, func(a *Assertion, i int, g *guess) error {
		at, known := r.customers.find(g, []byte(a.CustomerID))
		if !known {
			return r.customers.add(g, a, r.beforePeriod(a.At))
		}
		n, _ := r.customers.texts.numbers(at)
		currency, balance := r.customers.last(n)
		return again(i, currency == a.Currency && balance == a.Balance)
	})
}

// eachAssertion calls take for each assertion that counts.
func (r *Reconciler) eachAssertion(some []Assertion, take func(a *Assertion, i int, g *guess) error) error {
	if r.stage != asserting {
		return errLateAssertion
	}
	return r.customers.eachGuessed(some, func(i int, g *guess) error {
		a := &some[i]
		if err := a.check(); err != nil || r.afterPeriod(a) {
			return err
		}
		return take(a, i, g)
	})
}

var errLateAssertion = errors.New("assertion after the first delivery: give all assertions first")

// check looks for what an assertion cannot do without.
func (a *Assertion) check() error {
	switch {
	case a.CustomerID == "":
		return errors.New("assertion without a customer id")
	case a.Currency == "":
		return fmt.Errorf("assertion for %s without a currency", a.CustomerID)
	case a.Payable != "" && a.Payable != "yes" && a.Payable != "no":
		return fmt.Errorf("assertion for %s: payable is %q: it is yes, no or empty", a.CustomerID, a.Payable)
	case !isDate(a.DueDate):
		return fmt.Errorf("assertion for %s: due date %q is no calendar date: write it as YYYY-MM-DD", a.CustomerID, a.DueDate)
	}
	return nil
}

// afterPeriod reports whether an assertion takes effect after the period has ended.
func (r *Reconciler) afterPeriod(a *Assertion) bool {
	return !r.options.To.IsZero() && !a.At.IsZero() && !a.At.Before(r.options.To)
}

// isDate reports whether text is YYYY-MM-DD, or empty.
func isDate(text string) bool {
	if text == "" {
		return true
	}
	_, ok := formats.Days(text)
	return ok
}

// beforePeriod reports whether an assertion takes effect before the period begins.
func (r *Reconciler) beforePeriod(at time.Time) bool {
	return at.IsZero() || (!r.options.From.IsZero() && at.Before(r.options.From))
}
