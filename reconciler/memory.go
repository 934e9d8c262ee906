package reconciler

import (
	"crypto/sha256"
	"encoding/binary"

	"tallyman/formats"
)

// digest is the first half of a SHA-256: short enough to keep for every event, long enough that no two texts of a
// journal share one, by accident or on purpose.
type digest [16]byte

// digestOf hashes texts in order; each carries its length, so that none can run into the next.
func digestOf(texts ...string) digest {
	var buffer [256]byte
	b := buffer[:0]
	for _, text := range texts {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	sum := sha256.Sum256(b)
	return digest(sum[:16])
}

// memory is what must be remembered of earlier events to know a repeated one.
type memory struct {
	first  map[digest]formats.DataHash   // by event id: the data it came with first
	others map[digest][]formats.DataHash // by event id: the other data it came with
	money  map[digest]int64              // by obligation, payment, customer and sign: the first amount
	bodies map[digest]int64              // by body: how often it was named in an exception
}

func newMemory() memory {
	return memory{
		first:  map[digest]formats.DataHash{},
		others: map[digest][]formats.DataHash{},
		money:  map[digest]int64{},
		bodies: map[digest]int64{},
	}
}

// repetition is how an event relates to the earlier ones of its id.
type repetition int

const (
	unseen      repetition = iota // the id is new
	repeated                      // an earlier one had the same data
	conflicting                   // earlier ones had other data
)

// see remembers an event and tells how it relates to the earlier ones of its id.
func (m *memory) see(id string, data formats.DataHash) repetition {
	key := digestOf(id)
	first, again := m.first[key]
	if !again {
		m.first[key] = data
		return unseen
	}
	if first == data {
		return repeated
	}
	for _, other := range m.others[key] {
		if other == data {
			return repeated
		}
	}
	m.others[key] = append(m.others[key], data)
	return conflicting
}

// pay remembers the money key of an event, the pair of obligation and payment with the customer (Moment does not say
// whether data.id names the obligation or one application of money), and returns the amount of the first event with the
// same key and sign. An event that lacks one of the three resembles none.
func (m *memory) pay(e *event) (amount int64, again bool) {
	if e.ObligationID == "" || e.PaymentID == "" || e.CustomerID == "" {
		return 0, false
	}
	sign := "+"
	if e.Amount < 0 {
		sign = "-"
	}
	key := digestOf(e.ObligationID, e.PaymentID, e.CustomerID, sign)
	amount, again = m.money[key]
	if !again {
		m.money[key] = e.Amount
	}
	return amount, again
}

// name counts how often a body was named in an exception for a reason, this time included.
func (m *memory) name(reason string, body []byte) int64 {
	key := digestOf(reason, string(body))
	m.bodies[key]++
	return m.bodies[key]
}
