package reconciler

import (
	"math"

	"tallyman/formats"
)

// annex is what a record has no room for and many customers have: one more assertion, in the same currency, and payments in
// each of the stretches between. A customer of whom even more must be known is kept whole.
type annex struct {
	balance int64
	sentAt  stamp
	crossed int64    // paid across the assertion
	paid    [4]int64 // as line.paid
	at      uint32   // number in starts, or noStart if there is no more assertion
	count   uint32   // of the payments across it
}

const (
	annexSize = 64 // bytes
	noStart   = math.MaxUint32
	// annexed marks the number of an annex in record.whole.
	annexed = 1 << 31
)

// annexOf returns the annex of a record, or nil.
func (b *book) annexOf(r *record) *annex {
	if r.whole&annexed == 0 {
		return nil
	}
	n := r.whole &^ annexed
	return &b.annexes[n/recordsPerPage][n%recordsPerPage]
}

// extend gives a record an annex.
func (b *book) extend(r *record) *annex {
	if b.annexCount%recordsPerPage == 0 {
		b.annexes = append(b.annexes, make([]annex, recordsPerPage))
	}
	r.whole = b.annexCount | annexed
	b.annexCount++
	x := b.annexOf(r)
	x.at = noStart
	if r.slot > 0 {
		x.paid[r.slot-1] = r.paid
		r.paid, r.slot = 0, 0
	}
	return x
}

// extends reports whether an assertion finds room in an annex of a record.
func (b *book) extends(r *record, a *Assertion, before bool) bool {
	return r.whole == 0 && len(a.TakenOff) == 0 && !before && b.money[r.currency] == a.Currency && !a.At.Before(b.starts[r.at])
}

// assertMore puts an assertion behind the one of a record.
func (b *book) assertMore(r *record, a *Assertion) {
	x := b.extend(r)
	x.at, x.balance, x.sentAt = b.startOf(a.At), a.Balance, b.stampOf(a.SentAt)
	b.fillLast(r, a)
}

// payAnnex books a payment. It reports false if there is no room for it: sums beyond int64, and a payment that crossed the
// first assertion.
func (b *book) payAnnex(r *record, x *annex, at instant, amount int64, within bool) bool {
	n, crosses := 0, false
	if b.inForce(r.at, at) {
		n, crosses = 1, b.crosses(r.at, r.sentAt, at)
	}
	if n == 1 && x.at != noStart && b.inForce(x.at, at) {
		n, crosses = 2, b.crosses(x.at, x.sentAt, at)
	}
	slot := n
	if within {
		slot++
	}
	sum, fits := addFits(x.paid[slot], amount)
	if !fits || r.count == math.MaxUint32 {
		return false
	}
	if crosses = crosses && within; crosses {
		crossed, fits := addFits(x.crossed, amount)
		if n == 1 || !fits {
			return false
		}
		x.crossed = crossed
		x.count++
	}
	x.paid[slot] = sum
	if within {
		b.countPayment(r, at)
	}
	return true
}

// addFits adds if the sum fits into int64.
func addFits(a, b int64) (sum int64, fits bool) {
	sum = a + b
	return sum, (sum > a) == (b > 0)
}

// read fills in what an annex has of a customer that was filled by its record.
func (x *annex) read(b *book, o *opened) {
	l := &o.line
	if x.at != noStart {
		o.points[1] = point{
			at: b.starts[x.at], sentAt: b.times.unpack(x.sentAt).time, line: l, balance: x.balance,
			crossed: formats.SumOf(x.crossed), crossedCount: int64(x.count),
		}
		o.customer.points = o.points[:]
	}
	if x.paid == [4]int64{} {
		return
	}
	for i, amount := range x.paid {
		o.paid[i] = formats.SumOf(amount)
	}
	l.paid = o.paid[:len(o.customer.points)+2]
}
