package reconciler_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/reconciler"
)

// paid is an event in the making: the members of data that a test cares about.
type paid struct {
	event, obligation, payment string
	customer, account, bill    string
	amount                     int64
	currency                   string
	at                         string // created_at; empty leaves it out
	note                       string // metadata, to make data differ
}

// body writes the event; empty members are left out.
func (p paid) body() []byte {
	var data []string
	add := func(name, value string) {
		if value != "" {
			data = append(data, fmt.Sprintf("%q:%q", name, value))
		}
	}
	add("id", p.obligation)
	add("payment_id", p.payment)
	add("customer_id", p.customer)
	add("account_id", p.account)
	add("bill_id", p.bill)
	add("currency", p.currency)
	add("created_at", p.at)
	add("note", p.note)
	data = append(data, fmt.Sprintf(`"amount":%d`, p.amount))
	return fmt.Appendf(nil, `{"id":%q,"type":"obligation.amount_applied","data":{%s}}`, p.event, strings.Join(data, ","))
}

// zar is an ordinary payment of a customer: n makes its ids.
func zar(n int, customer string, amount int64, at string) paid {
	return paid{
		event: fmt.Sprintf("evt_%d", n), obligation: fmt.Sprintf("ob_%d", n), payment: fmt.Sprintf("pay_%d", n),
		customer: customer, amount: amount, currency: "ZAR", at: at,
	}
}

// night is one reconciliation in the making.
type night struct {
	options    reconciler.Options
	assertions []reconciler.Assertion
	deliveries []reconciler.Delivery
}

// owes adds assertions that stand before all events.
func (n *night) owes(customer, currency string, balance int64) *night {
	n.assertions = append(n.assertions, reconciler.Assertion{
		CustomerID: customer, ExternalReference: "ref-" + customer, Currency: currency, Balance: balance,
	})
	return n
}

// hears adds deliveries, received an hour after the start of 2026-11-22 and a minute apart.
func (n *night) hears(bodies ...[]byte) *night {
	for _, body := range bodies {
		i := len(n.deliveries) + 1
		n.deliveries = append(n.deliveries, reconciler.Delivery{
			Body: body, ReceivedAt: at("2026-11-22T01:00:00Z").Add(time.Duration(i) * time.Minute),
			Signature: formats.SignatureVerified, Ref: fmt.Sprintf("j.jsonl:%d", i),
		})
	}
	return n
}

// report is everything that came out.
type report struct {
	*reconciler.Result
	payments []formats.PaymentRow
	balances []formats.BalanceRow
}

// deliver gives assertions and deliveries to a reconciler, and says what became of the deliveries.
func (n *night) deliver(t testing.TB) (*reconciler.Reconciler, []formats.PaymentRow) {
	t.Helper()
	r, err := reconciler.New(n.options)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range n.assertions {
		if err := r.Assert(a); err != nil {
			t.Fatal(err)
		}
	}
	var payments []formats.PaymentRow
	for _, d := range n.deliveries {
		row, err := r.Deliver(d)
		if err != nil {
			t.Fatal(err)
		}
		payments = append(payments, row)
	}
	return r, payments
}

func (n *night) run(t testing.TB) report {
	t.Helper()
	r, payments := n.deliver(t)
	out := report{payments: payments}
	var err error
	if out.Result, err = r.Result(); err != nil {
		t.Fatal(err)
	}
	for row := range out.Balances() {
		out.balances = append(out.balances, row)
	}
	for _, check := range out.Checks {
		if !check.OK {
			t.Errorf("check %s fails: %s", check.Name, check.Detail)
		}
	}
	return out
}

// places lists what became of the deliveries: "applied", "held invalid_event", …
func (r report) places() string {
	var places []string
	for _, row := range r.payments {
		places = append(places, strings.TrimSpace(row.Status+" "+row.Reason))
	}
	return strings.Join(places, ", ")
}

// lines lists the rows of balances.csv: "bcus_1 ZAR 20.00 +0.00 -5.00 =15.00 part_paid 1".
func (r report) lines() string {
	var lines []string
	for _, b := range r.balances {
		lines = append(lines, fmt.Sprintf("%s %s %s +%s -%s =%s %s %d", b.CustomerID, b.Currency,
			b.Opening.Major(b.Currency), b.Billed.Major(b.Currency), b.Paid.Major(b.Currency), b.Closing.Major(b.Currency),
			b.Status, b.PaymentCount))
	}
	return strings.Join(lines, "\n")
}

// reasons lists the exceptions in order: "break unknown_customer 1.00".
func (r report) reasons() string {
	var reasons []string
	for _, e := range r.Exceptions {
		text := e.Severity + " " + e.Reason
		if e.HasAmount {
			text += " " + e.Amount.Major(e.Currency)
		}
		reasons = append(reasons, text)
	}
	return strings.Join(reasons, ", ")
}

// exception returns the only exception with a reason.
func (r report) exception(t testing.TB, reason string) formats.ExceptionRow {
	t.Helper()
	var found []formats.ExceptionRow
	for _, e := range r.Exceptions {
		if e.Reason == reason {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d exceptions are %s, want 1: %s", len(found), reason, r.reasons())
	}
	return found[0]
}

// files writes the four files as one text.
func (r report) files(t testing.TB) string {
	t.Helper()
	var text bytes.Buffer
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	text.WriteString("-- balances.csv --\n")
	b, err := formats.NewBalanceWriter(&text)
	ok(err)
	for _, row := range r.balances {
		ok(b.Write(row))
	}
	ok(b.Flush())
	text.WriteString("-- payments.csv --\n")
	p, err := formats.NewPaymentWriter(&text)
	ok(err)
	for _, row := range r.payments {
		ok(p.Write(row))
	}
	ok(p.Flush())
	text.WriteString("-- exceptions.csv --\n")
	e, err := formats.NewExceptionWriter(&text)
	ok(err)
	for _, row := range r.Exceptions {
		ok(e.Write(row))
	}
	ok(e.Flush())
	text.WriteString("-- summary.json --\n")
	ok(formats.WriteSummary(&text, r.Summary()))
	return text.String()
}

// at reads an instant.
func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// day is the options of the business date 2026-11-22 in UTC.
func day() reconciler.Options {
	return reconciler.Options{From: at("2026-11-22T00:00:00Z"), To: at("2026-11-23T00:00:00Z"), BusinessDate: "2026-11-22"}
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %s\nwant %s", what, strings.ReplaceAll(got, "\n", "\n     "), strings.ReplaceAll(want, "\n", "\n     "))
	}
}
