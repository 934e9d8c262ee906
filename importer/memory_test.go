package importer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"tallyman/formats"
)

// memory is a ledger without a disk, for simulations: what TestMemoryIsLikeTheLedger says of it holds.
type memory struct {
	mu        sync.Mutex
	files     []*memoryFile
	customers map[string]memoryCustomer // by reference
	payments  []memoryPayment
	// fault, if set, is asked before each write; an error keeps the write from being done.
	fault func() error
}

type memoryFile struct {
	memory     *memory
	id         int
	date       string
	rows       map[int]Row
	superseded map[int]bool
}

type memoryCustomer struct {
	Standing
	by *memoryFile
}

type memoryPayment struct {
	event    string
	customer string
	at       time.Time
	currency string
	amount   int64
}

var _ Ledger = (*memoryFile)(nil)

func newMemory() *memory { return &memory{customers: map[string]memoryCustomer{}} }

// begin returns the records of a file that is new.
func (m *memory) begin(date string) *memoryFile {
	f := &memoryFile{memory: m, id: len(m.files) + 1, date: date, rows: map[int]Row{}, superseded: map[int]bool{}}
	m.files = append(m.files, f)
	return f
}

func (m *memory) pay(p memoryPayment) { m.payments = append(m.payments, p) }

func (f *memoryFile) newerThan(o *memoryFile) bool {
	return f.date > o.date || f.date == o.date && f.id > o.id
}

func unanswered(r Row) bool {
	return r.Operation != operationNone && (r.Result.Outcome == "" || r.Result.Outcome == formats.InDoubt)
}

func (f *memoryFile) Standings(_ context.Context, references []string) (map[string]Standing, error) {
	m := f.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	known := map[string]Standing{}
	for _, reference := range references {
		c, ok := m.customers[reference]
		s := c.Standing
		if ok {
			s.Newer = c.by.newerThan(f)
			for _, p := range m.payments {
				if p.customer != s.CustomerID || !p.at.After(s.SentAt) {
					continue
				}
				s.Paid = true
				if p.currency == s.Asserted.Currency {
					s.PaidSince = s.PaidSince.Add(p.amount)
				}
			}
		}
		for _, other := range m.files {
			if other == f {
				continue
			}
			for _, number := range sortedNumbers(other.rows) {
				r := other.rows[number]
				if r.Result.ExternalReference != reference || !unanswered(r) || other.superseded[number] {
					continue
				}
				ok, s.Unresolved, s.NewerOpen = true, true, s.NewerOpen || other.newerThan(f)
				says := formats.Customer{Currency: r.Result.Currency, Balance: r.Result.Balance}
				if less, ok := lowered(says, sumOff(r.TakenOff)); ok {
					says = less
				}
				s.Doubted = append(s.Doubted, says)
			}
		}
		if ok {
			known[reference] = s
		}
	}
	return known, nil
}

func sortedNumbers(rows map[int]Row) []int {
	numbers := make([]int, 0, len(rows))
	for n := range rows {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers
}

func (f *memoryFile) Payments(_ context.Context, since time.Time, references []string) (map[string][]Payment, error) {
	m := f.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	paid := map[string][]Payment{}
	for _, reference := range references {
		s, known := m.customers[reference]
		for _, p := range m.payments {
			if known && p.customer == s.CustomerID && !p.at.Before(since) {
				paid[reference] = append(paid[reference], Payment{
					TakenOff: formats.TakenOff{EventID: p.event, Amount: p.amount}, Currency: p.currency, News: p.at.After(s.SentAt),
				})
			}
		}
	}
	return paid, nil
}

func (f *memoryFile) Rows(_ context.Context, from, to int) ([]*Row, error) {
	f.memory.mu.Lock()
	defer f.memory.mu.Unlock()
	var rows []*Row
	for n := from; n <= to; n++ {
		if r, ok := f.rows[n]; ok {
			rows = append(rows, &r)
		}
	}
	return rows, nil
}

func (f *memoryFile) Plan(_ context.Context, rows []*Row, finished []Finished) error {
	if err := f.memory.check(); err != nil {
		return err
	}
	f.memory.mu.Lock()
	defer f.memory.mu.Unlock()
	for _, r := range rows {
		f.put(*r)
	}
	f.finish(finished)
	return nil
}

func (f *memoryFile) Record(_ context.Context, advances []Advance, finished []Finished) error {
	if err := f.memory.check(); err != nil {
		return err
	}
	f.memory.mu.Lock()
	defer f.memory.mu.Unlock()
	for _, a := range advances {
		f.put(a.Row)
		if a.CustomerID != "" {
			f.memory.customers[a.Found.ExternalReference] = memoryCustomer{
				Standing: Standing{CustomerID: a.CustomerID, Asserted: a.Found, SentAt: a.Row.PlannedAt, Payable: a.Payable}, by: f,
			}
		}
	}
	f.finish(finished)
	return nil
}

func (f *memoryFile) put(r Row) {
	f.rows[r.Number] = r
	delete(f.superseded, r.Number)
}

func (f *memoryFile) finish(finished []Finished) {
	for _, d := range finished {
		f.put(*d.Row)
		if d.Assertion == nil {
			continue
		}
		reference := d.Row.Result.ExternalReference
		f.memory.customers[reference] = memoryCustomer{Standing: *d.Assertion, by: f}
		for _, other := range f.memory.files {
			for n, r := range other.rows {
				if other != f && r.Result.ExternalReference == reference && unanswered(r) {
					other.superseded[n] = true
				}
			}
		}
	}
}

func (m *memory) check() error {
	m.mu.Lock()
	fault := m.fault
	m.mu.Unlock()
	if fault == nil {
		return nil
	}
	return fault()
}

var errDiskFull = errors.New("no space left on device")
