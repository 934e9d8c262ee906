package reconciler_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tallyman/formats"
	"tallyman/reconciler"
)

// The oracle is a second reading of design.md section 8, as plain as it can be: it keeps every event, plays each
// customer's life over again for every question, and counts with math/big. It shares no code with the product.
type oracle struct {
	from, to   time.Time
	assertions []reconciler.Assertion
	seen       map[string][]any // event id -> every data that came with it
	money      []map[string]any // data of events that got as far as possible_duplicate
	played     []oraclePayment  // payments that move a position
}

type oraclePayment struct {
	customer, currency string
	at                 time.Time
	amount             *big.Int
	within             bool
}

func (o *oracle) asserted(customer string) (currencies []string, known bool) {
	for _, a := range o.assertions {
		if a.CustomerID == customer && (a.At.IsZero() || o.to.IsZero() || a.At.Before(o.to)) {
			currencies, known = append(currencies, a.Currency), true
		}
	}
	return currencies, known
}

func (o *oracle) place(d reconciler.Delivery) string {
	var event map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(d.Body)))
	decoder.UseNumber()
	if decoder.Decode(&event) != nil {
		return "held invalid_event"
	}
	if kind, ok := event["type"].(string); !ok {
		return "held invalid_event"
	} else if kind != "obligation.amount_applied" {
		return "excluded other_type"
	}
	data, _ := event["data"].(map[string]any)
	text := func(name string) string { s, _ := data[name].(string); return s }
	id, _ := event["id"].(string)
	number, _ := data["amount"].(json.Number)
	amount, whole := new(big.Int).SetString(number.String(), 10)
	who := text("customer_id") + text("account_id") + text("bill_id")
	at, err := time.Parse(time.RFC3339, text("created_at"))
	if err != nil {
		at = d.ReceivedAt
	}
	if id == "" || who == "" || !whole || amount.Sign() == 0 || !amount.IsInt64() || text("currency") == "" {
		return "held invalid_event"
	}
	if at.IsZero() && !(o.from.IsZero() && o.to.IsZero()) {
		return "held invalid_event"
	}
	if at.IsZero() {
		at = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) // without a period, what has no time comes last
	}
	earlier, again := o.seen[id]
	for _, e := range earlier {
		if reflect.DeepEqual(e, any(data)) {
			return "duplicate duplicate_event"
		}
	}
	o.seen[id] = append(o.seen[id], any(data))
	if again {
		return "held conflicting_event"
	}
	early := !o.from.IsZero() && at.Before(o.from)
	late := !o.to.IsZero() && !at.Before(o.to)
	verdict := o.whose(data, amount)
	if strings.HasPrefix(verdict, "applied") && !late {
		o.played = append(o.played, oraclePayment{text("customer_id"), text("currency"), at, amount, !early})
	}
	if early || late {
		return "excluded out_of_period"
	}
	return verdict
}

// whose goes through the rows that do not ask about time.
func (o *oracle) whose(data map[string]any, amount *big.Int) string {
	text := func(m map[string]any, name string) string { s, _ := m[name].(string); return s }
	if text(data, "account_id")+text(data, "bill_id") != "" {
		return "unapplied other_obligation"
	}
	currencies, known := o.asserted(text(data, "customer_id"))
	if !known {
		return "unapplied unknown_customer"
	}
	if !slices.Contains(currencies, text(data, "currency")) {
		return "unapplied currency_mismatch"
	}
	twin := false
	for _, m := range o.money {
		other, _ := new(big.Int).SetString(m["amount"].(json.Number).String(), 10)
		all := true
		for _, name := range []string{"id", "payment_id", "customer_id"} {
			all = all && text(data, name) != "" && text(m, name) == text(data, name)
		}
		twin = twin || (all && other.Sign() == amount.Sign())
	}
	o.money = append(o.money, data)
	switch {
	case twin:
		return "held possible_duplicate"
	case amount.Sign() < 0:
		return "applied reversal"
	default:
		return "applied"
	}
}

// figures plays every customer's life from the beginning and lists opening, billed, paid, closing and count.
func (o *oracle) figures() map[string]string {
	lines := map[string]string{}
	for _, a := range o.assertions {
		currencies, known := o.asserted(a.CustomerID)
		if !known {
			continue
		}
		for _, currency := range currencies {
			lines[a.CustomerID+" "+currency] = o.life(a.CustomerID, currency)
		}
	}
	return lines
}

