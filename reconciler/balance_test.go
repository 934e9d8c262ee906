package reconciler_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/reconciler"
)

// Every status, with and without a tolerance.
func TestCustomerStatus(t *testing.T) {
	for _, c := range []struct {
		name      string
		owed      int64
		paid      []int64
		tolerance int64
		want      string
	}{
		{"settled", 100, []int64{100}, 0, "settled"},
		{"settled in two", 100, []int64{60, 40}, 0, "settled"},
		{"part paid", 100, []int64{99}, 0, "part_paid"},
		{"overpaid", 100, []int64{101}, 0, "overpaid"},
		{"unpaid", 100, nil, 0, "unpaid"},
		{"in credit", -100, nil, 0, "in_credit"},
		{"nothing due", 0, nil, 0, "nothing_due"},
		{"paid and taken back", 100, []int64{100, -100}, 0, "part_paid"},
		{"only taken back", 0, []int64{-5}, 0, "part_paid"},
		{"credit paid on", -100, []int64{5}, 0, "overpaid"},
		{"a cent short, tolerated", 100, []int64{99}, 1, "settled"},
		{"a cent over, tolerated", 100, []int64{101}, 1, "settled"},
		{"two cents short", 100, []int64{98}, 1, "part_paid"},
		{"two cents over", 100, []int64{102}, 1, "overpaid"},
		{"a cent owed, tolerated", 1, nil, 1, "nothing_due"},
		{"a cent of credit, tolerated", -1, nil, 1, "nothing_due"},
		{"two cents owed", 2, nil, 1, "unpaid"},
		{"two cents of credit", -2, nil, 1, "in_credit"},
		{"everything tolerated", math.MinInt64 + 1, nil, math.MaxInt64, "nothing_due"},
		{"beyond everything", math.MinInt64, nil, math.MaxInt64, "in_credit"},
	} {
		options := day()
		options.Tolerance = c.tolerance
		n := (&night{options: options}).owes("bcus_1", "ZAR", c.owed)
		for i, amount := range c.paid {
			n.hears(zar(i, "bcus_1", amount, noonish).body())
		}
		if got := n.run(t).balances[0].Status; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The form with files alone: the file stands before all events.
func TestOpeningFromAFile(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 10000).owes("bcus_2", "JPY", -20).owes("bcus_3", "ZAR", 500).hears(
		zar(1, "bcus_1", 1000, "2026-11-20T00:00:00Z").body(),
		zar(2, "bcus_1", -200, "2026-11-21T00:00:00Z").body(),
		zar(3, "bcus_1", 300, "2026-11-22T08:00:00Z").body(),
		zar(4, "bcus_1", 400, "2026-11-22T07:00:00Z").body(),
		zar(5, "bcus_1", 5000, "2026-11-23T00:00:00Z").body(),
	)
	r := n.run(t)
	same(t, "balances", r.lines(), `bcus_1 ZAR 92.00 +0.00 -7.00 =85.00 part_paid 2
bcus_2 JPY -20 +0 -0 =-20 in_credit 0
bcus_3 ZAR 5.00 +0.00 -0.00 =5.00 unpaid 0`)
	if b := r.balances[0]; !b.FirstPaidAt.Equal(at("2026-11-22T07:00:00Z")) || !b.LastPaidAt.Equal(at("2026-11-22T08:00:00Z")) {
		t.Errorf("paid from %s to %s", b.FirstPaidAt, b.LastPaidAt)
	}

	n.options = reconciler.Options{}
	same(t, "without a period", n.run(t).lines(), `bcus_1 ZAR 100.00 +0.00 -65.00 =35.00 part_paid 5
bcus_2 JPY -20 +0 -0 =-20 in_credit 0
bcus_3 ZAR 5.00 +0.00 -0.00 =5.00 unpaid 0`)
}

// What was held, or would have been, before the period does not lower the opening balance until a person releases it.
func TestOpeningLeavesOutWhatIsHeld(t *testing.T) {
	twin := zar(1, "bcus_1", 100, "2026-11-21T00:00:00Z")
	twin.event = "evt_2"
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).hears(
		zar(1, "bcus_1", 100, "2026-11-21T00:00:00Z").body(),
		twin.body(),
		zar(1, "bcus_1", 150, "2026-11-21T00:00:00Z").body(),
		zar(9, "bcus_9", 100, "2026-11-21T00:00:00Z").body(),
	)
	r := n.run(t)
	same(t, "balances", r.lines(), "bcus_1 ZAR 9.00 +0.00 -0.00 =9.00 unpaid 0")
	same(t, "places", r.places(), "excluded out_of_period, excluded out_of_period, held conflicting_event, excluded out_of_period")

	before := n.options
	before.From, before.To = before.From.AddDate(0, 0, -1), before.To.AddDate(0, 0, -1)
	n.options = before
	id := n.run(t).exception(t, "possible_duplicate").ID
	n.options = day()
	n.options.Decisions = map[string]reconciler.Decision{id: reconciler.Apply}
	same(t, "released", n.run(t).lines(), "bcus_1 ZAR 8.00 +0.00 -0.00 =8.00 unpaid 0")
	n.options.Decisions[r.exception(t, "conflicting_event").ID] = reconciler.Apply
	same(t, "both released", n.run(t).lines(), "bcus_1 ZAR 6.50 +0.00 -0.00 =6.50 unpaid 0")
}

