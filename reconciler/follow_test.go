package reconciler_test

import (
	"strings"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/reconciler"
)

// dayAfter reconciles 2026-11-23 and goes on from a report of the day before.
func (n *night) dayAfter(t *testing.T, earlier []formats.ExceptionRow, unseen ...string) report {
	t.Helper()
	n.options.From, n.options.To, n.options.BusinessDate = at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z"), "2026-11-23"
	for _, e := range earlier {
		n.options.Watch = append(n.options.Watch, e.ID)
	}
	r := n.run(t)
	r.Continue(earlier, unseen...)
	return r
}

// A break lives until what it is about is settled: it comes again with its age, and is closed once.
func TestExceptionsLive(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000)
	n.hears(zar(1, "bcus_9", 50, "2026-11-22T05:00:00Z").body(), zar(2, "bcus_1", -40, "2026-11-22T06:00:00Z").body())
	first := n.run(t)
	same(t, "first day", first.reasons(), "break unknown_customer 0.50, notice reversal -0.40")

	second := n.dayAfter(t, first.Exceptions)
	same(t, "second day", second.reasons(), "break unknown_customer 0.50")
	e := second.Exceptions[0]
	if e.ID != first.Exceptions[0].ID || e.AgeDays != 1 || !e.HasAge || !e.FirstSeen.Equal(at("2026-11-22T05:00:00Z")) || second.Breaks != 1 {
		t.Errorf("%+v, %d breaks", e, second.Breaks)
	}

	// The customer's row comes after all.
	n.assertions = append(n.assertions, reconciler.Assertion{CustomerID: "bcus_9", Currency: "ZAR", Balance: 70, At: at("2026-11-23T00:00:00Z")})
	third := n.dayAfter(t, second.Exceptions)
	same(t, "third day", third.reasons(), "closed unknown_customer 0.50")
	if e := third.Exceptions[0]; third.Breaks != 0 || third.Notices != 0 || !strings.HasPrefix(e.Detail, "Closed. ") || e.AgeDays != 1 {
		t.Errorf("%+v, %d breaks, %d notices", e, third.Breaks, third.Notices)
	}
	if totals := third.Summary().Exceptions; len(totals) != 1 || totals[0].Severity != formats.SeverityClosed {
		t.Errorf("%+v", totals)
	}
	same(t, "fourth day", n.dayAfter(t, third.Exceptions).reasons(), "")
}

// A held event of an earlier date stays open until somebody decides.
func TestHeldEventsLive(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000)
	twin := zar(1, "bcus_1", 50, "2026-11-22T06:00:00Z")
	twin.event = "evt_2"
	n.hears(zar(1, "bcus_1", 50, "2026-11-22T05:00:00Z").body(), twin.body())
	first := n.run(t)
	same(t, "first day", first.reasons(), "break possible_duplicate 0.50")
	same(t, "second day", n.dayAfter(t, first.Exceptions).reasons(), "break possible_duplicate 0.50")
	n.options.Decisions = map[string]reconciler.Decision{first.Exceptions[0].ID: reconciler.Drop}
	same(t, "decided", n.dayAfter(t, first.Exceptions).reasons(), "closed possible_duplicate 0.50")
}

// A balance that crossed a payment stays one until another balance is asserted.
func TestCrossedPaymentsLive(t *testing.T) {
	n := &night{options: day(), assertions: []reconciler.Assertion{
		{CustomerID: "bcus_1", Currency: "ZAR", Balance: 1000, At: at("2026-11-22T00:00:00Z"), SentAt: at("2026-11-22T06:00:00Z")},
	}}
	n.hears(zar(1, "bcus_1", 300, "2026-11-22T05:00:00Z").body())
	first := n.run(t)
	same(t, "first day", first.reasons(), "break crossed_payment 3.00")
	same(t, "second day", n.dayAfter(t, first.Exceptions).reasons(), "break crossed_payment 3.00")
	n.assertions = append(n.assertions, reconciler.Assertion{CustomerID: "bcus_1", Currency: "ZAR", Balance: 700, At: at("2026-11-23T00:00:00Z"), SentAt: at("2026-11-23T06:00:00Z")})
	same(t, "a newer balance", n.dayAfter(t, first.Exceptions).reasons(), "closed crossed_payment 3.00")
}

// What was seen earlier keeps its age, also if the report itself does not know it; what was not looked for is not closed.
func TestContinueKeepsFirstSeen(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000)
	r, err := reconciler.New(n.options)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Find(reconciler.Finding{Reason: formats.ReasonJournalDamaged, Identity: "a", Detail: "line 3"}); err != nil {
		t.Fatal(err)
	}
	result, err := r.Result()
	if err != nil {
		t.Fatal(err)
	}
	if e := result.Exceptions[0]; e.HasAge {
		t.Errorf("%+v", e)
	}
	id := result.Exceptions[0].ID
	drift := formats.ExceptionRow{ID: "ex_drift", Severity: formats.SeverityBreak, Reason: formats.ReasonBalanceDrift, Detail: "d"}
	seen := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	result.Continue([]formats.ExceptionRow{{ID: id, Severity: formats.SeverityBreak, FirstSeen: seen}, drift}, formats.ReasonBalanceDrift)
	if e := result.Exceptions[0]; !e.FirstSeen.Equal(seen) || e.AgeDays != 2 {
		t.Errorf("%+v", e)
	}
	if e := result.Exceptions[1]; e.Severity != formats.SeverityBreak || result.Breaks != 2 {
		t.Errorf("%+v, %d breaks", e, result.Breaks)
	}
	result.Continue([]formats.ExceptionRow{drift})
	if e := result.Exceptions[1]; e.Severity != formats.SeverityClosed || result.Breaks != 1 || result.Exceptions[0].HasAge {
		t.Errorf("%+v, %d breaks", result.Exceptions, result.Breaks)
	}
}
