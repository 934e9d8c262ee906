package reconciler

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// However often a customer was asserted before the period, it takes no more than its record, which says what the last
// assertion says, and what earlier ones said that it does not.
func TestRenewedRecord(t *testing.T) {
	b, first := newBook(), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	assert := func(a Assertion, before bool) error {
		t.Helper()
		a.CustomerID = "bcus_1"
		return b.assert(&a, before)
	}
	for day := range 400 {
		a := Assertion{At: first.AddDate(0, 0, day), SentAt: first.AddDate(0, 0, day).Add(time.Hour), Currency: "ZAR", Balance: int64(day), DueDate: "2026-01-31"}
		switch day {
		case 0:
			a.ExternalReference, a.Name, a.Payable = "A", "Ann", "yes"
		case 100:
			a.Payable = "no"
		case 399:
			a.ExternalReference, a.DueDate = "B", ""
		}
		if err := assert(a, true); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.whole) != 0 || b.count != 1 {
		t.Fatalf("%d whole customers, %d records", len(b.whole), b.count)
	}
	var o opened
	o.read(b, b.record(0))
	c, p := o.customer, o.points[0]
	if c.reference != "B" || c.name != "Ann" || c.payable != "no" || c.before != 1 || o.line.dueDate != "" ||
		p.balance != 399 || !p.at.Equal(first.AddDate(0, 0, 399)) || !p.sentAt.Equal(first.AddDate(0, 0, 399).Add(time.Hour)) {
		t.Errorf("%+v, %+v, %+v", c, o.line, p)
	}
	last := first.AddDate(0, 0, 399)
	if err := assert(Assertion{At: last.Add(-1), Currency: "ZAR"}, true); err == nil {
		t.Error("an assertion after a later one was taken")
	}
	if err := assert(Assertion{At: last, Currency: "USD", Balance: 5}, true); err != nil || len(b.whole) != 1 {
		t.Fatalf("%v, %d whole customers", err, len(b.whole))
	}
	if c := b.whole[0]; len(c.points) != 1 || len(c.lines) != 2 || c.current().currency != "USD" {
		t.Errorf("%+v", c)
	}
}

// An assertion in the period goes beside the one before it.
func TestRecordIsNotRenewedInThePeriod(t *testing.T) {
	b, first := newBook(), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for day, before := range []bool{true, false, false} {
		if err := b.assert(&Assertion{CustomerID: "bcus_1", At: first.AddDate(0, 0, day), Currency: "ZAR", Balance: int64(day)}, before); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.whole) != 1 || len(b.whole[0].points) != 3 {
		t.Errorf("%+v", b.whole)
	}
}

// Customers are found by their ids, also where half of the hash of some is the same, and however often the index grows.
func TestFind(t *testing.T) {
	b := newBook()
	const customers = 5000
	id := func(n int) []byte { return fmt.Appendf(nil, "bcus_%d", n) }
	hash := func(n int) uint64 { return uint64(n/7) << 37 }
	find := func(n int) (place, bool) {
		g := b.guessOf(hash(n))
		b.follow(&g)
		return b.find(&g, id(n))
	}
	for n := range customers {
		g := b.guessOf(hash(n))
		b.follow(&g)
		if _, found := b.find(&g, id(n)); found {
			t.Fatalf("customer %d was found before it was there", n)
		}
		if err := b.add(&g, &Assertion{CustomerID: string(id(n)), ExternalReference: fmt.Sprint("A-", n), Name: strings.Repeat("long name ", n%300), Currency: "ZAR", Balance: int64(n)}, true); err != nil {
			t.Fatal(err)
		}
	}
	for n := range customers {
		at, found := find(n)
		number, currency := b.texts.numbers(at)
		if !found || number != uint32(n) || currency != 0 || b.texts.reference(at) != fmt.Sprint("A-", n) || b.record(uint32(n)).balance != int64(n) {
			t.Fatalf("customer %d: %v", n, found)
		}
	}
	if _, found := find(customers); found {
		t.Error("a customer was found that is not there")
	}
}

// A text that is longer than a piece has one of its own, and what comes behind it is found.
func TestLongTexts(t *testing.T) {
	var all texts
	var at [3]place
	for n, name := range []string{"a", strings.Repeat("b", 3*pieceSize), "c"} {
		var err error
		if at[n], err = all.add(uint32(n), uint16(n)+300, "id"+name[:1], "", name); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range []string{"a", strings.Repeat("b", 3*pieceSize), "c"} {
		number, currency := all.numbers(at[n])
		if id, reference, name := all.all(at[n]); id != "id"+want[:1] || reference != "" || name != want || number != uint32(n) || currency != uint16(n)+300 {
			t.Errorf("text %d is wrong", n)
		}
	}
}

// What a record takes is what one line of a processor's memory takes.
func TestRecordSize(t *testing.T) {
	if size := unsafe.Sizeof(record{}); size != recordSize {
		t.Errorf("%d bytes", size)
	}
}