// life is one customer's position in one currency, step by step in order of time: at one instant first the beginning of
// the period, then assertions, then payments.
func (o *oracle) life(customer, currency string) string {
	type step struct {
		at   time.Time
		rank int
		do   func()
	}
	position, billed, paid, count := new(big.Int), new(big.Int), new(big.Int), 0
	opening := new(big.Int)
	within := false
	var steps []step
	for _, a := range o.assertions {
		if a.CustomerID != customer || !(a.At.IsZero() || o.to.IsZero() || a.At.Before(o.to)) {
			continue
		}
		steps = append(steps, step{a.At, 1, func() {
			next := new(big.Int)
			if a.Currency == currency {
				next.SetInt64(a.Balance)
			}
			if within {
				billed.Add(billed, new(big.Int).Sub(next, position))
			}
			position = next
		}})
	}
	for _, p := range o.played {
		if p.customer != customer || p.currency != currency {
			continue
		}
		steps = append(steps, step{p.at, 2, func() {
			position = new(big.Int).Sub(position, p.amount)
			if p.within {
				paid.Add(paid, p.amount)
				count++
			}
		}})
	}
	begin := func() { opening, within = new(big.Int).Set(position), true }
	if !o.from.IsZero() {
		steps = append(steps, step{o.from, 0, begin})
	}
	sort.SliceStable(steps, func(i, j int) bool {
		if !steps[i].at.Equal(steps[j].at) {
			return steps[i].at.Before(steps[j].at)
		}
		return steps[i].rank < steps[j].rank
	})
	timeless := o.from.IsZero()
	for _, s := range steps {
		if timeless && !s.at.IsZero() {
			begin()
			timeless = false
		}
		s.do()
	}
	if timeless {
		begin()
	}
	return fmt.Sprint(opening, billed, paid, position, count)
}

// drawNight makes a small world in which ids, payments, times and currencies collide all the time.
func drawNight(t *rapid.T) *night {
	instants := []string{
		"", "2026-11-20T00:00:00Z", "2026-11-21T23:59:59Z", "2026-11-22T00:00:00Z", "2026-11-22T02:00:00+02:00", "2026-11-22T11:00:00Z",
		"2026-11-22T12:00:00Z", "2026-11-22T23:59:59.999Z", "2026-11-23T00:00:00Z", "2026-11-25T00:00:00Z", "soon",
	}
	customers := []string{"bcus_1", "bcus_2", "bcus_3", "bcus_9", ""}
	currencies := []string{"ZAR", "ZAR", "ZAR", "JPY"}
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	n := &night{}
	if rapid.Bool().Draw(t, "has from") {
		n.options.From = at("2026-11-22T00:00:00Z")
	}
	if rapid.Bool().Draw(t, "has to") {
		n.options.To = at("2026-11-23T00:00:00Z")
	}
	days := []string{"", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-22T12:00:00Z", "2026-11-23T00:00:00Z"}
	for _, customer := range customers[:3] {
		for _, day := range days {
			if rapid.IntRange(0, 2).Draw(t, "asserted") > 0 {
				continue
			}
			a := reconciler.Assertion{CustomerID: customer, Currency: pick("currency", currencies...), Balance: rapid.Int64().Draw(t, "balance")}
			if day != "" {
				a.At = at(day)
			}
			n.assertions = append(n.assertions, a)
		}
	}
	for range rapid.IntRange(0, 25).Draw(t, "events") {
		p := paid{
			event:      pick("event", "evt_1", "evt_2", "evt_3", "evt_4", "evt_5", "evt_6", "evt_7", "evt_8", "evt_9", ""),
			obligation: pick("obligation", "ob_1", "ob_2", ""), payment: pick("payment", "pay_1", "pay_2", "pay_3", ""),
			customer: pick("customer", customers...), account: pick("account", "", "", "", "", "bacc_1"), bill: pick("bill", "", "", "", "", "bill_1"),
			amount:   rapid.SampledFrom([]int64{1, 2, 100, -1, -100, 0, 1<<63 - 1, -1 << 63}).Draw(t, "amount"),
			currency: pick("currency", append(currencies, "")...), at: pick("at", instants...), note: pick("note", "", "", "a"),
		}
		n.hears(p.body())
		d := &n.deliveries[len(n.deliveries)-1]
		switch rapid.IntRange(0, 20).Draw(t, "odd") {
		case 0:
			d.ReceivedAt = time.Time{}
		case 1:
			d.Body = []byte(`{"id":"evt_1","type":"payment.succeeded"}`)
		case 2:
			d.Body = []byte(`nonsense`)
		}
	}
	return n
}

// The product and the oracle agree on every event and every figure, and every report foots.
func TestAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := drawNight(rt)
		r := n.run(t)
		o := &oracle{from: n.options.From, to: n.options.To, assertions: n.assertions, seen: map[string][]any{}}
		var places []string
		for _, d := range n.deliveries {
			places = append(places, o.place(d))
		}
		if got := r.places(); got != strings.Join(places, ", ") {
			rt.Fatalf("places:\ngot  %s\nwant %s", got, strings.Join(places, ", "))
		}
		got := map[string]string{}
		for _, b := range r.balances {
			got[b.CustomerID+" "+b.Currency] = fmt.Sprint(b.Opening, b.Billed, b.Paid, b.Closing, b.PaymentCount)
		}
		for line, want := range o.figures() {
			if figures, ok := got[line]; figures != want && !(want == "0 0 0 0 0" && !ok) {
				rt.Fatalf("%s: got %s, want %s", line, figures, want)
			}
			delete(got, line)
		}
		if len(got) > 0 {
			rt.Fatalf("rows that should not be there: %v", got)
		}
		foot(rt, r)
	})
}

