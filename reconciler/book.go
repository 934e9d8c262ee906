package reconciler

import (
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"
)

// book keeps the customers. Nearly every customer has one assertion, pays in one currency and in one stretch of time; of
// these it keeps a record of fixed size without a pointer, beside the texts, and an annex for some more. A customer of whom
// even more must be known gets a *customer, which knows all the rules; a record is opened into one whenever a rule is asked
// for.
type book struct {
	pages [][]record
	count uint32
	texts texts
	index bookIndex
	seed  maphash.Seed
	whole []*customer // those that a record is too small for

	annexes    [][]annex
	annexCount uint32
	rules      bool // some customer can be paid
	// refused says that some customer could not.
	refused bool
	times   stamps
	starts  []time.Time // distinct times at which assertions take effect
	start   map[time.Time]uint32
	money   []string // distinct currencies
}

const (
	recordsPerPage = 1024
	openedSize     = 600 // bytes, about, with what hangs on it
)

// bytes returns what the customers take.
func (b *book) bytes() int64 {
	return int64(len(b.pages))*recordsPerPage*recordSize + int64(len(b.annexes))*recordsPerPage*annexSize +
		int64(len(b.index.slots))*8 + int64(len(b.whole))*openedSize + b.texts.bytes()
}

func newBook() *book {
	return &book{index: newBookIndex(1024), seed: maphash.MakeSeed(), start: map[time.Time]uint32{}}
}

func (b *book) record(n uint32) *record { return &b.pages[n/recordsPerPage][n%recordsPerPage] }

// guess is where a customer will most likely be found. Looking for it waits for memory twice, for the index and for the
// texts; who looks for many has all of them guessed first, so that they wait together.
type guess struct {
	print uint32
	at    int // slot
	near  byte
}

// guess begins to look for a customer.
func (b *book) guess(id []byte) guess { return b.guessOf(maphash.Bytes(b.seed, id)) }

func (b *book) guessOf(hash uint64) guess {
	g := guess{print: printOf(hash)}
	g.at = b.index.home(g.print)
	g.near = byte(b.index.slots[g.at].place)
	return g
}

// follow goes on to the texts that were guessed.
func (b *book) follow(g *guess) {
	g.at = b.index.next(g.at, g.print)
	if p := b.index.slots[g.at].place; p > 0 {
		g.near = b.texts.touch(place(p - 1))
	}
}

// find ends a search that follow has begun. at is where the texts of the customer stand; it is known if found is true, else
// g.at is the slot where it belongs.
func (b *book) find(g *guess, id []byte) (at place, found bool) {
	for {
		p := b.index.slots[g.at].place
		if p == 0 {
			return 0, false
		}
		if at = place(p - 1); b.texts.id(at) == string(id) {
			return at, true
		}
		g.at = b.index.next(g.at+1, g.print)
	}
}

// assert takes one more assertion.
func (b *book) assert(a *Assertion, before bool) error {
	g := b.guess([]byte(a.CustomerID))
	b.follow(&g)
	return b.assertAt(&g, a, before)
}

// assertAt takes one more assertion for a customer that was guessed.
func (b *book) assertAt(g *guess, a *Assertion, before bool) error {
	at, known := b.find(g, []byte(a.CustomerID))
	if !known {
		return b.add(g, a, before)
	}
	b.notePayable(a)
	if _, err := b.currency(a.Currency); err != nil {
		return err
	}
	n, _ := b.texts.numbers(at)
	r := b.record(n)
	id, reference, name := b.texts.all(at)
	switch {
	case b.renews(r, a, before):
		b.fill(r, a)
	case b.extends(r, a, before):
		b.assertMore(r, a)
	default:
		c := b.open(n)
		if err := c.assert(*a, before); err != nil {
			return err
		}
	}
	return b.rename(g, n, id, reference, name, a)
}

