package formats

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"strconv"
)

// EventPrints tell an event from others without keeping its text. They are keyed hashes: the key is drawn at random for
// every reconciliation and shown to nobody, so that no sender can aim at a collision, and an accidental one has the
// probability that each field states. Prints are never written anywhere.
type EventPrints struct {
	ID    [2]uint64 // of the event id, 128 bits
	Money [2]uint64 // of obligation, payment, customer and the amount's sign, 128 bits; see HasMoney
	Data  uint64    // of data: equal for two data that are equal as JSON, and for others by a chance of 1 in 2^64
	// HasMoney says that obligation, payment and customer are all there.
	HasMoney bool
}

// EventKey is what prints are made with. It is safe for concurrent use.
type EventKey struct {
	seed, other maphash.Seed
	names       [len(dataNames)]nameKey
	money       [6]uint64
}

// NewEventKey draws a key.
func NewEventKey() *EventKey {
	k := &EventKey{seed: maphash.MakeSeed(), other: maphash.MakeSeed()}
	for i, name := range dataNames {
		k.names[i] = k.name([]byte(name), 0)
	}
	for i := range k.money {
		k.money[i] = maphash.String(k.other, "money "+strconv.Itoa(i))
	}
	return k
}

// nameKey is the key for the values of one member. The print of data is the sum of its members' prints, each under the
// key of its name, so that their order does not count.
type nameKey struct{ a, b uint64 }

// The kinds of values. A number and a string with the same digits are different.
const (
	printText    = 0
	printInteger = 0x9e3779b97f4a7c15
	printOther   = 0xc2b2ae3d27d4eb4f
)

// mix multiplies to 128 bits and folds them.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func (n nameKey) text(hash uint64) uint64 { return mix(hash^n.a, n.b^printText) }

func (n nameKey) integer(v int64) uint64 { return mix(mix(uint64(v)^n.b, n.a)^n.a, n.b^printInteger) }

func (n nameKey) other(k *EventKey, canonical []byte) uint64 {
	return mix(k.text(canonical)^n.a, n.b^printOther)
}

// name returns the key for a member's values: the first of that name in data, the second and so on.
func (k *EventKey) name(name []byte, before int) nameKey {
	return nameKey{maphash.Bytes(k.seed, name) + uint64(before)*printOther, maphash.Bytes(k.other, name)}
}

func (k *EventKey) text(text []byte) uint64 { return maphash.Bytes(k.seed, text) }

// value returns the print of any well-formed value.
func (n nameKey) value(k *EventKey, c *canonicalizer, value []byte) uint64 {
	switch first := value[0]; {
	case first == '"' && bytes.IndexByte(value, '\\') < 0:
		return n.text(k.text(value[1 : len(value)-1]))
	case first == '"':
		return n.text(k.text(appendUnquoted(nil, value)))
	}
	c.out, c.keys, c.members = c.out[:0], c.keys[:0], c.members[:0]
	c.value(value)
	if v, ok := canonicalInteger(c.out); ok {
		return n.integer(v)
	}
	return n.other(k, c.out)
}

// canonicalInteger reads the canonical form of a number, if it is one within int64: a sign, digits, and how many zeros
// follow them.
func canonicalInteger(form []byte) (int64, bool) {
	if form[0] != '#' {
		return 0, false
	}
	digits, exponent, _ := bytes.Cut(form[1:len(form)-1], []byte("e"))
	zeros := 0
	if len(exponent) > 0 {
		n, err := strconv.Atoi(string(exponent))
		if err != nil || n < 0 || n > 18 {
			return 0, false
		}
		zeros = n
	}
	v, err := strconv.ParseInt(string(append(bytes.Clone(digits), "000000000000000000"[:zeros]...)), 10, 64)
	return v, err == nil
}

// data returns the print of the object data.
func (k *EventKey) data(c *canonicalizer, object []byte) uint64 {
	var sum uint64
	before := map[string]int{}
	s := jsonScanner{text: object}
	s.object(func(key, value []byte) {
		name := appendUnquoted(nil, key)
		sum += k.name(name, before[string(name)]).value(k, c, value)
		before[string(name)]++
	})
	return sum
}

// identify sets the prints beside that of data, from those of the texts of obligation, payment and customer where they are
// there.
func (k *EventKey) identify(f *EventFields, obligation, payment, customer uint64) {
	p := &f.Prints
	p.ID = [2]uint64{maphash.Bytes(k.seed, f.ID), maphash.Bytes(k.other, f.ID)}
	p.HasMoney = len(f.ObligationID) > 0 && len(f.PaymentID) > 0 && len(f.CustomerID) > 0
	if !p.HasMoney {
		return
	}
	if f.Amount < 0 {
		customer = ^customer
	}
	pair := mix(obligation^k.money[0], payment^k.money[1])
	p.Money[0] = mix(pair^k.money[2], customer^k.money[3])
	p.Money[1] = mix(payment^k.money[4]^bits.RotateLeft64(obligation, 32), customer^pair^k.money[5])
}
