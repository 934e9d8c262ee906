package reconciler_test

import (
	"strings"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/reconciler"
)

const noonish = "2026-11-22T12:00:00Z"

// Every row of the table of design.md section 8, and the order of the rows.
func TestTable(t *testing.T) {
	good := func(n int) []byte { return zar(n, "bcus_1", 100, noonish).body() }
	change := func(old, replacement string) []byte {
		body := string(good(1))
		if !strings.Contains(body, old) {
			t.Fatalf("%s has no %s", body, old)
		}
		return []byte(strings.Replace(body, old, replacement, 1))
	}
	edit := func(p paid, f func(*paid)) []byte {
		f(&p)
		return p.body()
	}
	twin := func(n int, f func(*paid)) []byte { // the same money as event 1, under another event id
		p := zar(1, "bcus_1", 100, noonish)
		p.event = zar(n, "", 0, "").event
		f(&p)
		return p.body()
	}
	nothing := func(*paid) {}
	for name, c := range map[string]struct {
		bodies [][]byte
		want   string
	}{
		"applied":               {[][]byte{good(1)}, "applied"},
		"reversal":              {[][]byte{zar(1, "bcus_1", -100, noonish).body()}, "applied reversal"},
		"no JSON":               {[][]byte{[]byte("x")}, "held invalid_event"},
		"no type":               {[][]byte{[]byte(`{"id":"evt_1"}`)}, "held invalid_event"},
		"other type":            {[][]byte{change("obligation.amount_applied", "payment.succeeded")}, "excluded other_type"},
		"other type, no id":     {[][]byte{[]byte(`{"type":"payment.succeeded","data":{"amount":1.5}}`)}, "excluded other_type"},
		"other type, id twice":  {[][]byte{[]byte(`{"id":"a","id":"b","type":"payment.succeeded"}`)}, "excluded other_type"},
		"other type, type too":  {[][]byte{[]byte(`{"id":"a","type":"payment.succeeded","Type":"x"}`)}, "excluded other_type"},
		"no id":                 {[][]byte{change(`"id":"evt_1",`, "")}, "held invalid_event"},
		"names nobody":          {[][]byte{change(`"bcus_1"`, "null")}, "held invalid_event"},
		"float":                 {[][]byte{change(":100", ":100.0")}, "held invalid_event"},
		"zero":                  {[][]byte{change(":100", ":0")}, "held invalid_event"},
		"mis-cased":             {[][]byte{change(`"amount"`, `"Amount"`)}, "held invalid_event"},
		"doubled":               {[][]byte{change(`"currency"`, `"currency":"ZAR","currency"`)}, "held invalid_event"},
		"no currency":           {[][]byte{change(`"ZAR"`, `""`)}, "held invalid_event"},
		"invalid, then valid":   {[][]byte{change(":100", ":0"), good(1)}, "held invalid_event, applied"},
		"invalid twice":         {[][]byte{[]byte("x"), []byte("x")}, "held invalid_event, held invalid_event"},
		"other type, then good": {[][]byte{change("obligation.amount_applied", "a.b"), good(1)}, "excluded other_type, applied"},
		"delivered twice":       {[][]byte{good(1), good(1)}, "applied, duplicate duplicate_event"},
		"delivered twice, written in another way": {
			[][]byte{good(1), change(":100", " : 100 ")}, "applied, duplicate duplicate_event",
		},
		"same data, other members outside": {
			[][]byte{good(1), change(`"type"`, `"api_version":2,"type"`)}, "applied, duplicate duplicate_event",
		},
		"other data": {[][]byte{good(1), change(":100", ":101")}, "applied, held conflicting_event"},
		"other data, then each of them again": {
			[][]byte{good(1), change(":100", ":101"), good(1), change(":100", ":101"), change(":100", ":102")},
			"applied, held conflicting_event, duplicate duplicate_event, duplicate duplicate_event, held conflicting_event",
		},
		"duplicate before period": {
			[][]byte{zar(1, "bcus_1", 1, "2026-11-21T12:00:00Z").body(), zar(1, "bcus_1", 1, "2026-11-21T12:00:00Z").body()},
			"excluded out_of_period, duplicate duplicate_event",
		},
		"conflict before period": {
			[][]byte{zar(1, "bcus_1", 1, "2026-11-21T12:00:00Z").body(), zar(1, "bcus_1", 2, "2026-11-21T12:00:00Z").body()},
			"excluded out_of_period, held conflicting_event",
		},
		"an instant before the period": {[][]byte{zar(1, "bcus_1", 1, "2026-11-21T23:59:59.999999999Z").body()}, "excluded out_of_period"},
		"at its beginning":             {[][]byte{zar(1, "bcus_1", 1, "2026-11-22T00:00:00Z").body()}, "applied"},
		"an instant before its end":    {[][]byte{zar(1, "bcus_1", 1, "2026-11-22T23:59:59.999999999Z").body()}, "applied"},
		"at its end":                   {[][]byte{zar(1, "bcus_1", 1, "2026-11-23T00:00:00Z").body()}, "excluded out_of_period"},
		"in it by another offset":      {[][]byte{zar(1, "bcus_1", 1, "2026-11-23T01:59:59+02:00").body()}, "applied"},
		"by its receipt":               {[][]byte{zar(1, "bcus_1", 1, "").body()}, "applied"},
		"by its receipt if unreadable": {[][]byte{zar(1, "bcus_1", 1, "22 November").body()}, "applied"},
		"dated to the zero time":       {[][]byte{zar(1, "bcus_1", 1, "0001-01-01T00:00:00Z").body()}, "excluded out_of_period"},
		"period before obligation": {
			[][]byte{paid{event: "e", account: "bacc_1", amount: 1, currency: "ZAR", at: "2026-11-21T00:00:00Z"}.body()}, "excluded out_of_period",
		},
		"account": {[][]byte{paid{event: "e", account: "bacc_1", amount: 1, currency: "ZAR"}.body()}, "unapplied other_obligation"},
		"bill":    {[][]byte{paid{event: "e", bill: "bill_1", amount: 1, currency: "ZAR"}.body()}, "unapplied other_obligation"},
		"account of a known customer": {
			[][]byte{edit(zar(1, "bcus_1", 1, noonish), func(p *paid) { p.account = "bacc_1" })}, "unapplied other_obligation",
		},
		"bill of an unknown customer": {
			[][]byte{edit(zar(1, "bcus_9", 1, noonish), func(p *paid) { p.bill = "bill_1" })}, "unapplied other_obligation",
		},
		"unknown customer":                  {[][]byte{zar(1, "bcus_9", 1, noonish).body()}, "unapplied unknown_customer"},
		"unknown customer, any currency":    {[][]byte{edit(zar(1, "bcus_9", 1, noonish), func(p *paid) { p.currency = "USD" })}, "unapplied unknown_customer"},
		"another currency":                  {[][]byte{edit(zar(1, "bcus_1", 1, noonish), func(p *paid) { p.currency = "USD" })}, "unapplied currency_mismatch"},
		"currency in small letters":         {[][]byte{edit(zar(1, "bcus_1", 1, noonish), func(p *paid) { p.currency = "zar" })}, "unapplied currency_mismatch"},
		"the same money again":              {[][]byte{good(1), twin(2, nothing)}, "applied, held possible_duplicate"},
		"the same money, other amount":      {[][]byte{good(1), twin(2, func(p *paid) { p.amount = 7 })}, "applied, held possible_duplicate"},
		"the same money thrice":             {[][]byte{good(1), twin(2, nothing), twin(3, nothing)}, "applied, held possible_duplicate, held possible_duplicate"},
		"the same money taken back":         {[][]byte{good(1), twin(2, func(p *paid) { p.amount = -100 })}, "applied, applied reversal"},
		"taken back twice":                  {[][]byte{twin(2, func(p *paid) { p.amount = -100 }), twin(3, func(p *paid) { p.amount = -100 }), good(1)}, "applied reversal, held possible_duplicate, applied"},
		"one obligation, two payments":      {[][]byte{good(1), twin(2, func(p *paid) { p.payment = "pay_2" })}, "applied, applied"},
		"one payment, two obligations":      {[][]byte{good(1), twin(2, func(p *paid) { p.obligation = "ob_2" })}, "applied, applied"},
		"another customer":                  {[][]byte{good(1), twin(2, func(p *paid) { p.customer = "bcus_2" })}, "applied, applied"},
		"no obligation":                     {[][]byte{twin(1, func(p *paid) { p.obligation = "" }), twin(2, func(p *paid) { p.obligation = "" })}, "applied, applied"},
		"no payment":                        {[][]byte{twin(1, func(p *paid) { p.payment = "" }), twin(2, func(p *paid) { p.payment = "" })}, "applied, applied"},
		"first before the period":           {[][]byte{twin(1, func(p *paid) { p.at = "2026-11-21T00:00:00Z" }), twin(2, nothing)}, "excluded out_of_period, held possible_duplicate"},
		"first after the period":            {[][]byte{twin(1, func(p *paid) { p.at = "2026-11-24T00:00:00Z" }), twin(2, nothing)}, "excluded out_of_period, held possible_duplicate"},
		"second out of the period":          {[][]byte{good(1), twin(2, func(p *paid) { p.at = "2026-11-24T00:00:00Z" }), twin(3, nothing)}, "applied, excluded out_of_period, held possible_duplicate"},
		"first in another currency":         {[][]byte{twin(1, func(p *paid) { p.currency = "USD" }), twin(2, nothing)}, "unapplied currency_mismatch, applied"},
		"first for an account":              {[][]byte{twin(1, func(p *paid) { p.account = "bacc_1" }), twin(2, nothing)}, "unapplied other_obligation, applied"},
		"first held for conflicting data":   {[][]byte{zar(5, "bcus_1", 1, noonish).body(), twin(5, nothing), twin(6, nothing)}, "applied, held conflicting_event, applied"},
		"first a duplicate of an applied":   {[][]byte{good(1), good(1), twin(2, nothing)}, "applied, duplicate duplicate_event, held possible_duplicate"},
		"no id runs into the next":          {[][]byte{twin(1, func(p *paid) { p.obligation, p.payment = "a", "bc" }), twin(2, func(p *paid) { p.obligation, p.payment = "ab", "c" })}, "applied, applied"},
		"duplicate under an id that is new": {[][]byte{good(1), good(2)}, "applied, applied"},
	} {
		t.Run(name, func(t *testing.T) {
			n := (&night{options: day()}).owes("bcus_1", "ZAR", 100000).owes("bcus_2", "ZAR", 100000).hears(c.bodies...)
			same(t, "places", n.run(t).places(), c.want)
		})
	}
}