// The form with the ledger: an assertion sets the position when it takes effect.
func TestAssertionsSetThePosition(t *testing.T) {
	assert := func(balance int64, at time.Time) reconciler.Assertion {
		return reconciler.Assertion{CustomerID: "bcus_1", ExternalReference: "A", Currency: "ZAR", Balance: balance, At: at}
	}
	start, noon, end := at("2026-11-22T00:00:00Z"), at("2026-11-22T12:00:00Z"), at("2026-11-23T00:00:00Z")
	yesterday, before := start.AddDate(0, 0, -1), start.AddDate(0, 0, -2)
	for _, c := range []struct {
		name       string
		assertions []reconciler.Assertion
		events     []paid
		want       string
	}{
		{"first ever, in the period", []reconciler.Assertion{assert(1000, start)}, nil, "bcus_1 ZAR 0.00 +10.00 -0.00 =10.00 unpaid 0"},
		{"before the period", []reconciler.Assertion{assert(1000, yesterday)}, nil, "bcus_1 ZAR 10.00 +0.00 -0.00 =10.00 unpaid 0"},
		{"both", []reconciler.Assertion{assert(1000, yesterday), assert(1200, start)}, nil, "bcus_1 ZAR 10.00 +2.00 -0.00 =12.00 unpaid 0"},
		{"less than before", []reconciler.Assertion{assert(1000, yesterday), assert(-50, start)}, nil, "bcus_1 ZAR 10.00 +-10.50 -0.00 =-0.50 in_credit 0"},
		{"at the end and later", []reconciler.Assertion{assert(1000, yesterday), assert(7, end), assert(8, end.Add(1))}, nil, "bcus_1 ZAR 10.00 +0.00 -0.00 =10.00 unpaid 0"},
		{"an instant before the end", []reconciler.Assertion{assert(1000, yesterday), assert(7, end.Add(-1))}, nil, "bcus_1 ZAR 10.00 +-9.93 -0.00 =0.07 unpaid 0"},
		{
			"yesterday's payment is known to today's file",
			[]reconciler.Assertion{assert(1000, yesterday), assert(600, start)},
			[]paid{zar(1, "bcus_1", 400, "2026-11-21T12:00:00Z")},
			"bcus_1 ZAR 6.00 +0.00 -0.00 =6.00 unpaid 0",
		},
		{
			"a payment before an assertion in the period",
			[]reconciler.Assertion{assert(1000, yesterday), assert(600, noon)},
			[]paid{zar(1, "bcus_1", 400, "2026-11-22T11:59:59Z")},
			"bcus_1 ZAR 10.00 +0.00 -4.00 =6.00 part_paid 1",
		},
		{
			"a payment at the instant of an assertion comes after it",
			[]reconciler.Assertion{assert(1000, yesterday), assert(600, noon)},
			[]paid{zar(1, "bcus_1", 400, "2026-11-22T12:00:00Z")},
			"bcus_1 ZAR 10.00 +-4.00 -4.00 =2.00 part_paid 1",
		},
		{
			"payments before, between and after",
			[]reconciler.Assertion{assert(1000, before), assert(900, yesterday), assert(800, start), assert(700, noon)},
			[]paid{
				zar(1, "bcus_1", 1, "2026-11-19T12:00:00Z"), zar(2, "bcus_1", 2, "2026-11-20T12:00:00Z"), zar(3, "bcus_1", 4, "2026-11-21T12:00:00Z"),
				zar(4, "bcus_1", 8, "2026-11-22T06:00:00Z"), zar(5, "bcus_1", 16, "2026-11-22T18:00:00Z"), zar(6, "bcus_1", 32, "2026-11-23T00:00:00Z"),
			},
			// 900-4 = 896; 800 bills -96, 700 bills 700-792 = -92
			"bcus_1 ZAR 8.96 +-1.88 -0.24 =6.84 part_paid 2",
		},
		{
			"a payment before the first assertion",
			[]reconciler.Assertion{assert(1000, noon)},
			[]paid{zar(1, "bcus_1", 400, "2026-11-21T12:00:00Z"), zar(2, "bcus_1", 5, "2026-11-22T11:00:00Z")},
			"bcus_1 ZAR -4.00 +14.05 -0.05 =10.00 part_paid 1",
		},
		{
			"two of the same instant: the later call wins",
			[]reconciler.Assertion{assert(1000, start), assert(900, start)},
			[]paid{zar(1, "bcus_1", 400, "2026-11-22T00:00:00Z")},
			"bcus_1 ZAR 0.00 +9.00 -4.00 =5.00 part_paid 1",
		},
		{
			"two of the same instant before the period",
			[]reconciler.Assertion{assert(1000, yesterday), assert(900, yesterday)},
			nil, "bcus_1 ZAR 9.00 +0.00 -0.00 =9.00 unpaid 0",
		},
	} {
		n := &night{options: day(), assertions: c.assertions}
		for _, p := range c.events {
			n.hears(p.body())
		}
		same(t, c.name, n.run(t).lines(), c.want)
		slices.Reverse(n.deliveries)
		same(t, c.name+", events in another order", n.run(t).lines(), c.want)
	}
}

