package reconciler

import "math/bits"

// bookIndex finds the texts of a customer by a keyed hash of its id, with open addressing. A slot has the place of the texts
// and half of the hash: by that nearly every other customer is told apart without a look at its texts, which would wait for
// memory, and a slot finds its home in a larger index.
type bookIndex struct {
	slots []indexSlot
	count int
}

type indexSlot struct {
	print uint32
	place uint32 // 1 + that of the texts; 0 for a free slot
}

// indexFull are the tenths of an index that may be taken.
const indexFull = 8

func newBookIndex(slots int) bookIndex { return bookIndex{slots: make([]indexSlot, slots)} }

// printOf is the part of a hash that a slot keeps.
func printOf(hash uint64) uint32 { return uint32(hash >> 32) }

// home is where the search for a print begins.
func (x *bookIndex) home(print uint32) int {
	at, _ := bits.Mul64(uint64(print)<<32, uint64(len(x.slots)))
	return int(at)
}

// next returns the first slot from at on that is free or has the print.
func (x *bookIndex) next(at int, print uint32) int {
	for ; ; at++ {
		if at == len(x.slots) {
			at = 0
		}
		if s := &x.slots[at]; s.place == 0 || s.print == print {
			return at
		}
	}
}

// put enters a place, at the free slot at which the search for its print ended.
func (x *bookIndex) put(at int, print uint32, p place) {
	x.slots[at] = indexSlot{print, uint32(p) + 1}
	x.count++
	x.reserve(0)
}

// reserve makes a larger index if some more customers would make this one too full.
func (x *bookIndex) reserve(some int) {
	if x.count+some <= len(x.slots)/10*indexFull {
		return
	}
	old := x.slots
	x.slots = make([]indexSlot, len(old)/2*3)
	for _, s := range old {
		if s.place == 0 {
			continue
		}
		at := x.home(s.print)
		for x.slots[at].place != 0 {
			if at++; at == len(x.slots) {
				at = 0
			}
		}
		x.slots[at] = s
	}
}
