package reconciler

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"tallyman/formats"
)

// figures are all that a report says of a customer of a book.
func figures(b *book) string {
	var o opened
	c := o.customerOf(b, 0)
	text := fmt.Sprintln(c.id, c.reference, c.name, c.payable, len(c.points), c.before)
	for _, p := range c.points {
		text += fmt.Sprintln(p.at, p.sentAt, p.balance, p.crossed, p.crossedCount)
	}
	for _, l := range c.lines {
		text += fmt.Sprintln(l.currency, l.dueDate, l.count, l.first, l.last)
		m := l.walk(func(p *point, billed formats.Sum) { text += fmt.Sprintln("billed", p.at, billed) })
		text += fmt.Sprintln(m)
	}
	return text
}

// A customer in a record, with or without an annex, has the figures of one that was kept whole from the beginning.
func TestRecordsAreAsGoodAsWholeCustomers(t *testing.T) {
	from := time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)
	small, annexes := 0, 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 1))
		record, whole := newBook(), newBook()
		day := r.IntN(10)
		for n := range 1 + r.IntN(3) {
			a := Assertion{CustomerID: "bcus_1", Currency: "ZAR", Balance: r.Int64N(1000), Name: fmt.Sprint("n", r.IntN(2)), Payable: []string{"", "yes", "no"}[r.IntN(3)], DueDate: []string{"", "2026-12-01"}[r.IntN(2)]}
			a.At = from.AddDate(0, 0, day-8)
			if n == 0 && r.IntN(3) == 0 {
				a.At = time.Time{}
			}
			if r.IntN(2) == 0 {
				a.SentAt = from.AddDate(0, 0, day-8).Add(time.Duration(r.IntN(100)) * time.Hour)
			}
			day += r.IntN(6)
			before := a.At.Before(from)
			if err := record.assert(&a, before); err != nil {
				t.Fatal(err)
			}
			if err := whole.assert(&a, before); err != nil {
				t.Fatal(err)
			}
			whole.open(0)
		}
		for n := range r.IntN(12) {
			e := &event{Placing: &Placing{Fields: &formats.EventFields{ID: fmt.Append(nil, n)}}, claim: &claim{customer: 1, amount: r.Int64N(2000) - 500}}
			if r.IntN(12) == 0 {
				e.amount = math.MaxInt64 - 5
			}
			if r.IntN(8) > 0 {
				e.at = instant{from.Add(time.Duration(r.IntN(480)-240) * time.Hour), true}
			}
			for _, b := range []*book{record, whole} {
				b.pay(e, "ZAR", !e.at.known || !e.at.time.Before(from))
			}
		}
		if got, want := figures(record), figures(whole); got != want {
			t.Fatalf("seed %d:\n%s\nwant\n%s", seed, got, want)
		}
		if record.wholeOf(record.record(0)) == nil {
			small++
		}
		if record.annexOf(record.record(0)) != nil {
			annexes++
		}
	}
	if small < 500 || annexes < 200 {
		t.Errorf("%d customers were not kept whole, %d had an annex: that proves too little", small, annexes)
	}
}

func TestAnnexSize(t *testing.T) {
	if size := unsafe.Sizeof(annex{}); size != annexSize {
		t.Errorf("%d bytes", size)
	}
}
