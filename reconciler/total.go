package reconciler

import (
	"cmp"
	"math"
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
	lines   map[lineKind]*lineTotal
	recent  [4]recentKind // kinds that were just counted: most lines are of few
	count   int64
	applied map[string]*tally // by currency
	tally   *tally            // of the currency that was applied last
	money   string            // that currency
}

type recentKind struct {
	lineKind
	number uint16 // of the currency, as in a claim
	total  *lineTotal
}

// kind returns the total of a line's kind.
func (j *journalTotals) kind(e *event, v verdict) *lineTotal {
	for i := range j.recent {
		r := &j.recent[i]
		if r.total != nil && r.number == e.currency && r.status == v.status && r.reason == v.reason &&
			(r.number > 0 || r.currency == string(e.Fields.Currency)) {
			return r.total
		}
	}
	kind := lineKind{string(e.Fields.Currency), v.status, v.reason}
	total := j.lines[kind]
	if total == nil {
		total = &lineTotal{}
		j.lines[kind] = total
	}
	copy(j.recent[1:], j.recent[:])
	j.recent[0] = recentKind{kind, e.currency, total}
	return total
}

// apply adds to what was applied in a currency.
func (j *journalTotals) apply(currency string, amount int64) {
	if j.tally == nil || j.money != currency {
		if j.applied[currency] == nil {
			j.applied[currency] = &tally{}
		}
		j.tally, j.money = j.applied[currency], currency
	}
	j.tally.add(amount)
}

// tally is an exact sum of any size, by another way than formats.Sum: what goes up and what goes down are added up apart,
// and before either is full it is moved into a big.Int.
type tally struct {
	up, down uint64
	moved    big.Int
}

func (t *tally) add(amount int64) {
	part, size := &t.up, uint64(amount)
	if amount < 0 {
		part, size = &t.down, -size
	}
	if *part+size < *part {
		t.move()
	}
	*part += size
}

// sub takes off a sum.
func (t *tally) sub(s formats.Sum) {
	if v, ok := s.Int64(); ok && v != math.MinInt64 {
		t.add(-v)
		return
	}
	t.moved.Sub(&t.moved, bigSum(s))
}

func (t *tally) move() {
	t.moved.Add(&t.moved, new(big.Int).SetUint64(t.up))
	t.moved.Sub(&t.moved, new(big.Int).SetUint64(t.down))
	t.up, t.down = 0, 0
}

func (t *tally) sum() *big.Int {
	t.move()
	return new(big.Int).Set(&t.moved)
}

// book counts a judged event and lets it move its balance.
func (r *Reconciler) book(e *event, v verdict) {
	r.journal.count++
	amount := e.amount
	total := r.journal.kind(e, v)
	total.count++
	total.sum = total.sum.Add(amount)
	switch {
	case v.before:
		r.customers.pay(e, v.currency, false)
	case v.status == formats.StatusApplied:
		r.customers.pay(e, v.currency, true)
		r.days.pay(e.at, v.currency, amount)
		r.journal.apply(v.currency, amount)
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
	again    map[string]*tally // by currency: closing, computed another way

	rows, customers int64
	last            string // customer of the row before
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
		again:    map[string]*tally{},
	}
}

// add counts one row.
func (b *balanceTotals) add(l *line, row formats.BalanceRow) {
	if b.rows++; b.rows == 1 || row.CustomerID != b.last {
		b.customers, b.last = b.customers+1, row.CustomerID
	}
	kind := statusKind{row.Currency, row.Status}
	status := b.statuses[kind]
	status.count++
	status.closing = status.closing.AddSum(row.Closing)
	b.statuses[kind] = status

	total := b.currency[row.Currency]
	if total == nil {
		total = &movement{}
		b.currency[row.Currency] = total
		b.again[row.Currency] = &tally{}
	}
	total.opening = total.opening.AddSum(row.Opening)
	total.billed = total.billed.AddSum(row.Billed)
	total.paid = total.paid.AddSum(row.Paid)
	total.closing = total.closing.AddSum(row.Closing)
	l.addClosing(b.again[row.Currency])
}

// addClosing adds the closing position as the last assertion less what was paid since: another way than movement's.
func (l *line) addClosing(total *tally) {
	n := len(l.customer.points)
	if last := l.customer.points[n-1]; last.line == l {
		total.add(last.balance)
	}
	if n == l.customer.before {
		total.sub(l.paidIn(n))
	}
	total.sub(l.paidIn(n + 1))
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
