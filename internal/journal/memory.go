package journal

import (
	"crypto/sha256"
	"encoding/binary"
)

const (
	// rememberDays is of how many days a starting writer reads the deliveries
	// again: senders retry for days.
	rememberDays = 5

	// smallRoom is for how many deliveries a memory has room at first. Few
	// journals need more, and those get all the room at once.
	smallRoom = 1 << 15
)

// memory knows the last deliveries on disk, as many as there is room for: pairs
// of webhook-id and body. What it forgets is written a second time if it comes
// again, and counted once all the same, because reconciling tells events apart
// by their own id.
//
// It takes 20 bytes a pair, of which nothing is a pointer, so that it costs the
// garbage collector nothing, and does not grow beyond its room however many
// deliveries come.
type memory struct {
	room  int
	ring  []pair   // in the order in which they came; the oldest is overwritten
	next  int      // where in the ring the next one goes
	slots []uint32 // place in the ring plus 1, by the hash of the pair; 0 is free. At most half are taken
}

// pair is a webhook-id with a body, hashed: 96 bits, which nobody meets twice.
type pair [12]byte

func newMemory(room int) *memory {
	m := &memory{room: max(room, 1)}
	m.resize(min(m.room, smallRoom))
	return m
}

func pairOf(id string, body []byte) pair {
	var few [256 + sha256.Size]byte
	sum := sha256.Sum256(body)
	all := append(append(few[:0], sum[:]...), id...)
	sum = sha256.Sum256(all)
	return pair(sum[:12])
}

// resize makes room for n pairs.
func (m *memory) resize(n int) {
	size := 2
	for size < 2*n {
		size *= 2
	}
	m.slots = make([]uint32, size)
	m.ring = append(make([]pair, 0, n), m.ring...)
	for place := range m.ring {
		m.slots[m.find(m.ring[place])] = uint32(place + 1)
	}
}

// find returns the slot of p, or the free one where it would be.
func (m *memory) find(p pair) int {
	i := m.home(p)
	for m.slots[i] != 0 && m.ring[m.slots[i]-1] != p {
		i = (i + 1) & (len(m.slots) - 1)
	}
	return i
}

// home returns the slot in which the search for p begins.
func (m *memory) home(p pair) int {
	return int(binary.LittleEndian.Uint32(p[:])) & (len(m.slots) - 1)
}

func (m *memory) knows(p pair) bool { return m.slots[m.find(p)] != 0 }

// add remembers p, and forgets the oldest if there is no room.
func (m *memory) add(p pair) {
	if m.knows(p) {
		return
	}
	if len(m.ring) == cap(m.ring) && len(m.ring) < m.room {
		m.resize(m.room)
	}
	if len(m.ring) < cap(m.ring) {
		m.ring = append(m.ring, p)
	} else {
		m.free(m.find(m.ring[m.next]))
		m.ring[m.next] = p
	}
	m.slots[m.find(p)] = uint32(m.next + 1)
	m.next = (m.next + 1) % m.room
}

// free empties slot i and moves up what stands behind it only because the slot
// was taken, so that every search still ends at the first free slot.
func (m *memory) free(i int) {
	mask := len(m.slots) - 1
	for j := (i + 1) & mask; m.slots[j] != 0; j = (j + 1) & mask {
		home := m.home(m.ring[m.slots[j]-1])
		if (j-home)&mask >= (j-i)&mask {
			m.slots[i] = m.slots[j]
			i = j
		}
	}
	m.slots[i] = 0
}
