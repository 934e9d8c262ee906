package reconciler

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// printTable maps prints to small values, in as few bytes as they take: 40 for each event are all that a report may use.
//
// It is an open-addressing table whose entries stand in the order of their prints, near the place where a print as
// large would stand if all were spread evenly. So it works well when it is nearly full, and it grows in one pass from
// beginning to end. It consists of many small tables that do not grow at the same time.
type printTable struct {
	shards    [printShards]printShard
	keySize   int // bytes of a print that an entry keeps, beside the byte that its shard stands for
	valueSize int
	count     int
	goal      int // how many entries there will be, as far as anybody can tell; 0 for nobody can
	spilled   spill
}

const (
	printShards = 256
	printSlots  = 48 // slots of a new shard
	printSpare  = 16 // slots beyond the last place of a print
)

// printShard holds the prints with the same first byte.
type printShard struct {
	slots  []byte
	places uint64 // for prints; printSpare slots follow
	count  int
}

// printKey is a print as a table keeps it: the shard, then 8 bytes to order by, which are never 0, then the rest.
type printKey struct {
	shard uint8
	order uint64
	rest  uint64
}

// key cuts a print down to what the table keeps.
func (t *printTable) key(print [2]uint64) printKey {
	return printKey{
		shard: uint8(print[0] >> 56),
		order: max(print[0]<<8|print[1]>>56, 1),
		rest:  print[1] << 8 >> (64 - 8*(t.keySize-8)),
	}
}

func (t *printTable) size() int { return t.keySize + t.valueSize }

// entry returns the slot i of a shard.
func (t *printTable) entry(s *printShard, i uint64) []byte {
	size := uint64(t.size())
	return s.slots[i*size : i*size+size]
}

// home is the place of a print in a shard.
func (s *printShard) home(k printKey) uint64 {
	place, _ := bits.Mul64(k.order, s.places)
	return place
}

// touch reads the place of a print, so that it is on its way from memory when it is asked for.
func (t *printTable) touch(print [2]uint64) byte {
	k := t.key(print)
	s := &t.shards[k.shard]
	if s.places == 0 {
		return 0
	}
	return s.slots[s.home(k)*uint64(t.size())]
}

// find returns the value of a print, or where it belongs.
func (t *printTable) find(k printKey) (value []byte, at uint64) {
	s := &t.shards[k.shard]
	if s.places == 0 {
		return nil, 0
	}
	for at = s.home(k); ; at++ {
		if (at+1)*uint64(t.size()) > uint64(len(s.slots)) {
			return nil, at
		}
		e := t.entry(s, at)
		order := binary.LittleEndian.Uint64(e)
		if order < k.order && order != 0 {
			continue
		}
		if order != k.order {
			return nil, at
		}
		if rest := t.rest(e); rest >= k.rest {
			if rest == k.rest {
				return e[t.keySize:], at
			}
			return nil, at
		}
	}
}

// rest reads what an entry keeps of a print behind its first 8 bytes.
func (t *printTable) rest(e []byte) uint64 {
	var rest uint64
	for _, c := range e[8:t.keySize] {
		rest = rest<<8 | uint64(c)
	}
	return rest
}

// add keeps a print that find has not found at at, and returns the place of its value.
func (t *printTable) add(k printKey, at uint64) []byte {
	s := &t.shards[k.shard]
	size := uint64(t.size())
	if uint64(s.count) >= t.most(s.places) || !t.makeRoom(s, at) {
		t.grow(s, k.shard)
		_, at = t.find(k)
		for !t.makeRoom(s, at) {
			t.grow(s, k.shard)
			_, at = t.find(k)
		}
	}
	s.count++
	t.count++
	e := s.slots[at*size : at*size+size]
	t.write(e, k)
	return e[t.keySize:]
}

func (t *printTable) write(e []byte, k printKey) {
	binary.LittleEndian.PutUint64(e, k.order)
	for i, rest := t.keySize-1, k.rest; i >= 8; i-- {
		e[i], rest = byte(rest), rest>>8
	}
}

// most is how many entries a shard may have. A table that is made for all that come gets nearly full at the end only; any
// other one is nearly full time and again, and entries are moved the more, the fuller it is.
func (t *printTable) most(places uint64) uint64 {
	if t.goal > 0 {
		return places / 16 * 15
	}
	return places / 8 * 7
}

// makeRoom moves the entries from at on by one slot, up to the next free one. It reports false if there is none.
func (t *printTable) makeRoom(s *printShard, at uint64) bool {
	size := uint64(t.size())
	end := uint64(len(s.slots))
	free := at * size
	for free < end && binary.LittleEndian.Uint64(s.slots[free:]) != 0 {
		free += size
	}
	if free >= end {
		return false
	}
	copy(s.slots[at*size+size:free+size], s.slots[at*size:free])
	return true
}

// grow moves a shard into a larger one.
func (t *printTable) grow(s *printShard, number uint8) {
	old := *s
	places := t.larger(old.places, number)
	size := uint64(t.size())
	for {
		*s = printShard{places: places, slots: make([]byte, (places+printSpare)*size), count: old.count}
		if t.move(s, old.slots) {
			return
		}
		places += places/8 + 1
	}
}

// larger returns the places of a shard that must grow. It grows by a fifth, and if it is known how many entries there will
// be, up to what these need, but no more than twice as large. Without, the first sizes differ from shard to shard, and so do
// all later ones.
func (t *printTable) larger(places uint64, number uint8) uint64 {
	if places == 0 {
		return printSlots + uint64(number)*printSlots/(5*printShards)
	}
	if t.goal < t.count {
		return places * 6 / 5
	}
	each := uint64(t.goal / printShards)
	each += 4 * uint64(math.Sqrt(float64(each))) // no shard has exactly as many as the others; no money
	return min(max(each/15*16+16, places*17/16), 2*places)
}

// move copies entries in their order. It reports false if they do not fit behind one another.
func (t *printTable) move(s *printShard, entries []byte) bool {
	size := uint64(t.size())
	next := uint64(0)
	for ; len(entries) > 0; entries = entries[size:] {
		order := binary.LittleEndian.Uint64(entries)
		if order == 0 {
			continue
		}
		at := max(next, s.home(printKey{order: order})*size)
		if at >= uint64(len(s.slots)) {
			return false
		}
		copy(s.slots[at:], entries[:size])
		next = at + size
	}
	return true
}