// Without a beginning, everything that is asserted at a time is billed.
func TestNoBeginning(t *testing.T) {
	n := &night{options: reconciler.Options{To: at("2026-11-23T00:00:00Z")}, assertions: []reconciler.Assertion{
		{CustomerID: "bcus_1", Currency: "ZAR", Balance: 100},
		{CustomerID: "bcus_1", Currency: "ZAR", Balance: 300, At: at("2026-11-21T00:00:00Z")},
		{CustomerID: "bcus_2", Currency: "ZAR", Balance: 5, At: at("2026-11-24T00:00:00Z")},
	}}
	n.hears(zar(1, "bcus_1", 30, "2026-11-20T00:00:00Z").body(), zar(2, "bcus_2", 1, noonish).body())
	r := n.run(t)
	same(t, "balances", r.lines(), "bcus_1 ZAR 1.00 +2.30 -0.30 =3.00 part_paid 1")
	same(t, "a customer asserted only later is not known yet", r.places(), "applied, unapplied unknown_customer")
	same(t, "business date", r.BusinessDate, "2026-11-22")
}

// A file's balances stand before all events, those dated before our era's first year too.
func TestBeforeAllEvents(t *testing.T) {
	n := (&night{}).owes("bcus_1", "ZAR", 1000).hears(zar(1, "bcus_1", 100, "0000-06-01T00:00:00Z").body())
	r := n.run(t)
	same(t, "balances", r.lines(), "bcus_1 ZAR 10.00 +0.00 -1.00 =9.00 part_paid 1")
	if b := r.balances[0]; !b.HasPaidAt || b.FirstPaidAt.Year() != 0 {
		t.Errorf("%+v", b)
	}
}

