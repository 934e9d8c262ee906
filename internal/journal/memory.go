package journal

import (
	"crypto/sha256"
	"time"
)

const (
	// rememberDays is how long a delivery is remembered at least, as long as
	// there is room: senders retry for days.
	rememberDays = 5

	// generations is into how many parts the room is split; the oldest part is
	// forgotten at once.
	generations = 8
)

// memory knows which deliveries are on disk: pairs of webhook-id and body. It
// is bounded by days and by number. What it forgets is written a second time if
// it comes again, and counted once all the same, because reconciling tells
// events apart by their own id.
type memory struct {
	room int // pairs
	held int
	gens []*generation // oldest first
}

type generation struct {
	day   time.Time // UTC day of the youngest pair
	pairs map[pair]struct{}
}

// pair is a webhook-id with a body, hashed: 128 bits, which nobody meets twice.
type pair [16]byte

func newMemory(room int) *memory { return &memory{room: room} }

func pairOf(id string, body []byte) pair {
	var few [256 + sha256.Size]byte
	sum := sha256.Sum256(body)
	all := append(append(few[:0], sum[:]...), id...)
	sum = sha256.Sum256(all)
	return pair(sum[:16])
}

func (m *memory) knows(p pair) bool {
	for i := len(m.gens) - 1; i >= 0; i-- {
		if _, ok := m.gens[i].pairs[p]; ok {
			return true
		}
	}
	return false
}

// add remembers p, received at now.
func (m *memory) add(p pair, now time.Time) {
	today := now.UTC().Truncate(24 * time.Hour)
	n := len(m.gens)
	if n == 0 || m.gens[n-1].day.Before(today) || len(m.gens[n-1].pairs) > m.room/generations {
		m.forget(today)
		m.gens = append(m.gens, &generation{day: today, pairs: make(map[pair]struct{})})
		n = len(m.gens)
	}
	m.gens[n-1].pairs[p] = struct{}{}
	m.held++
}

// forget drops what is older than rememberDays or beyond the room.
func (m *memory) forget(today time.Time) {
	oldest := today.AddDate(0, 0, -rememberDays-1)
	for len(m.gens) > 0 && (m.gens[0].day.Before(oldest) || m.held >= m.room) {
		m.held -= len(m.gens[0].pairs)
		m.gens[0] = nil
		m.gens = m.gens[1:]
	}
}