// An event with no time at all has no place in a period, and is fine without one.
func TestNoTimeAtAll(t *testing.T) {
	bare := reconciler.Delivery{Body: zar(1, "bcus_1", 100, "").body(), Signature: formats.SignatureUnverified, Ref: "bare.jsonl:1"}
	for name, c := range map[string]struct {
		options reconciler.Options
		want    string
	}{
		"a day":      {day(), "held invalid_event"},
		"from only":  {reconciler.Options{From: at(noonish)}, "held invalid_event"},
		"to only":    {reconciler.Options{To: at(noonish)}, "held invalid_event"},
		"no period":  {reconciler.Options{}, "applied"},
		"a date too": {reconciler.Options{BusinessDate: "2026-11-22"}, "applied"},
	} {
		n := (&night{options: c.options, deliveries: []reconciler.Delivery{bare}}).owes("bcus_1", "ZAR", 100)
		r := n.run(t)
		same(t, name, r.places(), c.want)
		if r.payments[0].HasEventTime || (c.want == "applied" && r.balances[0].HasPaidAt) {
			t.Errorf("%s: the event got a time from somewhere: %+v", name, r.payments[0])
		}
	}
	// It is not remembered as seen, since it did not pass the third row.
	n := (&night{options: day(), deliveries: []reconciler.Delivery{bare}}).owes("bcus_1", "ZAR", 100)
	n.hears(zar(1, "bcus_1", 100, "").body())
	same(t, "then the same with a time", n.run(t).places(), "held invalid_event, applied")
}

