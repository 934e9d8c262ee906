package reconciler

import (
	"testing"
	"time"
)

// However often a customer was asserted before the period, it takes no more than its record, which says what the last
// assertion says, and what earlier ones said that it does not.
func TestRenewedRecord(t *testing.T) {
	b, first := newBook(), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	assert := func(a Assertion, before bool) error {
		t.Helper()
		a.CustomerID = "bcus_1"
		return b.assert(a, before)
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
		if err := b.assert(Assertion{CustomerID: "bcus_1", At: first.AddDate(0, 0, day), Currency: "ZAR", Balance: int64(day)}, before); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.whole) != 1 || len(b.whole[0].points) != 3 {
		t.Errorf("%+v", b.whole)
	}
}
