package sandbox

import (
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"
)

// book holds the customers and idempotency keys of one mode. Its lock is held
// for map look-ups only, never while something is encoded or sent.
type book struct {
	mu     sync.Mutex
	order  []*record
	byID   map[string]*record
	byRef  map[string]*record // the first of its reference
	twice  []string           // references that were created again
	keys   map[string]*keyEntry
	stale  staleness
	unique bool
}

// record is a customer and how often it was asked for while reads lag.
type record struct {
	customer Customer
	created  time.Time
	reads    int
}

// staleness says how long a new customer stays invisible to reads.
type staleness struct {
	reads int
	span  time.Duration
}

func newBook(stale staleness, unique bool) *book {
	return &book{
		byID: map[string]*record{}, byRef: map[string]*record{}, keys: map[string]*keyEntry{},
		stale: stale, unique: unique,
	}
}

// mint returns a new Moment id: the prefix and 26 letters and digits.
func mint(prefix string) string {
	return prefix + rand.Text()
}

// create adds c and reports whether its reference was free. Without uniqueness
// it always is.
func (b *book) create(c Customer, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.insert(&record{customer: c, created: now})
}

// addSeen is create for a customer that reads have long since caught up with.
func (b *book) addSeen(c Customer) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.insert(&record{customer: c, reads: b.stale.reads})
}

func (b *book) insert(r *record) bool {
	reference := r.customer.ExternalReference
	if _, taken := b.byRef[reference]; !taken {
		b.byRef[reference] = r
	} else if b.unique {
		return false
	} else {
		b.twice = append(b.twice, reference)
	}
	b.byID[r.customer.ID] = r
	b.order = append(b.order, r)
	return true
}

// find needs the lock. An id cannot be mistaken for a reference, since
// references must not begin with its prefix.
func (b *book) find(name string) *record {
	if strings.HasPrefix(name, reservedPrefix) {
		return b.byID[name]
	}
	return b.byRef[name]
}

// read is what GET sees, which may lag behind.
func (b *book) read(name string, now time.Time) (Customer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.find(name)
	if r == nil {
		return Customer{}, false
	}
	if r.reads < b.stale.reads || now.Sub(r.created) < b.stale.span {
		r.reads++
		return Customer{}, false
	}
	return r.customer, true
}

// truth is what there is.
func (b *book) truth(name string) (Customer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.find(name); r != nil {
		return r.customer, true
	}
	return Customer{}, false
}

// update applies a change and returns the customer after it, or what the change
// breaks.
func (b *book) update(name string, ch change) (c Customer, faults []string, found bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.find(name)
	if r == nil {
		return Customer{}, nil, false
	}
	if ch.reference != nil && *ch.reference != r.customer.ExternalReference {
		faults = append(faults, "external_reference cannot be changed")
	}
	c = r.customer.with(ch)
	if len(c.Metadata) > maxMetadata {
		faults = append(faults, "metadata must have at most 10 keys, those already there included")
	}
	if len(faults) > 0 {
		return Customer{}, faults, true
	}
	r.customer = c
	return c, nil, true
}

// lower takes amount off the balance of a customer that has one in the same
// currency.
func (b *book) lower(id, currency string, amount int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.byID[id]
	if r == nil || r.customer.Balance == nil || r.customer.Currency != currency {
		return
	}
	left := *r.customer.Balance - amount
	r.customer.Balance = &left
}

// all returns every customer in order of creation.
func (b *book) all() []Customer {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Customer, len(b.order))
	for i, r := range b.order {
		out[i] = r.customer
	}
	return out
}

// duplicates returns the references that more than one customer has, sorted.
func (b *book) duplicates() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := slices.Clone(b.twice)
	slices.Sort(out)
	return slices.Compact(out)
}