// The row of payments.csv shows what the line says, whatever became of it.
func TestPaymentRow(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 100).hears(
		paid{event: "evt_1", obligation: "ob_1", payment: "pay_1", customer: "bcus_1", amount: 250, currency: "ZAR", at: "2026-11-22T14:00:00.25+02:00"}.body(),
		[]byte(`{"id":"evt_2","type":"obligation.amount_applied","data":{"customer_id":"bcus_1","amount":2.5,"currency":"ZAR"}}`),
		[]byte(`nonsense`),
	)
	rows := n.run(t).payments
	want := formats.PaymentRow{
		BusinessDate: "2026-11-22", EventID: "evt_1", ObligationID: "ob_1", PaymentID: "pay_1", CustomerID: "bcus_1", ExternalReference: "ref-bcus_1",
		Currency: "ZAR", Amount: 250, HasAmount: true, Status: "applied",
		EventTime: at("2026-11-22T12:00:00.25Z"), HasEventTime: true, ReceivedAt: at("2026-11-22T01:01:00Z"),
		Signature: "verified", JournalRef: "j.jsonl:1",
	}
	if rows[0] != want {
		t.Errorf("got  %+v\nwant %+v", rows[0], want)
	}
	if r := rows[1]; r.HasAmount || r.EventID != "evt_2" || r.ExternalReference != "ref-bcus_1" || !r.EventTime.Equal(r.ReceivedAt) {
		t.Errorf("event without a readable amount: %+v", r)
	}
	if r := rows[2]; r.EventID != "" || r.JournalRef != "j.jsonl:3" || r.Status != "held" {
		t.Errorf("nonsense: %+v", r)
	}
}

