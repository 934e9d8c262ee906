package reconciler

import "slices"

// neighbours finds, among some ids, those that may be one edit away from a text, without comparing it with each of them:
// two texts that one edit makes equal are equal, or one equals the other without some character, or both are equal without
// a character each. So each id is entered under the hashes of itself and of itself without each of its characters.
type neighbours struct {
	byHash map[uint64][]int
	marks  [neighbourMarks / 64]uint64 // a bit for each hash that is there: nearly all that are asked for are not
	hashes []uint64                    // of the text that was asked for last
	found  []int
}

const (
	neighbourMarks = 1 << 21
	// hashFactor is any large odd number. The hash need not withstand anybody: what it finds is compared.
	hashFactor = 0x9e3779b97f4a7c15
)

// add enters an id under a number.
func (n *neighbours) add(id string, number int) {
	if n.byHash == nil {
		n.byHash = map[uint64][]int{}
	}
	for _, h := range n.hash(id) {
		mark := h >> 43
		n.marks[mark/64] |= 1 << (mark % 64)
		if list := n.byHash[h]; len(list) == 0 || list[len(list)-1] != number {
			n.byHash[h] = append(list, number)
		}
	}
}

// find returns the numbers of the ids that may be one edit away from one of the texts, in ascending order, each once. It is
// valid until the next call.
func (n *neighbours) find(texts ...string) []int {
	n.found = n.found[:0]
	if n.byHash == nil {
		return nil
	}
	for _, text := range texts {
		for _, h := range n.hash(text) {
			if mark := h >> 43; n.marks[mark/64]&(1<<(mark%64)) != 0 {
				n.found = append(n.found, n.byHash[h]...)
			}
		}
	}
	slices.Sort(n.found)
	return slices.Compact(n.found)
}

// hash returns the hashes of a text and of it without each of its characters.
func (n *neighbours) hash(text string) []uint64 {
	n.hashes = n.hashes[:0]
	whole := uint64(0)
	for i := range len(text) {
		whole = whole*hashFactor + uint64(text[i]) + 1
	}
	n.hashes = append(n.hashes, whole)
	// From the end on: what stands behind the character as it is, what stands before it moved up by one.
	behind, before, power := uint64(0), whole, uint64(1)
	inverse := inverseOf(hashFactor)
	for i := len(text) - 1; i >= 0; i-- {
		c := uint64(text[i]) + 1
		before = (before - c) * inverse
		n.hashes = append(n.hashes, before*power+behind)
		behind += c * power
		power *= hashFactor
	}
	return n.hashes
}

// inverseOf returns what an odd number must be multiplied with to give 1, modulo 2 to the 64th.
func inverseOf(odd uint64) uint64 {
	inverse := odd // right in the last three bits; each step doubles them
	for range 5 {
		inverse *= 2 - odd*inverse
	}
	return inverse
}
