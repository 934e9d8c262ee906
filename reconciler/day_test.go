package reconciler_test

import (
	"slices"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/reconciler"
)

// What was billed and paid is told by business date, also where a date has 23 or 25 hours.
func TestDays(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	dateOf := func(at time.Time) string { return at.In(london).Format(time.DateOnly) }
	for _, c := range []struct {
		name, early, late, next string // the first and the last instant of the date, and the first of the next
		date, after             string
	}{
		{"23 hours", "2026-03-29T00:00:00Z", "2026-03-29T22:59:59.999999999Z", "2026-03-29T23:00:00Z", "2026-03-29", "2026-03-30"},
		{"24 hours", "2026-11-22T00:00:00Z", "2026-11-22T23:59:59.999999999Z", "2026-11-23T00:00:00Z", "2026-11-22", "2026-11-23"},
		{"25 hours", "2026-10-24T23:00:00Z", "2026-10-25T23:59:59.999999999Z", "2026-10-26T00:00:00Z", "2026-10-25", "2026-10-26"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &night{options: reconciler.Options{DateOf: dateOf}}
			n.owes("bcus_a", "ZAR", 10000)
			n.assertions = append(n.assertions, reconciler.Assertion{CustomerID: "bcus_a", Currency: "ZAR", Balance: 12000, At: at(c.next)})
			// The later date first: the order in which dates are met decides nothing.
			n.hears(zar(1, "bcus_a", 300, c.next).body(), zar(2, "bcus_a", 100, c.early).body(), zar(3, "bcus_a", 20, c.late).body())
			want := []formats.DayTotal{
				{Date: c.date, Currency: "ZAR", Billed: "0.00", Paid: "1.20"},
				{Date: c.after, Currency: "ZAR", Billed: "21.20", Paid: "3.00"},
			}
			if got := n.run(t).Days; !slices.Equal(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// An event of unknown time belongs to no date, and is not lost from the list for it.
func TestDaysWithoutTime(t *testing.T) {
	n := (&night{}).owes("bcus_a", "ZAR", 10000).owes("bcus_b", "JPY", 5)
	yen := zar(2, "bcus_b", 5, "2026-11-22T01:00:00Z")
	yen.currency = "JPY"
	n.hears(zar(1, "bcus_a", 300, "").body(), yen.body())
	n.deliveries[0].ReceivedAt = time.Time{}
	want := []formats.DayTotal{{Currency: "ZAR", Billed: "0.00", Paid: "3.00"}, {Date: "2026-11-22", Currency: "JPY", Billed: "0", Paid: "5"}}
	if got := n.run(t).Days; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
