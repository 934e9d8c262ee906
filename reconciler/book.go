package reconciler

import (
	"encoding/binary"
	"hash/maphash"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"tallyman/formats"
)

// book keeps the customers. Nearly every customer has one assertion, pays in one currency and in one stretch of time; of
// these it keeps a record of fixed size without a pointer, beside the texts. A customer of whom more must be known gets a
// *customer, which knows all the rules; a record is opened into one whenever a rule is asked for.
type book struct {
	pages [][]record
	count uint32
	texts texts
	index []uint32 // open addressing by id: 1 + number of the record, 0 if free
	seed  maphash.Seed
	whole []*customer // those that a record is too small for
	rules bool        // some customer can be paid
	// refused says that some customer could not.
	refused bool
	times   stamps
	starts  []time.Time // distinct times at which assertions take effect
	start   map[time.Time]uint32
	money   []string // distinct currencies
}

const (
	recordsPerPage = 1024
	recordSize     = 72  // bytes
	openedSize     = 600 // about, with what hangs on it
)

// record is a customer with one assertion in one currency whose payments fell into one stretch between assertions. Its
// size, 72 bytes, is what a customer costs beside its texts.
type record struct {
	text    uint64
	balance int64
	paid    int64
	sentAt  stamp
	first   stamp
	last    stamp
	at      uint32 // number in starts
	due     int32  // see packDate
	count   uint32
	whole   uint32 // 1 + number in whole; 0 for none

	currency uint16
	slot     uint8 // 1 + the slot of paid; 0 if nothing was paid
	flags    uint8
}

const (
	isBefore uint8 = 1 << iota
	isPayable
	isUnpayable
)

// bytes returns what the customers take.
func (b *book) bytes() int64 {
	total := int64(len(b.pages))*recordsPerPage*recordSize + int64(len(b.index))*4 + int64(len(b.whole))*openedSize
	for _, piece := range b.texts.pieces {
		total += int64(piece.Cap())
	}
	return total
}

func newBook() *book {
	return &book{index: make([]uint32, 1024), seed: maphash.MakeSeed(), start: map[time.Time]uint32{}}
}

func (b *book) record(n uint32) *record { return &b.pages[n/recordsPerPage][n%recordsPerPage] }

// find returns the number of a customer.
func (b *book) find(id []byte) (n uint32, ok bool) {
	return b.findFrom(b.home(maphash.Bytes(b.seed, id)), id)
}

// guess is where a customer will most likely be found.
type guess struct {
	at     int    // home of the id in the index
	number uint32 // 1 + number of the record that is entered there
	near   byte
}

// guess begins to look for a customer.
func (b *book) guess(id []byte) guess {
	at := b.home(maphash.Bytes(b.seed, id))
	return guess{at: at, number: b.index[at]}
}

// follow goes on to the texts of the record that was guessed.
func (b *book) follow(g *guess) {
	if g.number > 0 {
		text := b.record(g.number - 1).text
		g.near = b.texts.pieces[text>>32].String()[text&math.MaxUint32]
	}
}

// findFrom looks for a customer whose home in the index is known.
func (b *book) findFrom(at int, id []byte) (n uint32, ok bool) {
	for ; b.index[at] != 0; at = (at + 1) & (len(b.index) - 1) {
		n := b.index[at] - 1
		if b.texts.isFirst(b.record(n).text, id) {
			return n, true
		}
	}
	return 0, false
}

func (b *book) home(hash uint64) int { return int(hash) & (len(b.index) - 1) }

// assert takes one more assertion.
func (b *book) assert(a Assertion, before bool) error {
	n, known := b.find([]byte(a.CustomerID))
	b.rules, b.refused = b.rules || a.Payable == "yes", b.refused || a.Payable == "no"
	if known && b.renew(n, a, before) {
		return nil
	}
	if known {
		c := b.open(n)
		reference, name := c.reference, c.name
		err := c.assert(a, before)
		if c.reference != reference || c.name != name {
			b.record(n).text = b.texts.add(c.id, c.reference, c.name)
		}
		return err
	}
	n = b.add(a.CustomerID, a.ExternalReference, a.Name)
	r := b.record(n)
	currency, fits := b.currency(a.Currency)
	if !fits {
		c := &customer{id: a.CustomerID}
		b.keep(r, c)
		return c.assert(a, before)
	}
	r.currency, r.first, r.last = currency, noStamp, noStamp
	if before {
		r.flags |= isBefore
	}
	b.fill(r, a)
	if len(a.TakenOff) > 0 {
		b.open(n).points[0].takenOff = a.TakenOff
	}
	return nil
}

// renew puts an assertion in the place of the one that a record has, if both take effect before the period: there only the
// last one matters, and there may be years of them.
func (b *book) renew(n uint32, a Assertion, before bool) bool {
	r := b.record(n)
	if r.whole > 0 || len(a.TakenOff) > 0 || !before || r.flags&isBefore == 0 || b.money[r.currency] != a.Currency || a.At.Before(b.starts[r.at]) {
		return false
	}
	b.fill(r, a)
	id, reference, name := b.texts.all(r.text)
	newReference, newName := reference, name
	keep(&newReference, a.ExternalReference)
	keep(&newName, a.Name)
	if newReference != reference || newName != name {
		r.text = b.texts.add(id, newReference, newName)
	}
	return true
}