func TestMisuse(t *testing.T) {
	for name, options := range map[string]reconciler.Options{
		"period upside down": {From: at(noonish), To: at(noonish)},
		"negative tolerance": {Tolerance: -1},
		"date that is none":  {BusinessDate: "22.11.2026"},
		"unknown decision":   {Decisions: map[string]reconciler.Decision{"ex_1": "release"}},
	} {
		if _, err := reconciler.New(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r, err := reconciler.New(reconciler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	later := reconciler.Assertion{CustomerID: "c", Currency: "ZAR", At: at(noonish)}
	if err := r.Assert(later); err != nil {
		t.Error(err)
	}
	for name, a := range map[string]reconciler.Assertion{
		"no customer": {Currency: "ZAR"},
		"no currency": {CustomerID: "d"},
		"due date":    {CustomerID: "c", Currency: "ZAR", At: at(noonish), DueDate: "soon"},
		"payable":     {CustomerID: "c", Currency: "ZAR", At: at(noonish), Payable: "perhaps"},
		"order":       {CustomerID: "c", Currency: "ZAR", At: at(noonish).Add(-time.Second)},
	} {
		if r.Assert(a) == nil {
			t.Errorf("assertion with a wrong %s: no error", name)
		}
	}
	if _, err := r.Deliver(reconciler.Delivery{Signature: "good"}); err == nil {
		t.Error("unknown signature word: no error")
	}
	if _, err := r.Deliver(reconciler.Delivery{Signature: formats.SignatureVerified}); err != nil {
		t.Error(err)
	}
	if r.Assert(later) == nil {
		t.Error("assertion after a delivery: no error")
	}
	if r.Find(reconciler.Finding{Reason: "invalid_event"}) == nil {
		t.Error("finding of one of our own reasons: no error")
	}
	if _, err := r.Result(); err != nil {
		t.Error(err)
	}
	if _, err := r.Result(); err == nil {
		t.Error("second result: no error")
	}
	if _, err := r.Deliver(reconciler.Delivery{Signature: formats.SignatureVerified}); err == nil {
		t.Error("delivery after the result: no error")
	}
	if r.Find(reconciler.Finding{Reason: formats.ReasonTornTail}) == nil {
		t.Error("finding after the result: no error")
	}
}
