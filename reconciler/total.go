package reconciler

import (
	"cmp"
	"math/big"
	"slices"

	"tallyman/formats"
)

// lineKind is what journal lines are counted by.
type lineKind struct{ currency, status, reason string }

// lineTotal counts the lines of one kind.
type lineTotal struct {
	count int64
	sum   formats.Sum
}

// journalTotals count what became of the journal's lines. count and applied are kept beside lines, not from them: they
// are what the checks compare.
type journalTotals struct {
	lines   map[lineKind]lineTotal
	count   int64
	applied map[string]*big.Int // by currency
}

// book counts a judged event and lets it move its balance.
func (r *Reconciler) book(e *event, v verdict) {
	r.journal.count++
	kind := lineKind{e.Currency, v.status, v.reason}
	total := r.journal.lines[kind]
	total.count++
	total.sum = total.sum.Add(e.Amount)
	r.journal.lines[kind] = total

	switch {
	case v.before:
		v.line.payBefore(e.at, e.Amount)
	case v.status == formats.StatusApplied:
		v.line.payWithin(e.at, e.Amount)
		r.days.pay(e.at, e.Currency, e.Amount)
		sum := r.journal.applied[e.Currency]
		if sum == nil {
			sum = new(big.Int)
			r.journal.applied[e.Currency] = sum
		}
		sum.Add(sum, big.NewInt(e.Amount))
	}
	r.exceptEvent(e, v)
}

// eventTotals lists the totals by currency, status and reason.
func (j *journalTotals) eventTotals() []formats.EventTotal {
	var totals []formats.EventTotal
	for kind, total := range j.lines {
		totals = append(totals, formats.EventTotal{
			Currency: kind.currency, Status: kind.status, Reason: kind.reason,
			Count: total.count, Sum: total.sum.Major(kind.currency),
		})
	}
	slices.SortFunc(totals, func(a, b formats.EventTotal) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Reason, b.Reason))
	})
	return totals
}

// balanceTotals add up the rows of balances.csv.
type balanceTotals struct {
	statuses map[statusKind]statusTotal
	currency map[string]*movement
	again    map[string]*big.Int // by currency: closing, computed another way
}

type statusKind struct{ currency, status string }

type statusTotal struct {
	count   int64
	closing formats.Sum
}

func newBalanceTotals() *balanceTotals {
	return &balanceTotals{
		statuses: map[statusKind]statusTotal{},
		currency: map[string]*movement{},
		again:    map[string]*big.Int{},
	}
}

// add counts one row.
func (b *balanceTotals) add(l *line, row formats.BalanceRow) {
	kind := statusKind{row.Currency, row.Status}
	status := b.statuses[kind]
	status.count++
	status.closing = status.closing.AddSum(row.Closing)
	b.statuses[kind] = status

	total := b.currency[row.Currency]
	if total == nil {
		total = &movement{}
		b.currency[row.Currency] = total
		b.again[row.Currency] = new(big.Int)
	}
	total.opening = total.opening.AddSum(row.Opening)
	total.billed = total.billed.AddSum(row.Billed)
	total.paid = total.paid.AddSum(row.Paid)
	total.closing = total.closing.AddSum(row.Closing)
	l.addClosing(b.again[row.Currency])
}

// addClosing adds the closing position as the last assertion less what was paid since: another way than movement's.
func (l *line) addClosing(total *big.Int) {
	n := len(l.customer.points)
	if last := l.customer.points[n-1]; last.line == l {
		total.Add(total, big.NewInt(last.balance))
	}
	if n == l.customer.before {
		total.Sub(total, bigSum(l.paidIn(n)))
	}
	total.Sub(total, bigSum(l.paidIn(n+1)))
}

// bigSum converts an exact sum.
func bigSum(s formats.Sum) *big.Int {
	if v, ok := s.Int64(); ok {
		return big.NewInt(v)
	}
	v, _ := new(big.Int).SetString(s.String(), 10)
	return v
}

// customerTotals lists the totals by currency and status.
func (b *balanceTotals) customerTotals() []formats.CustomerTotal {
	var totals []formats.CustomerTotal
	for kind, total := range b.statuses {
		totals = append(totals, formats.CustomerTotal{
			Currency: kind.currency, Status: kind.status, Count: total.count, Closing: total.closing.Major(kind.currency),
		})
	}
	slices.SortFunc(totals, func(a, b formats.CustomerTotal) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Status, b.Status))
	})
	return totals
}

// rollForward lists the control totals by currency.
func (b *balanceTotals) rollForward() []formats.RollForward {
	var totals []formats.RollForward
	for currency, m := range b.currency {
		totals = append(totals, formats.RollForward{
			Currency: currency, Opening: m.opening.Major(currency), Billed: m.billed.Major(currency),
			Paid: m.paid.Major(currency), Closing: m.closing.Major(currency),
		})
	}
	slices.SortFunc(totals, func(a, b formats.RollForward) int { return cmp.Compare(a.Currency, b.Currency) })
	return totals
}
