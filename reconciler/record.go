package reconciler

import (
	"math"

	"tallyman/formats"
)

// record is a customer with one assertion in one currency whose payments fell into one stretch between assertions. Its
// size, 64 bytes, is what a customer costs beside its texts and its slot in the index, and what memory hands out at a time.
type record struct {
	balance int64
	paid    int64
	sentAt  stamp
	first   stamp
	last    stamp
	text    place
	at      uint32 // number in starts
	due     int32  // see packDate
	count   uint32
	whole   uint32 // 1 + number in whole, or that of an annex (see annexed); 0 for none

	currency uint16
	slot     uint8 // 1 + the slot of paid; 0 if nothing was paid
	flags    uint8
}

const recordSize = 64 // bytes

const (
	isBefore uint8 = 1 << iota
	isPayable
	isUnpayable
)

// opened is a customer as its record tells it, in one piece.
type opened struct {
	customer customer
	line     line
	points   [2]point
	lines    [1]*line
	paid     [4]formats.Sum
	near     byte // what book.touch read, so that it is read
}

// read fills the customer from a record; what it held before is gone.
func (o *opened) read(b *book, r *record) {
	c, l := &o.customer, &o.line
	*c = customer{points: o.points[:1], lines: o.lines[:]}
	c.id, c.reference, c.name = b.texts.all(r.text)
	*l = line{
		customer: c, currency: b.money[r.currency], dueDate: unpackDate(r.due), count: int64(r.count),
		first: b.times.unpack(r.first), last: b.times.unpack(r.last),
	}
	o.lines[0] = l
	o.points[0] = point{at: b.starts[r.at], sentAt: b.times.unpack(r.sentAt).time, line: l, balance: r.balance}
	if r.flags&isBefore != 0 {
		c.before = 1
	}
	switch {
	case r.flags&isPayable != 0:
		c.payable = "yes"
	case r.flags&isUnpayable != 0:
		c.payable = "no"
	}
	if x := b.annexOf(r); x != nil {
		x.read(b, o)
	} else if r.slot > 0 {
		o.paid = [4]formats.Sum{}
		o.paid[r.slot-1] = formats.SumOf(r.paid)
		l.paid = o.paid[:3]
	}
}

// owes returns the currency of a number, if the customer ever had a balance in it.
func (b *book) owes(n uint32, currency uint16) (code string, ok bool) {
	r := b.record(n)
	if currency == 0 {
		return "", false
	}
	code = b.money[currency-1]
	if c := b.wholeOf(r); c != nil {
		return code, c.line(code) != nil
	}
	return code, currency == r.currency+1
}

// pay books a payment in or before the period.
func (b *book) pay(e *event, currency string, within bool) {
	n := e.customer - 1
	r := b.record(n)
	c := b.wholeOf(r)
	if c == nil && b.payRecord(r, e.at, e.amount, within) {
		return
	}
	if l := b.open(n).line(currency); within {
		l.payWithin(e.at, e.amount, e.Fields.ID)
	} else {
		l.payBefore(e.at, e.amount)
	}
}

// payRecord books a payment if the record has room for it, or may have with an annex. What was paid before an assertion that
// takes effect before the period changes nothing: that sets the position.
func (b *book) payRecord(r *record, at instant, amount int64, within bool) bool {
	slot := uint8(1)
	inForce := b.inForce(r.at, at)
	if inForce {
		slot++
	}
	switch {
	case within:
		slot++
	case !inForce && r.flags&isBefore != 0:
		return true
	}
	if x := b.annexOf(r); x != nil {
		return b.payAnnex(r, x, at, amount, within)
	}
	if within && inForce && b.crosses(r.at, r.sentAt, at) {
		return false
	}
	if r.slot != 0 && r.slot != slot {
		return b.payAnnex(r, b.extend(r), at, amount, within)
	}
	sum, fits := addFits(r.paid, amount)
	if !fits || r.count == math.MaxUint32 {
		return false
	}
	r.paid, r.slot = sum, slot
	if within {
		b.countPayment(r, at)
	}
	return true
}

// inForce reports whether an assertion that takes effect at a start is in force at an instant.
func (b *book) inForce(start uint32, at instant) bool {
	from := b.starts[start]
	return !at.known || from.IsZero() || !from.After(at.time)
}

// crosses reports whether a payment came after an assertion took effect and before it was acknowledged.
func (b *book) crosses(start uint32, sentAt stamp, at instant) bool {
	return at.known && !b.starts[start].IsZero() && at.time.Before(b.times.unpack(sentAt).time)
}

// countPayment counts a payment in the period.
func (b *book) countPayment(r *record, at instant) {
	r.count++
	if at.known {
		b.paidAt(r, at)
	}
}

// paidAt widens the stretch of time in which payments came.
func (b *book) paidAt(r *record, at instant) {
	if r.first > farAway && r.last > farAway && near(at.time) {
		v := stamp(at.time.UnixNano())
		r.first, r.last = min(r.first, v), max(r.last, v)
		return
	}
	if r.first == noStamp || at.time.Before(b.times.unpack(r.first).time) {
		r.first = b.times.pack(at)
	}
	if r.last == noStamp || at.time.After(b.times.unpack(r.last).time) {
		r.last = b.times.pack(at)
	}
}
