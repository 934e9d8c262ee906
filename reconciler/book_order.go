package reconciler

import (
	"encoding/binary"
	"iter"
	"slices"
	"strings"
)

// order numbers the customers by external reference, then id.
func (b *book) order() []uint32 {
	type key struct {
		prefix uint64
		n      uint32
	}
	reference := func(n uint32) string { return b.texts.reference(b.record(n).text) }
	common, keys := b.commonPrefix(), make([]key, b.count)
	for n := range b.count {
		var prefix [8]byte
		copy(prefix[:], reference(n)[common:])
		keys[n] = key{binary.BigEndian.Uint64(prefix[:]), n}
	}
	slices.SortFunc(keys, func(x, y key) int {
		switch {
		case x.prefix < y.prefix:
			return -1
		case x.prefix > y.prefix:
			return 1
		}
		if order := strings.Compare(reference(x.n), reference(y.n)); order != 0 {
			return order
		}
		return strings.Compare(b.texts.id(b.record(x.n).text), b.texts.id(b.record(y.n).text))
	})
	order := make([]uint32, len(keys))
	for i, k := range keys {
		order[i] = k.n
	}
	return order
}

// commonPrefix returns how many bytes all references begin with.
func (b *book) commonPrefix() int {
	if b.count == 0 {
		return 0
	}
	reference := func(n uint32) string { return b.texts.reference(b.record(n).text) }
	first := reference(0)
	common := len(first)
	for n := range b.count {
		other := reference(n)
		common = min(common, len(other))
		for common > 0 && other[:common] != first[:common] {
			common--
		}
	}
	return common
}

// all yields the customers in an order, or as they came if it is nil. Each is valid until the next one.
func (b *book) all(order []uint32) iter.Seq[*customer] {
	if order == nil {
		return func(yield func(*customer) bool) {
			var o opened
			for n := range b.count {
				if !yield(o.customerOf(b, n)) {
					return
				}
			}
		}
	}
	return func(yield func(*customer) bool) {
		var o opened
		for some := range slices.Chunk(order, customersAhead) {
			o.near ^= b.touch(some)
			for _, n := range some {
				if !yield(o.customerOf(b, n)) {
					return
				}
			}
		}
	}
}

// customersAhead is how many customers are asked for together, so that they wait for memory together.
const customersAhead = 16

// touch has customers brought near.
func (b *book) touch(some []uint32) (near byte) {
	for _, n := range some {
		near ^= b.record(n).slot
	}
	for _, n := range some {
		near ^= b.texts.touch(b.record(n).text)
	}
	return near
}

// customerOf returns a customer, in o unless it has a place of its own.
func (o *opened) customerOf(b *book, n uint32) *customer {
	r := b.record(n)
	if c := b.wholeOf(r); c != nil {
		return c
	}
	o.read(b, r)
	return &o.customer
}
