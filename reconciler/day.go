package reconciler

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"tallyman/formats"
)

// day is one business date: what was billed and paid on it, by currency.
type day struct {
	date     string
	from, to time.Time // [from, to); to is the zero time for the date of events without a time
	moved    map[string]*dayMovement
	last     *dayMovement // that was asked for last
	currency string       // of it
}

type dayMovement struct{ billed, paid formats.Sum }

// days add up what was billed and paid by business date. Which date an instant belongs to is a question that costs; it is
// asked a few times for each date and not for each event.
type days struct {
	dateOf func(time.Time) string
	known  []*day   // by time
	recent [64]*day // that were asked for last, by the day in UTC
	none   day      // of unknown time
}

func newDays(dateOf func(time.Time) string) *days {
	return &days{dateOf: dateOf, none: day{moved: map[string]*dayMovement{}}}
}

// pay counts an applied event.
func (d *days) pay(at instant, currency string, amount int64) {
	m := d.at(at).movement(currency)
	m.paid = m.paid.Add(amount)
}

// bill counts what an assertion added to a position.
func (d *days) bill(at time.Time, currency string, billed formats.Sum) {
	m := d.at(instant{at, true}).movement(currency)
	m.billed = m.billed.AddSum(billed)
}

func (d *day) movement(currency string) *dayMovement {
	if d.last != nil && d.currency == currency {
		return d.last
	}
	m := d.moved[currency]
	if m == nil {
		m = &dayMovement{}
		d.moved[currency] = m
	}
	d.last, d.currency = m, currency
	return m
}

// has reports whether an instant belongs to the date.
func (d *day) has(at time.Time) bool { return !at.Before(d.from) && at.Before(d.to) }

// at returns the business date of an instant.
func (d *days) at(at instant) *day {
	if !at.known {
		return &d.none
	}
	recent := &d.recent[uint64(at.time.Unix()/86400)%uint64(len(d.recent))]
	if *recent != nil && (*recent).has(at.time) {
		return *recent
	}
	i := sort.Search(len(d.known), func(i int) bool { return at.time.Before(d.known[i].to) })
	if i == len(d.known) || !d.known[i].has(at.time) {
		d.known = slices.Insert(d.known, i, d.find(at.time))
	}
	*recent = d.known[i]
	return *recent
}

// longestDay is longer than any business date: clocks that go back make some longer than 24 hours, and some places have
// moved across the date line.
const longestDay = 72 * time.Hour

// find looks for the bounds of the date of an instant.
func (d *days) find(at time.Time) *day {
	date := d.dateOf(at)
	after := sort.Search(int(longestDay), func(n int) bool { return d.dateOf(at.Add(time.Duration(n))) != date })
	before := sort.Search(int(longestDay), func(n int) bool { return d.dateOf(at.Add(-time.Duration(n))) != date })
	return &day{date: date, from: at.Add(-time.Duration(before) + 1), to: at.Add(time.Duration(after)), moved: map[string]*dayMovement{}}
}

// totals lists what was billed and paid, by date, then currency; what has no date comes first.
func (d *days) totals() []formats.DayTotal {
	var totals []formats.DayTotal
	for _, one := range append([]*day{&d.none}, d.known...) {
		for currency, m := range one.moved {
			totals = append(totals, formats.DayTotal{
				Date: one.date, Currency: currency, Billed: m.billed.Major(currency), Paid: m.paid.Major(currency),
			})
		}
	}
	slices.SortFunc(totals, func(a, b formats.DayTotal) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Currency, b.Currency))
	})
	return totals
}

// check proves that the dates together billed and paid what the customers together did.
func (d *days) check(currency string, b *balanceTotals) formats.Check {
	var sum dayMovement
	for _, one := range append([]*day{&d.none}, d.known...) {
		if m := one.moved[currency]; m != nil {
			sum.billed, sum.paid = sum.billed.AddSum(m.billed), sum.paid.AddSum(m.paid)
		}
	}
	var total movement
	if m := b.currency[currency]; m != nil {
		total = *m
	}
	return formats.Check{
		Name: "days " + currency, OK: sum.billed == total.billed && sum.paid == total.paid,
		Detail: fmt.Sprintf("billed %s and paid %s by customers, %s and %s by days", total.billed.Major(currency), total.paid.Major(currency),
			sum.billed.Major(currency), sum.paid.Major(currency)),
	}
}
