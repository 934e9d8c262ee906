package reconciler

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"tallyman/formats"
)

// check proves the report's arithmetic: every figure that could be wrong is computed a second time, from other numbers
// and with math/big, and both are compared. A check that fails is a break of its own.
func (r *Reconciler) check(b *balanceTotals) []formats.Check {
	checks := []formats.Check{r.checkEvents(), r.checkExceptions(), r.checkCustomers(b)}
	currencies := slices.Collect(maps.Keys(b.currency))
	for currency := range r.journal.applied {
		if b.currency[currency] == nil {
			currencies = append(currencies, currency)
		}
	}
	slices.Sort(currencies)
	for _, currency := range currencies {
		checks = append(checks, b.checkRollForward(currency), r.checkApplied(currency, b), r.days.check(currency, b))
	}
	for _, check := range checks {
		if !check.OK {
			r.except(formats.ExceptionRow{
				ID:        exceptionID(formats.ReasonTotalsDiffer, check.Name),
				Reason:    formats.ReasonTotalsDiffer,
				Detail:    fmt.Sprintf("The control total %s does not foot: %s. Do not rely on this report; have the program's maintainers look at it.", check.Name, check.Detail),
				FirstSeen: r.options.To,
			})
		}
	}
	return checks
}

// checkEvents proves that every journal line has exactly one status.
func (r *Reconciler) checkEvents() formats.Check {
	var placed int64
	for _, total := range r.journal.lines {
		placed += total.count
	}
	return formats.Check{
		Name: "events", OK: placed == r.journal.count,
		Detail: fmt.Sprintf("%d journal lines, %d with a status", r.journal.count, placed),
	}
}

// checkExceptions proves that every held or unapplied line is an exception.
func (r *Reconciler) checkExceptions() formats.Check {
	var open, listed int64
	for kind, total := range r.journal.lines {
		if kind.status == formats.StatusHeld || kind.status == formats.StatusUnapplied {
			open += total.count
		}
	}
	for _, row := range r.found {
		switch row.Reason {
		case formats.ReasonInvalidEvent, formats.ReasonConflictingEvent, formats.ReasonPossibleDuplicate,
			formats.ReasonOtherObligation, formats.ReasonUnknownCustomer, formats.ReasonCurrencyMismatch:
			listed++
		}
	}
	return formats.Check{
		Name: "exceptions", OK: open == listed,
		Detail: fmt.Sprintf("%d lines held or unapplied, %d listed as exceptions", open, listed),
	}
}

// checkCustomers proves that every customer with a balance has a row and every row a status.
func (r *Reconciler) checkCustomers(b *balanceTotals) formats.Check {
	var placed int64
	for _, total := range b.statuses {
		placed += total.count
	}
	return formats.Check{
		Name: "customers", OK: b.customers == int64(r.customers.count) && placed == b.rows,
		Detail: fmt.Sprintf("%d customers with a balance, %d reported, in %d rows, %d with a status", r.customers.count, b.customers, b.rows, placed),
	}
}

// checkRollForward proves opening + billed - paid = closing, and that closing is what the last assertions and the
// payments since give.
func (b *balanceTotals) checkRollForward(currency string) formats.Check {
	m := b.currency[currency]
	if m == nil {
		m = &movement{}
	}
	sum := bigSum(m.opening)
	sum.Add(sum, bigSum(m.billed))
	sum.Sub(sum, bigSum(m.paid))
	again := new(big.Int)
	if tally := b.again[currency]; tally != nil {
		again = tally.sum()
	}
	closing := bigSum(m.closing)
	check := formats.Check{
		Name: "roll_forward " + currency, OK: sum.Cmp(closing) == 0 && again.Cmp(closing) == 0,
		Detail: fmt.Sprintf("opening %s + billed %s - paid %s = closing %s", m.opening.Major(currency), m.billed.Major(currency), m.paid.Major(currency), m.closing.Major(currency)),
	}
	if !check.OK {
		check.Detail += fmt.Sprintf("; computed again, in minor units: %s and %s", sum, again)
	}
	return check
}

// checkApplied proves that what payments.csv applies is what balances.csv calls paid.
func (r *Reconciler) checkApplied(currency string, b *balanceTotals) formats.Check {
	applied := new(big.Int)
	if tally := r.journal.applied[currency]; tally != nil {
		applied = tally.sum()
	}
	var paid formats.Sum
	if m := b.currency[currency]; m != nil {
		paid = m.paid
	}
	check := formats.Check{
		Name: "applied " + currency, OK: applied.Cmp(bigSum(paid)) == 0,
		Detail: fmt.Sprintf("paid %s by balances", paid.Major(currency)),
	}
	if check.OK {
		check.Detail += ", the same by payments"
	} else {
		check.Detail += fmt.Sprintf("; by payments, in minor units, %s", applied)
	}
	return check
}