// A customer whose currency changes leaves the old one with nothing owed in it, and no figure mixes the two.
func TestCurrencyChange(t *testing.T) {
	usd := func(n int, amount int64, at string) paid {
		p := zar(n, "bcus_1", amount, at)
		p.currency = "USD"
		return p
	}
	assertions := []reconciler.Assertion{
		{CustomerID: "bcus_1", ExternalReference: "A", Currency: "ZAR", Balance: 1000, At: at("2026-11-21T00:00:00Z")},
		{CustomerID: "bcus_1", Currency: "USD", Balance: 60, At: at("2026-11-22T12:00:00Z")},
	}
	n := &night{options: day(), assertions: assertions}
	n.hears(
		zar(1, "bcus_1", 400, "2026-11-22T06:00:00Z").body(),
		usd(2, 10, "2026-11-22T18:00:00Z").body(),
		zar(3, "bcus_1", 50, "2026-11-22T19:00:00Z").body(),
		usd(4, 1, "2026-11-22T05:00:00Z").body(),
	)
	r := n.run(t)
	same(t, "places", r.places(), "applied, applied, applied, applied")
	same(t, "balances", r.lines(), `bcus_1 USD 0.00 +0.61 -0.11 =0.50 part_paid 2
bcus_1 ZAR 10.00 +-6.00 -4.50 =-0.50 overpaid 2`)

	n = &night{options: day(), assertions: assertions}
	n.options.From, n.options.To = n.options.From.AddDate(0, 0, 1), n.options.To.AddDate(0, 0, 1)
	same(t, "a day later the old currency is gone", n.run(t).lines(), "bcus_1 USD 0.60 +0.00 -0.00 =0.60 unpaid 0")
	n.options.To, n.options.From = n.options.From.AddDate(0, 0, -1), time.Time{}
	same(t, "before the change the new one is not there", n.run(t).lines(), "bcus_1 ZAR 0.00 +10.00 -0.00 =10.00 unpaid 0")
	n.hears(usd(1, 5, "2026-11-21T06:00:00Z").body())
	same(t, "and does not fit", n.run(t).places(), "unapplied currency_mismatch")
}

func TestBalancesOrderAndFields(t *testing.T) {
	n := &night{options: day(), assertions: []reconciler.Assertion{
		{CustomerID: "bcus_3", ExternalReference: "B", Currency: "ZAR", Balance: 1},
		{CustomerID: "bcus_2", ExternalReference: "B", Currency: "ZAR", Balance: 1},
		{CustomerID: "bcus_9", ExternalReference: "A", Name: "Zoë", Currency: "ZAR", Balance: 1, DueDate: "2026-10-01"},
		{CustomerID: "bcus_1", Currency: "ZAR", Balance: 1},
		{CustomerID: "bcus_9", Currency: "ZAR", Balance: 2, At: at("2026-11-22T00:00:00Z")},
	}}
	var order []string
	balances := n.run(t).balances
	for _, b := range balances {
		order = append(order, b.ExternalReference+" "+b.CustomerID)
	}
	if !slices.Equal(order, []string{" bcus_1", "A bcus_9", "B bcus_2", "B bcus_3"}) {
		t.Errorf("order: %q", order)
	}
	if b := balances[1]; b.Name != "Zoë" || b.DueDate != "" || b.BusinessDate != "2026-11-22" {
		t.Errorf("the newer assertion keeps the name and not the due date of the older balance: %+v", b)
	}
}

