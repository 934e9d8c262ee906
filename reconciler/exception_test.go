package reconciler_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/reconciler"
)

// One of each: what is an exception, how much it weighs, and in which order they stand.
func TestExceptions(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).owes("bcus_2", "ZAR", 100)
	twin := zar(1, "bcus_1", 100, "2026-11-22T03:00:00Z")
	twin.event = "evt_3"
	account := paid{event: "evt_7", account: "bacc_1", amount: 70, currency: "ZAR", at: "2026-11-22T07:00:00Z"}
	usd := zar(6, "bcus_1", 60, "2026-11-22T06:00:00Z")
	usd.currency = "USD"
	n.hears(
		zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z").body(),
		zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z").body(),
		zar(1, "bcus_1", 120, "2026-11-22T02:00:00Z").body(),
		twin.body(),
		zar(4, "bcus_1", -40, "2026-11-22T04:00:00Z").body(),
		zar(5, "bcus_5", 50, "2026-11-22T05:00:00Z").body(),
		usd.body(),
		account.body(),
		zar(8, "bcus_1", 0, "2026-11-22T08:00:00Z").body(),
		zar(9, "bcus_2", 109, "2026-11-22T09:00:00Z").body(),
		zar(10, "bcus_2", 1, "2026-11-24T09:00:00Z").body(),
		[]byte(`{"type":"other"}`),
	)
	r := n.run(t)
	same(t, "exceptions", strings.ReplaceAll(r.reasons(), ", ", "\n"), `break conflicting_event 1.20
break possible_duplicate 1.00
break unknown_customer 0.50
break currency_mismatch 0.60
break other_obligation 0.70
break invalid_event 0.00
notice reversal -0.40
notice overpaid 0.09`)
	if r.Breaks != 6 || r.Notices != 2 {
		t.Errorf("%d breaks and %d notices", r.Breaks, r.Notices)
	}
	ids := map[string]bool{}
	for _, e := range r.Exceptions {
		if ids[e.ID] || !strings.HasPrefix(e.ID, "ex_") || e.Detail == "" || e.FirstSeen.IsZero() || !e.HasAge || e.AgeDays != 0 {
			t.Errorf("%+v", e)
		}
		ids[e.ID] = true
	}
	if e := r.exception(t, "possible_duplicate"); e.ExternalReference != "ref-bcus_1" || e.PaymentID != "pay_1" || e.EventID != "evt_3" || !strings.Contains(e.Detail, "agree (1.00 ZAR)") {
		t.Errorf("%+v", e)
	}
	want := []formats.ExceptionTotal{
		{Severity: "break", Reason: "conflicting_event", Count: 1},
		{Severity: "break", Reason: "currency_mismatch", Count: 1},
		{Severity: "break", Reason: "invalid_event", Count: 1},
		{Severity: "break", Reason: "other_obligation", Count: 1},
		{Severity: "break", Reason: "possible_duplicate", Count: 1},
		{Severity: "break", Reason: "unknown_customer", Count: 1},
		{Severity: "notice", Reason: "overpaid", Count: 1},
		{Severity: "notice", Reason: "reversal", Count: 1},
	}
	if got := r.Summary().Exceptions; !slices.Equal(got, want) {
		t.Errorf("summary: %+v", got)
	}
}

func TestPossibleDuplicateSaysWhetherAmountsAgree(t *testing.T) {
	twin := zar(1, "bcus_1", 250, noonish)
	twin.event = "evt_2"
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).hears(zar(1, "bcus_1", 100, noonish).body(), twin.body())
	if e := n.run(t).exception(t, "possible_duplicate"); !strings.Contains(e.Detail, "the amounts differ (1.00 before, 2.50 ZAR now)") {
		t.Error(e.Detail)
	}
	// Amounts of any size are remembered.
	for _, amount := range []int64{
		math.MaxInt64, math.MinInt64, math.MaxInt32, math.MaxInt32 + 1, math.MinInt32, math.MinInt32 + 1, math.MinInt32 - 1,
	} {
		twin.amount = amount
		n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).hears(zar(1, "bcus_1", amount, noonish).body(), twin.body())
		want := "the amounts agree (" + formats.FormatMajor(amount, "ZAR") + " ZAR)"
		if e := n.run(t).exception(t, "possible_duplicate"); !strings.Contains(e.Detail, want) {
			t.Errorf("%s, want %s", e.Detail, want)
		}
	}
}

