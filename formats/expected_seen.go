package formats

import (
	"hash/maphash"
	"strings"
)

// expectedSeen remembers which customers stood in an expected file, with which figures, in 32 bytes each: a file may have
// millions. A customer is told from others by 128 bits of a keyed hash, so that nobody can make two that share them.
type expectedSeen struct {
	seeds      [2]maphash.Seed
	slots      []expectedFigures // open addressing
	count      int
	currencies []string
	last       int // the currency that was asked for last
}

// expectedFigures are what must agree when a customer is there twice. currency is 1 + its number; 0 marks a free slot.
type expectedFigures struct {
	print    [2]uint64
	balance  int64
	currency uint32
}

func newExpectedSeen() *expectedSeen {
	return &expectedSeen{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, slots: make([]expectedFigures, 1024)}
}

// currency returns one copy of a currency for all rows, so that none keeps the text of its row in memory.
func (s *expectedSeen) currency(code string) string {
	if s.last < len(s.currencies) && s.currencies[s.last] == code {
		return s.currencies[s.last]
	}
	for s.last = range s.currencies {
		if s.currencies[s.last] == code {
			return s.currencies[s.last]
		}
	}
	s.currencies = append(s.currencies, strings.Clone(code))
	s.last = len(s.currencies) - 1
	return s.currencies[s.last]
}

// add remembers a row whose currency was asked for last. again tells whether its customer was there before, same whether
// it was with these figures.
func (s *expectedSeen) add(row *ExpectedRow) (again, same bool) {
	f := expectedFigures{balance: row.Balance, currency: uint32(s.last) + 1}
	for i, seed := range s.seeds {
		f.print[i] = maphash.String(seed, row.CustomerID)
	}
	at := s.place(f.print)
	if earlier := s.slots[at]; earlier.currency != 0 {
		return true, earlier == f
	}
	s.slots[at] = f
	if s.count++; s.count > len(s.slots)/4*3 {
		old := s.slots
		s.slots = make([]expectedFigures, 2*len(old))
		for _, f := range old {
			if f.currency != 0 {
				s.slots[s.place(f.print)] = f
			}
		}
	}
	return false, false
}

// place returns the slot of a print, or the free one where it belongs.
func (s *expectedSeen) place(print [2]uint64) int {
	at := int(print[0]) & (len(s.slots) - 1)
	for s.slots[at].currency != 0 && s.slots[at].print != print {
		at = (at + 1) & (len(s.slots) - 1)
	}
	return at
}