// fill fills a record with what an assertion says of the balance and of who can pay it.
func (b *book) fill(r *record, a Assertion) {
	start, ok := b.start[a.At]
	if !ok {
		start = uint32(len(b.starts))
		b.starts, b.start[a.At] = append(b.starts, a.At), start
	}
	r.at, r.balance, r.sentAt, r.due = start, a.Balance, b.times.pack(instant{a.SentAt, !a.SentAt.IsZero()}), packDate(a.DueDate)
	switch a.Payable {
	case "yes":
		r.flags = r.flags&^isUnpayable | isPayable
	case "no":
		r.flags = r.flags&^isPayable | isUnpayable
	}
}

// add makes a record.
func (b *book) add(id, reference, name string) uint32 {
	n := b.count
	b.count++
	if n%recordsPerPage == 0 {
		b.pages = append(b.pages, make([]record, recordsPerPage))
	}
	b.record(n).text = b.texts.add(id, reference, name)
	if int(b.count) > len(b.index)/4*3 {
		b.index = make([]uint32, 2*len(b.index))
		for i := range n {
			b.enter(i)
		}
	}
	b.enter(n)
	return n
}

func (b *book) enter(n uint32) {
	id, _ := b.texts.next(b.record(n).text)
	at := b.home(maphash.String(b.seed, id))
	for b.index[at] != 0 {
		at = (at + 1) & (len(b.index) - 1)
	}
	b.index[at] = n + 1
}

// currency returns the number of a currency; fits is false if there are more of them than a record can tell apart.
func (b *book) currency(code string) (n uint16, fits bool) {
	i := slices.Index(b.money, code)
	if i < 0 {
		if len(b.money) > math.MaxUint8 {
			return 0, false
		}
		i, b.money = len(b.money), append(b.money, strings.Clone(code))
	}
	return uint16(i), true
}

// keep puts a customer in the place of its record.
func (b *book) keep(r *record, c *customer) {
	b.whole = append(b.whole, c)
	r.whole = uint32(len(b.whole))
}

// open returns a customer that can be changed; from then on it is kept in the place of the record.
func (b *book) open(n uint32) *customer {
	r := b.record(n)
	if r.whole == 0 {
		var p opened
		p.read(b, r)
		b.keep(r, &p.customer)
	}
	return b.whole[r.whole-1]
}

// opened is a customer as its record tells it, in one piece.
type opened struct {
	customer customer
	line     line
	points   [1]point
	lines    [1]*line
	paid     [3]formats.Sum
}

// read fills the customer from a record; what it held before is gone.
func (o *opened) read(b *book, r *record) {
	c, l := &o.customer, &o.line
	*c = customer{points: o.points[:], lines: o.lines[:]}
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
	if r.slot > 0 {
		o.paid = [3]formats.Sum{}
		o.paid[r.slot-1] = formats.SumOf(r.paid)
		l.paid = o.paid[:]
	}
}

// reference returns a customer's external reference. The texts of a record are those of its customer, whole or not, so
// that they can be read while payments are booked.
func (b *book) reference(n uint32) string {
	_, reference, _ := b.texts.all(b.record(n).text)
	return reference
}

// owes returns the currency, if the customer ever had a balance in it.
func (b *book) owes(n uint32, currency []byte) (code string, ok bool) {
	r := b.record(n)
	if r.whole > 0 {
		if l := b.whole[r.whole-1].line(string(currency)); l != nil {
			return l.currency, true
		}
		return "", false
	}
	code = b.money[r.currency]
	return code, code == string(currency)
}

// pay books a payment in or before the period, that of the event with an id.
func (b *book) pay(n uint32, currency string, at instant, amount int64, within bool, id []byte) {
	r := b.record(n)
	if r.whole == 0 && b.payRecord(r, at, amount, within) {
		return
	}
	if l := b.open(n).line(currency); within {
		l.payWithin(at, amount, id)
	} else {
		l.payBefore(at, amount)
	}
}