func TestOtherObligationIsNamed(t *testing.T) {
	for _, c := range []struct{ account, bill, want string }{
		{"bacc_1", "", "paid to account bacc_1,"}, {"", "bill_1", "paid to bill bill_1,"}, {"bacc_1", "bill_1", "paid to account bacc_1 and bill bill_1,"},
	} {
		p := paid{event: "e", account: c.account, bill: c.bill, amount: 1, currency: "ZAR"}
		e := (&night{options: day()}).hears(p.body()).run(t).exception(t, "other_obligation")
		if !strings.Contains(e.Detail, c.want) {
			t.Errorf("%s, want %s", e.Detail, c.want)
		}
	}
}

// The id of an exception depends on what it is about: not on the day, the file, the line, the order or the receipt.
func TestExceptionIDsAreStable(t *testing.T) {
	build := func() *night {
		twin := zar(1, "bcus_1", 100, noonish)
		twin.event = "evt_3"
		return (&night{options: day()}).owes("bcus_1", "ZAR", 1000).owes("bcus_2", "ZAR", 1).hears(
			zar(1, "bcus_1", 100, noonish).body(),
			twin.body(),
			zar(5, "bcus_5", 50, noonish).body(),
			[]byte("x"), []byte("x"), []byte("y"),
			zar(6, "bcus_2", 2, noonish).body(),
			zar(7, "bcus_2", -1, noonish).body(),
		)
	}
	ids := func(r report) []string {
		var ids []string
		for _, e := range r.Exceptions {
			ids = append(ids, e.Reason+" "+e.ID)
		}
		slices.Sort(ids)
		return ids
	}
	n := build()
	first := ids(n.run(t))
	if len(slices.Compact(slices.Clone(first))) != len(first) {
		t.Errorf("two exceptions share an id: %q", first)
	}

	n = build()
	n.options.To = n.options.To.AddDate(0, 0, 5)
	n.options.BusinessDate = "2026-11-27"
	n.deliveries = append([]reconciler.Delivery{{Body: []byte(`{"type":"a"}`), Signature: formats.SignatureVerified}}, n.deliveries...)
	for i := range n.deliveries {
		n.deliveries[i].Ref = "elsewhere.jsonl:7"
		n.deliveries[i].ReceivedAt = n.deliveries[i].ReceivedAt.Add(time.Hour)
	}
	later := n.run(t)
	if got := ids(later); !slices.Equal(got, first) {
		t.Errorf("five days later:\n%q\nwant\n%q", got, first)
	}
	if e := later.exception(t, "unknown_customer"); e.AgeDays != 5 {
		t.Errorf("after five days it is %d days old", e.AgeDays)
	}
}

func TestDecisions(t *testing.T) {
	twin := zar(1, "bcus_1", -100, noonish)
	twin.event = "evt_3"
	first := zar(1, "bcus_1", -100, noonish)
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).hears(
		first.body(),
		twin.body(),
		zar(1, "bcus_1", 300, noonish).body(),
		zar(1, "bcus_9", 300, noonish).body(),
		[]byte("x"),
		zar(8, "bcus_9", 1, noonish).body(),
	)
	r := n.run(t)
	same(t, "undecided", r.places(), "applied reversal, held possible_duplicate, held conflicting_event, held conflicting_event, held invalid_event, unapplied unknown_customer")
	decide := func(what reconciler.Decision) report {
		n.options.Decisions = map[string]reconciler.Decision{}
		for _, e := range r.Exceptions {
			n.options.Decisions[e.ID] = what
		}
		return n.run(t)
	}
	applied := decide(reconciler.Apply)
	same(t, "released", applied.places(), "applied reversal, applied reversal, applied, unapplied unknown_customer, held invalid_event, unapplied unknown_customer")
	same(t, "released", applied.lines(), "bcus_1 ZAR 10.00 +0.00 -1.00 =9.00 part_paid 3")
	dropped := decide(reconciler.Drop)
	same(t, "dropped", dropped.places(), "applied reversal, excluded possible_duplicate, excluded conflicting_event, excluded conflicting_event, excluded invalid_event, unapplied unknown_customer")
	same(t, "dropped", dropped.lines(), "bcus_1 ZAR 10.00 +0.00 --1.00 =11.00 part_paid 1")
	same(t, "dropped events are no exceptions any more", dropped.reasons(), "break unknown_customer 0.01, notice reversal -1.00")
}