// foot adds up everything that a report says, from its rows, and compares.
func foot(t *rapid.T, r report) {
	var events, customers, listed int64
	for _, total := range r.Events {
		events += total.Count
	}
	for _, total := range r.Customers {
		customers += total.Count
	}
	open := map[string]int64{}
	for _, p := range r.payments {
		if p.Status == "held" || p.Status == "unapplied" {
			open[p.Reason]++
		}
	}
	for _, total := range r.Summary().Exceptions {
		if want, ok := open[total.Reason]; ok && want != total.Count {
			t.Fatalf("%d exceptions are %s, %d lines", total.Count, total.Reason, want)
		}
		listed += total.Count
	}
	if events != int64(len(r.payments)) || customers != int64(len(r.balances)) || listed != int64(len(r.Exceptions)) || r.Breaks+r.Notices != len(r.Exceptions) {
		t.Fatalf("%d of %d events, %d of %d customers, %d of %d exceptions", events, len(r.payments), customers, len(r.balances), listed, len(r.Exceptions))
	}
	for _, b := range r.balances {
		if b.Opening.AddSum(b.Billed).SubSum(b.Paid) != b.Closing {
			t.Fatalf("%+v does not foot", b)
		}
	}
}

// Order and repetition of valid events change no applied or unapplied total (design.md section 8), as long as no event
// id comes with two data and no possible duplicate with another amount, place or time.
func TestOrderAndRepetition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).owes("bcus_2", "JPY", 1000)
		var bodies [][]byte
		for i := range rapid.IntRange(1, 12).Draw(rt, "events") {
			// One money key always has one amount, time and customer; it may come under several event ids.
			key := rapid.IntRange(1, 6).Draw(rt, "key")
			p := zar(key, []string{"bcus_1", "bcus_1", "bcus_2", "bcus_9"}[key%4], int64(key*10-25), []string{noonish, "2026-11-22T05:00:00Z", "2026-11-21T05:00:00Z"}[key%3])
			p.event = fmt.Sprintf("evt_%d", i)
			bodies = append(bodies, p.body())
		}
		totals := func(bodies [][]byte) string {
			one := &night{options: n.options, assertions: n.assertions}
			r := one.hears(bodies...).run(t)
			sums := map[string]string{}
			for _, total := range r.Events {
				if total.Status == formats.StatusApplied || total.Status == formats.StatusUnapplied {
					sums[total.Currency+" "+total.Status+" "+total.Reason] = fmt.Sprint(total.Count, " ", total.Sum)
				}
			}
			var list []string
			for _, key := range slices.Sorted(maps.Keys(sums)) {
				list = append(list, key+" "+sums[key])
			}
			return strings.Join(list, "\n") + "\n" + r.lines()
		}
		want := totals(bodies)
		if got := totals(rapid.Permutation(bodies).Draw(rt, "order")); got != want {
			rt.Fatalf("in another order:\n%s\nwant\n%s", got, want)
		}
		repeated := append(slices.Clone(bodies), rapid.SliceOf(rapid.SampledFrom(bodies)).Draw(rt, "again")...)
		if got := totals(rapid.Permutation(repeated).Draw(rt, "order")); got != want {
			rt.Fatalf("repeated:\n%s\nwant\n%s", got, want)
		}
	})
}

// The same inputs give the same bytes.
func TestSameBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := drawNight(rt)
		if first, second := n.run(t).files(t), n.run(t).files(t); first != second {
			rt.Fatalf("two runs differ:\n%s\n%s", first, second)
		}
	})
}