// What a customer is called is what was said last, also of one who changes between currencies.
func TestNewestName(t *testing.T) {
	first := reconciler.Assertion{CustomerID: "bcus_1", ExternalReference: "A", Name: "Ann", Currency: "ZAR", At: at("2026-11-20T00:00:00Z")}
	second, third := first, first
	second.ExternalReference, second.Name, second.Currency, second.At = "B", "Bea", "USD", at("2026-11-22T00:00:00Z")
	third.ExternalReference, third.Name, third.At = "", "", at("2026-11-22T01:00:00Z")
	n := &night{options: day(), assertions: []reconciler.Assertion{first, second, third}}
	if b := n.run(t).balances[0]; b.ExternalReference != "B" || b.Name != "Bea" || b.Currency != "ZAR" {
		t.Errorf("%+v", b)
	}
	first.CustomerID = "bcus_2" // in one currency
	second.CustomerID, second.Currency, second.At = "bcus_2", "ZAR", at("2026-11-21T00:00:00Z")
	n = &night{options: day(), assertions: []reconciler.Assertion{first, second}}
	if b := n.run(t).balances[0]; b.ExternalReference != "B" || b.Name != "Bea" {
		t.Errorf("%+v", b)
	}
}

// However far from today and from each other they are, and in whatever order they come.
func TestFirstAndLastPayment(t *testing.T) {
	times := []string{"2500-01-01T00:00:00Z", "1700-01-01T00:00:00Z", "2026-11-22T00:00:00Z", "2500-01-01T00:00:00.000000001Z", "1700-01-01T00:00:00.000000001Z"}
	for turn := range times {
		for _, assertions := range []int{1, 2} { // the second one is in the period
			n := (&night{}).owes("bcus_1", "ZAR", 1000)
			if assertions == 2 {
				n.assertions = append(n.assertions, reconciler.Assertion{CustomerID: "bcus_1", Currency: "ZAR", At: at("2026-11-22T00:00:00Z")})
			}
			for i := range times {
				n.hears(zar(i, "bcus_1", 1, times[(i+turn)%len(times)]).body())
			}
			if b := n.run(t).balances[0]; !b.HasPaidAt || !b.FirstPaidAt.Equal(at(times[1])) || !b.LastPaidAt.Equal(at(times[3])) {
				t.Errorf("from %s on: first paid %s, last paid %s", times[turn], b.FirstPaidAt, b.LastPaidAt)
			}
		}
	}
}

// More currencies than there are.
func TestManyCurrencies(t *testing.T) {
	n := &night{options: day()}
	code := func(i int) string { return string([]rune{'A' + rune(i/26), 'A' + rune(i%26), 'X'}) }
	for i := range 300 {
		n.owes(fmt.Sprintf("bcus_%03d", i), code(i), int64(i)+1000)
		p := zar(i, fmt.Sprintf("bcus_%03d", i), int64(i)+1, noonish)
		p.currency = code(i)
		n.hears(p.body())
	}
	for i, b := range n.run(t).balances {
		if b.Currency != code(i) || b.Opening != formats.SumOf(int64(i)+1000) || b.Closing != formats.SumOf(999) || b.PaymentCount != 1 {
			t.Errorf("%+v", b)
		}
	}
}

// Sums go beyond int64 without a sign of it.
func TestSumsBeyondInt64(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", math.MinInt64).owes("bcus_2", "ZAR", math.MinInt64)
	for i := range 4 {
		n.hears(zar(i, "bcus_1", math.MaxInt64, noonish).body())
	}
	r := n.run(t)
	same(t, "balances", r.lines(), `bcus_1 ZAR -92233720368547758.08 +0.00 -368934881474191032.28 =-461168601842738790.36 overpaid 4
bcus_2 ZAR -92233720368547758.08 +0.00 -0.00 =-92233720368547758.08 in_credit 0`)
	want := []formats.RollForward{{Currency: "ZAR", Opening: "-184467440737095516.16", Billed: "0.00", Paid: "368934881474191032.28", Closing: "-553402322211286548.44"}}
	if !slices.Equal(r.RollForward, want) {
		t.Errorf("roll-forward %+v, want %+v", r.RollForward, want)
	}
}