// A released event still has to lie in the period.
func TestReleasedOutOfPeriod(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).hears(
		zar(1, "bcus_1", 100, noonish).body(), zar(1, "bcus_1", 300, "2026-11-23T00:00:00Z").body())
	id := n.run(t).exception(t, "conflicting_event").ID
	n.options.Decisions = map[string]reconciler.Decision{id: reconciler.Apply}
	same(t, "places", n.run(t).places(), "applied, excluded out_of_period")
}

// A payment between the time that a balance speaks of and the time that Moment had it.
func TestCrossedPayment(t *testing.T) {
	asOf, sent := at("2026-11-22T00:00:00Z"), at("2026-11-22T06:00:00Z")
	balance := reconciler.Assertion{CustomerID: "bcus_1", ExternalReference: "A", Currency: "ZAR", Balance: 1000, At: asOf, SentAt: sent}
	unknown := balance
	unknown.SentAt = time.Time{}
	timeless := balance
	timeless.At = time.Time{}
	older := balance
	older.At = asOf.AddDate(0, 0, -1)
	net := balance
	net.TakenOff = []string{"evt_1"}
	newer := balance
	newer.At, newer.SentAt = at("2026-11-22T05:00:00Z"), at("2026-11-22T05:30:00Z")
	noon := balance
	noon.At, noon.SentAt = at("2026-11-22T12:00:00Z"), at("2026-11-22T12:30:00Z")
	evening := balance
	evening.At, evening.SentAt = at("2026-11-22T18:00:00Z"), at("2026-11-22T18:30:00Z")
	for _, c := range []struct {
		name       string
		assertions []reconciler.Assertion
		events     []paid
		want       string
	}{
		{"between", []reconciler.Assertion{balance}, []paid{zar(1, "bcus_1", 100, "2026-11-22T05:59:59.9Z")}, "break crossed_payment 1.00"},
		{"at the instant it speaks of", []reconciler.Assertion{balance}, []paid{zar(1, "bcus_1", 100, "2026-11-22T00:00:00Z")}, "break crossed_payment 1.00"},
		{"when Moment had it", []reconciler.Assertion{balance}, []paid{zar(1, "bcus_1", 100, "2026-11-22T06:00:00Z")}, ""},
		{"two, one taken back", []reconciler.Assertion{balance}, []paid{zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z"), zar(2, "bcus_1", -30, "2026-11-22T02:00:00Z")}, "break crossed_payment 0.70, notice reversal -0.30"},
		{"one, all of it taken back", []reconciler.Assertion{balance}, []paid{zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z"), zar(2, "bcus_1", -100, "2026-11-22T02:00:00Z")}, "notice reversal -1.00"},
		{"only taken back", []reconciler.Assertion{balance}, []paid{zar(2, "bcus_1", -30, "2026-11-22T02:00:00Z")}, "break crossed_payment -0.30, notice reversal -0.30"},
		{"not known when Moment had it", []reconciler.Assertion{unknown}, []paid{zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z")}, ""},
		{"not known what it speaks of", []reconciler.Assertion{timeless}, []paid{zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z")}, ""},
		{"the balance of the day before, sent late", []reconciler.Assertion{older}, []paid{zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z")}, "break crossed_payment 1.00"},
		{"payment of the day before", []reconciler.Assertion{older}, []paid{zar(1, "bcus_1", 100, "2026-11-21T23:00:00Z")}, ""},
		{"a newer balance knows of it", []reconciler.Assertion{older, newer}, []paid{zar(1, "bcus_1", 100, "2026-11-22T05:45:00Z")}, ""},
		{"taken off", []reconciler.Assertion{net}, []paid{zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z")}, ""},
		{"taken off, another is not", []reconciler.Assertion{net}, []paid{zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z"), zar(2, "bcus_1", 30, "2026-11-22T02:00:00Z")}, "break crossed_payment 0.30"},
		{"taken off a newer balance only", []reconciler.Assertion{older, net}, []paid{zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z")}, ""},
		{"when Moment had the first of two", []reconciler.Assertion{balance, evening}, []paid{zar(1, "bcus_1", 100, "2026-11-22T06:00:00Z")}, ""},
		{"when Moment had the first of three", []reconciler.Assertion{balance, noon, evening}, []paid{zar(1, "bcus_1", 100, "2026-11-22T06:00:00Z")}, ""},
		{"before Moment had the first of three", []reconciler.Assertion{balance, noon, evening}, []paid{zar(1, "bcus_1", 100, "2026-11-22T05:59:59.9Z")}, "break crossed_payment 1.00"},
		{"before Moment had the first of two", []reconciler.Assertion{balance, evening}, []paid{zar(1, "bcus_1", 100, "2026-11-22T05:59:59.9Z")}, "break crossed_payment 1.00"},
		{"payment of an unknown customer", []reconciler.Assertion{balance}, []paid{zar(1, "bcus_2", 100, "2026-11-22T01:00:00Z")}, "break unknown_customer 1.00"},
	} {
		n := &night{options: day(), assertions: c.assertions}
		for _, p := range c.events {
			n.hears(p.body())
		}
		same(t, c.name, n.run(t).reasons(), c.want)
	}
	dollars := newer
	dollars.Currency = "USD"
	usd := zar(2, "bcus_1", 7, "2026-11-22T05:15:00Z")
	usd.currency = "USD"
	n := &night{options: day(), assertions: []reconciler.Assertion{balance, dollars}}
	n.hears(zar(1, "bcus_1", 100, "2026-11-22T05:15:00Z").body(), usd.body())
	e := n.run(t).exception(t, "crossed_payment")
	if e.Currency != "USD" || e.Amount != formats.SumOf(7) {
		t.Errorf("a payment in one currency does not cross a balance in another: %+v", e)
	}
	n = &night{options: day(), assertions: []reconciler.Assertion{balance}}
	n.hears(zar(1, "bcus_1", 100, "2026-11-22T05:00:00Z").body(), zar(2, "bcus_1", 50, "2026-11-22T05:00:00Z").body())
	e = n.run(t).exception(t, "crossed_payment")
	if e.ExternalReference != "A" || !e.FirstSeen.Equal(sent) || !strings.Contains(e.Detail, "came 2 payments, so") || !strings.Contains(e.Detail, "1.50 ZAR") {
		t.Errorf("%+v", e)
	}
	n = &night{options: day(), assertions: []reconciler.Assertion{net}}
	n.hears(zar(1, "bcus_1", 100, "2026-11-22T01:00:00Z").body(), zar(2, "bcus_1", 30, "2026-11-22T02:00:00Z").body())
	if e = n.run(t).exception(t, "crossed_payment"); !strings.Contains(e.Detail, "came 1 payment besides what was taken off it, so") {
		t.Error(e.Detail)
	}
}

func TestNotPayable(t *testing.T) {
	customer := func(id, payable string) reconciler.Assertion {
		return reconciler.Assertion{CustomerID: id, ExternalReference: "ref-" + id, Currency: "ZAR", Balance: 5, Payable: payable, SentAt: at("2026-11-20T06:00:00Z")}
	}
	dollars := customer("a", "no")
	dollars.Currency, dollars.At = "USD", at("2026-11-22T12:00:00Z")
	for _, c := range []struct {
		name       string
		assertions []reconciler.Assertion
		want       []string
	}{
		{"nobody has rules", []reconciler.Assertion{customer("a", "no"), customer("b", "no"), customer("c", "")}, nil},
		{"others have", []reconciler.Assertion{customer("a", "no"), customer("b", "yes"), customer("c", ""), customer("d", "no")}, []string{"a", "d"}},
		{"it has got them since", []reconciler.Assertion{customer("a", "no"), customer("b", "yes"), customer("a", "yes")}, nil},
		{"it has lost them", []reconciler.Assertion{customer("a", "yes"), customer("b", "yes"), customer("a", "no")}, []string{"a"}},
		{"in two currencies", []reconciler.Assertion{customer("a", "no"), customer("b", "yes"), dollars}, []string{"a"}},
		{"a newer answer says nothing", []reconciler.Assertion{customer("a", "no"), customer("b", "yes"), customer("a", "")}, []string{"a"}},
	} {
		r := (&night{options: day(), assertions: c.assertions}).run(t)
		var got []string
		for _, e := range r.Exceptions {
			if e.Severity != "notice" || e.Reason != "not_payable" || e.ExternalReference != "ref-"+e.CustomerID || e.AgeDays != 2 {
				t.Errorf("%s: %+v", c.name, e)
			}
			got = append(got, e.CustomerID)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A line whose signature does not fit is a break beside what it is otherwise.
func TestSignatureFailed(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).hears(
		zar(1, "bcus_1", 100, noonish).body(), zar(1, "bcus_1", 100, noonish).body(), zar(2, "bcus_1", 100, noonish).body(), []byte("x"))
	n.deliveries[0].Signature = formats.SignatureFailed
	n.deliveries[1].Signature = formats.SignatureFailed
	n.deliveries[2].Signature = formats.SignatureUnverified
	n.deliveries[3].Signature = formats.SignatureFailed
	r := n.run(t)
	same(t, "places", r.places(), "applied, duplicate duplicate_event, applied, held invalid_event")
	same(t, "exceptions", r.reasons(), "break invalid_event, break signature_failed, break signature_failed 1.00, break signature_failed 1.00")
}

func TestFindingsAndComments(t *testing.T) {
	build := func(comments map[string]formats.Comment) *reconciler.Result {
		options := day()
		options.Comments = comments
		r, err := reconciler.New(options)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []reconciler.Finding{
			{Reason: formats.ReasonStartsLate, Identity: "journal", Detail: "starts at 7"},
			{Reason: formats.ReasonJournalDamaged, Identity: "a:1", Detail: "edited", SeenAt: at("2026-11-20T00:00:00Z")},
			{Reason: formats.ReasonTornTail, Identity: "a:9", Detail: "torn"},
			{Reason: formats.ReasonJournalDamaged, Identity: "a:2", Detail: "edited", SeenAt: at("2026-11-19T00:00:00Z")},
		} {
			if err := r.Find(f); err != nil {
				t.Fatal(err)
			}
		}
		result, err := r.Result()
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	first := build(nil)
	same(t, "order: breaks first, oldest first, unknown age last", report{Result: first}.reasons(),
		"break journal_damaged, break journal_damaged, break torn_tail, notice starts_late")
	if e := first.Exceptions[0]; e.AgeDays != 3 || e.Detail != "edited" || first.Exceptions[2].HasAge {
		t.Errorf("%+v", first.Exceptions)
	}
	r, err := reconciler.New(day())
	if err != nil {
		t.Fatal(err)
	}
	about := formats.ExceptionRow{
		ExternalReference: "A", CustomerID: "bcus_1", PaymentID: "pay_1", EventID: "evt_1", Currency: "ZAR", Amount: formats.SumOf(7), HasAmount: true,
	}
	if err := r.Find(reconciler.Finding{Reason: formats.ReasonReportGap, Identity: "x", Detail: "in the report alone", About: about}); err != nil {
		t.Fatal(err)
	}
	result, err := r.Result()
	if err != nil {
		t.Fatal(err)
	}
	got := result.Exceptions[0]
	about.ID, about.Reason, about.Severity, about.Detail = got.ID, formats.ReasonReportGap, formats.SeverityNotice, "in the report alone"
	if got != about {
		t.Errorf("got  %+v\nwant %+v", got, about)
	}
	second := build(map[string]formats.Comment{first.Exceptions[2].ID: {Owner: "Sipho", Comment: "disk replaced"}})
	if e := second.Exceptions[2]; e.Owner != "Sipho" || e.Comment != "disk replaced" || second.Exceptions[0].Owner != "" {
		t.Errorf("%+v", second.Exceptions)
	}
}

// Ages are counted in business dates, by whatever says which one an instant belongs to.
func TestAgeInBusinessDates(t *testing.T) {
	n := &night{options: day()}
	n.options.From = time.Time{}
	n.hears(zar(1, "bcus_1", 1, "2026-11-20T23:00:00Z").body())
	if e := n.run(t).exception(t, "unknown_customer"); e.AgeDays != 2 {
		t.Errorf("in UTC: %d days", e.AgeDays)
	}
	johannesburg := time.FixedZone("SAST", 2*60*60)
	n.options.DateOf = func(t time.Time) string { return t.In(johannesburg).Format(time.DateOnly) }
	if e := n.run(t).exception(t, "unknown_customer"); e.AgeDays != 1 {
		t.Errorf("in Johannesburg: %d days", e.AgeDays)
	}
	n.options.BusinessDate = "2026-11-01"
	if e := n.run(t).exception(t, "unknown_customer"); e.AgeDays != 0 || !e.HasAge {
		t.Errorf("for a date before it: %d days", e.AgeDays)
	}
	n.options = reconciler.Options{}
	if e := n.run(t).exception(t, "unknown_customer"); e.HasAge {
		t.Errorf("without a business date: %d days", e.AgeDays)
	}
}