// payRecord books a payment if the record has room for it: payments that fall into different stretches, sums beyond
// int64 and a payment that crossed an assertion have none.
func (b *book) payRecord(r *record, at instant, amount int64, within bool) bool {
	start := b.starts[r.at]
	inForce := !at.known || start.IsZero() || !start.After(at.time)
	slot := uint8(1)
	if inForce {
		slot++
	}
	if within {
		slot++
		if inForce && !start.IsZero() && at.known && at.time.Before(b.times.unpack(r.sentAt).time) {
			return false
		}
	}
	sum := r.paid + amount
	if (r.slot != 0 && r.slot != slot) || (sum > r.paid) != (amount > 0) || r.count == math.MaxUint32 {
		return false
	}
	r.paid, r.slot = sum, slot
	if !within {
		return true
	}
	r.count++
	if at.known {
		b.paidAt(r, at)
	}
	return true
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

// all yields the customers in an order. Each is valid until the next one.
func (b *book) all(order []uint32) iter.Seq[*customer] {
	return func(yield func(*customer) bool) {
		var o opened
		for _, n := range order {
			r := b.record(n)
			c := &o.customer
			if r.whole > 0 {
				c = b.whole[r.whole-1]
			} else {
				o.read(b, r)
			}
			if !yield(c) {
				return
			}
		}
	}
}

// order numbers the customers by external reference, then id.
func (b *book) order() []uint32 {
	type key struct {
		prefix uint64
		n      uint32
	}
	common, keys := b.commonPrefix(), make([]key, b.count)
	for n := range b.count {
		var prefix [8]byte
		copy(prefix[:], b.reference(n)[common:])
		keys[n] = key{binary.BigEndian.Uint64(prefix[:]), n}
	}
	slices.SortFunc(keys, func(x, y key) int {
		switch {
		case x.prefix < y.prefix:
			return -1
		case x.prefix > y.prefix:
			return 1
		}
		if order := strings.Compare(b.reference(x.n), b.reference(y.n)); order != 0 {
			return order
		}
		id, _ := b.texts.next(b.record(x.n).text)
		other, _ := b.texts.next(b.record(y.n).text)
		return strings.Compare(id, other)
	})
	order := make([]uint32, len(keys))
	for i, k := range keys {
		order[i] = k.n
	}
	return order
}

// commonPrefix returns how many bytes all references begin with.
func (b *book) commonPrefix() int {
	if b.count == 0 {
		return 0
	}
	first := b.reference(0)
	common := len(first)
	for n := range b.count {
		reference := b.reference(n)
		common = min(common, len(reference))
		for common > 0 && reference[:common] != first[:common] {
			common--
		}
	}
	return common
}

// texts keeps texts in large pieces, each text behind its length.
type texts struct{ pieces []*strings.Builder }

const pieceSize = 1 << 20

// add keeps some texts one behind the other and returns where they stand.
func (t *texts) add(all ...string) uint64 {
	size := 0
	for _, text := range all {
		size += binary.MaxVarintLen64 + len(text)
	}
	n := len(t.pieces)
	if n == 0 || t.pieces[n-1].Cap()-t.pieces[n-1].Len() < size {
		piece := new(strings.Builder)
		piece.Grow(max(pieceSize, size))
		t.pieces = append(t.pieces, piece)
		n++
	}
	piece := t.pieces[n-1]
	at := uint64(n-1)<<32 | uint64(piece.Len())
	for _, text := range all {
		var length [binary.MaxVarintLen64]byte
		piece.Write(binary.AppendUvarint(length[:0], uint64(len(text))))
		piece.WriteString(text)
	}
	return at
}

// next returns the text at at, and where the one behind it stands.
func (t *texts) next(at uint64) (text string, behind uint64) {
	piece := t.pieces[at>>32].String()[at&math.MaxUint32:]
	length, size := uint64(0), 0
	for shift := 0; ; shift += 7 {
		c := piece[size]
		size++
		length |= uint64(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	return piece[size : size+int(length)], at + uint64(size) + length
}

// all returns three texts that stand behind one another.
func (t *texts) all(at uint64) (first, second, third string) {
	first, at = t.next(at)
	second, at = t.next(at)
	third, _ = t.next(at)
	return first, second, third
}

// isFirst reports whether the text at at is the one given.
func (t *texts) isFirst(at uint64, text []byte) bool {
	first, _ := t.next(at)
	return first == string(text)
}

// stamp is an instant in eight bytes: nanoseconds since 1970, or, far from today, the number of a kept time.
type stamp int64

const (
	noStamp stamp = math.MinInt64 // an instant that is not known
	farAway stamp = math.MinInt64 / 2
)

// stamps keeps the times that have no place in a stamp.
type stamps struct{ far []time.Time }

// near reports whether a time is less than about 130 years from 1970.
func near(t time.Time) bool { return uint64(t.Unix()+1<<32) < 1<<33 }

func (s *stamps) pack(at instant) stamp {
	if !at.known {
		return noStamp
	}
	if near(at.time) {
		return stamp(at.time.UnixNano())
	}
	s.far = append(s.far, at.time)
	return noStamp + stamp(len(s.far))
}

func (s *stamps) unpack(v stamp) instant {
	switch {
	case v == noStamp:
		return instant{}
	case v < farAway:
		return instant{s.far[v-noStamp-1], true}
	default:
		return instant{time.Unix(0, int64(v)).UTC(), true}
	}
}

// dayZero is what 1970-01-01 is packed as, so that no date of four digits is packed as 0.
const dayZero = 1_000_000

// packDate packs YYYY-MM-DD as days; 0 stands for no date.
func packDate(date string) int32 {
	if date == "" {
		return 0
	}
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0
	}
	return int32(t.Unix()/86400) + dayZero
}

func unpackDate(days int32) string {
	if days == 0 {
		return ""
	}
	return time.Unix(int64(days-dayZero)*86400, 0).UTC().Format(time.DateOnly)
}