// eachGuessed guesses the customers of some assertions together and calls each for one after the other. Until the next few
// none of them moves in the index.
func (b *book) eachGuessed(some []Assertion, each func(i int, g *guess) error) error {
	var guesses [customersAhead]guess
	for from := 0; from < len(some); from += customersAhead {
		few := some[from:min(from+customersAhead, len(some))]
		b.index.reserve(len(few))
		for i := range few {
			guesses[i] = b.guess([]byte(few[i].CustomerID))
		}
		for i := range few {
			b.follow(&guesses[i])
		}
		for i := range few {
			if at, found := b.find(&guesses[i], []byte(few[i].CustomerID)); found {
				n, _ := b.texts.numbers(at)
				guesses[i].near ^= b.record(n).flags
			}
		}
		for i := range few {
			if err := each(from+i, &guesses[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// notePayable notes who can pay and who cannot.
func (b *book) notePayable(a *Assertion) {
	b.rules, b.refused = b.rules || a.Payable == "yes", b.refused || a.Payable == "no"
}

// renews reports whether an assertion takes the place of the one that a record has: if both take effect before the period.
// There only the last one matters, and there may be years of them.
func (b *book) renews(r *record, a *Assertion, before bool) bool {
	return r.whole == 0 && len(a.TakenOff) == 0 && before && r.flags&isBefore != 0 && b.money[r.currency] == a.Currency && !a.At.Before(b.starts[r.at])
}

// rename keeps the reference and the name that a customer was found with at g, unless an assertion has others.
func (b *book) rename(g *guess, n uint32, id, reference, name string, a *Assertion) error {
	newReference, newName := reference, name
	keep(&newReference, a.ExternalReference)
	keep(&newName, a.Name)
	if newReference == reference && newName == name {
		return nil
	}
	at, err := b.texts.add(n, b.record(n).currency, id, newReference, newName)
	if err != nil {
		return err
	}
	b.record(n).text = at
	b.index.slots[g.at].place = uint32(at) + 1
	return nil
}

// add makes a record of a customer that is not at g.
func (b *book) add(g *guess, a *Assertion, before bool) error {
	b.notePayable(a)
	currency, err := b.currency(a.Currency)
	if err != nil {
		return err
	}
	n := b.count
	at, err := b.texts.add(n, currency, a.CustomerID, a.ExternalReference, a.Name)
	if err != nil {
		return err
	}
	if b.count++; n%recordsPerPage == 0 {
		b.pages = append(b.pages, make([]record, recordsPerPage))
	}
	b.index.put(g.at, g.print, at)
	r := b.record(n)
	r.text = at
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

// fill fills a record with what an assertion says of the balance and of who can pay it.
func (b *book) fill(r *record, a *Assertion) {
	r.at, r.balance, r.sentAt = b.startOf(a.At), a.Balance, b.stampOf(a.SentAt)
	b.fillLast(r, a)
}

// fillLast fills in what only the last assertion says.
func (b *book) fillLast(r *record, a *Assertion) {
	r.due = packDate(a.DueDate)
	switch a.Payable {
	case "yes":
		r.flags = r.flags&^isUnpayable | isPayable
	case "no":
		r.flags = r.flags&^isPayable | isUnpayable
	}
}

// stampOf packs a time that is the zero time if it is not known.
func (b *book) stampOf(t time.Time) stamp { return b.times.pack(instant{t, !t.IsZero()}) }

// startOf numbers the times at which assertions take effect.
func (b *book) startOf(at time.Time) uint32 {
	if n := len(b.starts); n > 0 && b.starts[n-1] == at {
		return uint32(n - 1)
	}
	start, ok := b.start[at]
	if !ok {
		start = uint32(len(b.starts))
		b.starts, b.start[at] = append(b.starts, at), start
	}
	return start
}

// currency numbers the currencies.
func (b *book) currency(code string) (uint16, error) {
	i := slices.Index(b.money, code)
	if i < 0 {
		if len(b.money) >= math.MaxUint16 {
			return 0, errors.New("there are more than 65,535 currencies: that is no file of balances")
		}
		i, b.money = len(b.money), append(b.money, strings.Clone(code))
	}
	return uint16(i), nil
}

// currencyOf returns 1 + the number of a currency, 0 if no balance is in it.
func (b *book) currencyOf(code []byte) uint16 {
	for i, known := range b.money {
		if known == string(code) {
			return uint16(i) + 1
		}
	}
	return 0
}

// last returns what the last assertion for a customer said.
func (b *book) last(n uint32) (currency string, balance int64) {
	var o opened
	points := o.customerOf(b, n).points
	return points[len(points)-1].line.currency, points[len(points)-1].balance
}

// wholeOf returns the customer in the place of a record, or nil.
func (b *book) wholeOf(r *record) *customer {
	if r.whole == 0 || r.whole&annexed != 0 {
		return nil
	}
	return b.whole[r.whole-1]
}

// keep puts a customer in the place of its record.
func (b *book) keep(r *record, c *customer) {
	b.whole = append(b.whole, c)
	r.whole = uint32(len(b.whole))
}

// open returns a customer that can be changed; from then on it is kept in the place of the record.
func (b *book) open(n uint32) *customer {
	r := b.record(n)
	c := b.wholeOf(r)
	if c == nil {
		var o opened
		o.read(b, r)
		c = &o.customer
		b.keep(r, c)
	}
	return c
}

// reference returns the external reference of the customer that a claim names; empty if nobody asserted it. The texts of a
// record are those of its customer, whole or not, so that they can be read while payments are booked.
func (b *book) reference(c *claim) string {
	if c.customer == 0 {
		return ""
	}
	return b.texts.reference(c.texts)
}
