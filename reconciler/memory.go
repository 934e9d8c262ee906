package reconciler

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"tallyman/formats"
)

// digest is the first half of a SHA-256: short enough to keep, long enough that no two texts of a journal share one, by
// accident or on purpose.
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
//
// An event is told from others by 96 bits of a keyed hash of its id, and its data by 48 bits: a wrong "duplicate" takes
// both to agree by accident, or two data of one id, of which there are few, and then by 1 in 280 million million. Among 20 million ids two share those 96
// bits with a chance of 1 in 400 million million, and then an event is held as conflicting, in sight. The money key has
// 88 bits. Nobody outside knows the key, so nobody can aim.
type memory struct {
	first  printTable             // by event id: the data it came with first
	others map[[2]uint64][]uint64 // by event id: the other data it came with
	money  printTable             // by obligation, payment, customer and sign: the first amount
	large  map[[2]uint64]int64    // amounts that do not fit into 32 bits
	bodies map[digest]int64       // by body: how often it was named in an exception

	limit int64 // of bytes that first and money may take in memory; 0 for none
}

const (
	idKeySize, dataSize      = 11, 6
	moneyKeySize, amountSize = 10, 4

	// leastMemory is what events may take however low the limit is: below it, nothing would be saved.
	leastMemory = 1 << 20

	// noAmount marks an amount that is kept in memory.large.
	noAmount = math.MinInt32
)

func newMemory(create func() (SpillFile, error)) memory {
	return memory{
		first:  printTable{keySize: idKeySize, valueSize: dataSize, spilled: spill{create: create}},
		others: map[[2]uint64][]uint64{},
		money:  printTable{keySize: moneyKeySize, valueSize: amountSize, spilled: spill{create: create}},
		large:  map[[2]uint64]int64{},
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
func (m *memory) see(p *formats.EventPrints) (repetition, error) {
	k := m.first.key(p.ID)
	value, at, err := m.first.look(k)
	if err != nil {
		return unseen, err
	}
	if value == nil {
		putData(m.first.add(k, at), p.Data)
		return unseen, nil
	}
	if data(value) == p.Data&dataMask {
		return repeated, nil
	}
	for _, other := range m.others[p.ID] {
		if other == p.Data {
			return repeated, nil
		}
	}
	m.others[p.ID] = append(m.others[p.ID], p.Data)
	return conflicting, nil
}

// dataMask is the part of a print of data that is kept.
const dataMask = 1<<(8*dataSize) - 1

func putData(value []byte, print uint64) {
	binary.LittleEndian.PutUint32(value, uint32(print))
	binary.LittleEndian.PutUint16(value[4:], uint16(print>>32))
}

func data(value []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(value)) | uint64(binary.LittleEndian.Uint16(value[4:]))<<32
}

// look finds a print in memory or on disk.
func (t *printTable) look(k printKey) (value []byte, at uint64, err error) {
	if value, at = t.find(k); value == nil {
		value, err = t.spilled.find(t, k)
	}
	return value, at, err
}

// goOn takes note that so many bytes of the journal are behind and so many ahead, which tells how large the tables will be.
func (m *memory) goOn(behind, ahead int64) {
	for _, t := range [...]*printTable{&m.first, &m.money} {
		if t.goal = 0; behind > 0 && m.limit == 0 {
			t.goal = int(float64(t.count) * (1 + float64(ahead)/float64(behind))) // of entries, no money
		}
	}
}

// shrink moves to disk what is more than may be kept in memory.
func (m *memory) shrink() error {
	if m.limit == 0 || m.first.bytes()+m.money.bytes() <= m.limit {
		return nil
	}
	if err := m.first.spillTo(&m.first.spilled); err != nil {
		return err
	}
	return m.money.spillTo(&m.money.spilled)
}

// pay remembers the money key of an event, the pair of obligation and payment with the customer (Moment does not say
// whether data.id names the obligation or one application of money), and returns the amount of the first event with the
// same key and sign. An event that lacks one of the three resembles none.
func (m *memory) pay(p *formats.EventPrints, amount int64) (earlier int64, again bool, err error) {
	if !p.HasMoney {
		return 0, false, nil
	}
	k := m.money.key(p.Money)
	value, at, err := m.money.look(k)
	if err != nil {
		return 0, false, err
	}
	if value != nil {
		if short := int32(binary.LittleEndian.Uint32(value)); short != noAmount {
			return int64(short), true, nil
		}
		return m.large[p.Money], true, nil
	}
	short := int32(noAmount)
	if amount > math.MinInt32 && amount <= math.MaxInt32 {
		short = int32(amount)
	} else {
		m.large[p.Money] = amount
	}
	binary.LittleEndian.PutUint32(m.money.add(k, at), uint32(short))
	return 0, false, nil
}

// touch has what see and pay will ask for brought near.
func (m *memory) touch(p *formats.EventPrints) byte {
	near := m.first.touch(p.ID)
	if p.HasMoney {
		near ^= m.money.touch(p.Money)
	}
	return near
}

// name counts how often a body was named in an exception for a reason, this time included.
func (m *memory) name(reason string, body []byte) int64 {
	key := digestOf(reason, string(body))
	m.bodies[key]++
	return m.bodies[key]
}
