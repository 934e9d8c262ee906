package formats

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// plainSeeds are lines that the quick reader takes, and lines that differ from those in one thing it must not judge.
func plainSeeds() []string {
	event := `{"id":"evt_1","type":"obligation.amount_applied","data":{"id":"ob_1","amount":15000,"currency":"ZAR","payment_id":"pay_1","customer_id":"bcus_1","metadata":{"a":[1,{"b":"\u00e9"}]},"created_at":"2026-11-22T08:45:00Z","updated_at":"2026-11-22T08:45:00.5Z"}}`
	record := `{"seq":7,"received_at":"2026-11-22T04:01:02.123456Z","webhook_id":"msg_1","webhook_timestamp":1795320062,"webhook_signature":"v1,abc=","key":"3f1c9a20","prev":"` + JournalGenesis + `","event":` + event + `}`
	seeds := []string{event, record, event + "\r", event + " ", " " + event, event + "x", `{}`, ``, `{"id":"a"`}
	for _, change := range [][2]string{
		{`"amount":15000`, `"amount":-15000`},
		{`"amount":15000`, `"amount":1.5e4`},
		{`"amount":15000`, `"amount":0`},
		{`"amount":15000`, `"amount":-0`},
		{`"amount":15000`, `"amount":015`},
		{`"amount":15000`, `"amount":9223372036854775807`},
		{`"amount":15000`, `"amount":999999999999999999`},
		{`"amount":15000`, `"amount":"15000"`},
		{`"amount":15000`, `"amount":15000,"amount":15000`},
		{`"amount":15000`, `"Amount":1,"amount":15000`},
		{`"amount":15000`, `"x":1,"x":2,"amount":15000`},
		{`"amount":15000`, `"account_id":null,"amount":15000`},
		{`"amount":15000`, `"bill_id":"","amount":15000`},
		{`"amount":15000`, `"curr\u0065ncy":"USD","amount":15000`},
		{`"amount":15000,`, `"amount":15000, `},
		{`"amount":15000`, `"n":1e3,"amount":15000`},
		{`bcus_1`, `bcüs_1`},
		{`bcus_1`, `b\u0063us_1`},
		{`bcus_1`, "b\x01"},
		{`bcus_1`, "b\xff"},
		{`"bcus_1"`, `null`},
		{`"bcus_1"`, `5`},
		{`"bcus_1"`, `""`},
		{`"2026-11-22T08:45:00Z"`, `"2026-11-22T08:45:00+02:00"`},
		{`"2026-11-22T08:45:00Z"`, `"2026-02-29T08:45:00Z"`},
		{`"2026-11-22T08:45:00Z"`, `null`},
		{`"2026-11-22T08:45:00Z"`, `"2026-11-22T08:45:00.123456789Z"`},
		{`"2026-11-22T08:45:00Z"`, `"2026-11-22t08:45:00z"`},
		{`"2026-11-22T08:45:00Z"`, `"0000-02-29T00:00:00Z"`},
		{`obligation.amount_applied`, `payment.succeeded`},
		{`"obligation.amount_applied"`, `null`},
		{`"type":`, `"type":"x","type":`},
		{`"type":`, `"Type":"x","type":`},
		{`"data":`, `"object":"event","data":`},
		{`"data":`, `"other":{"deep":[[[]]]},"data":`},
		{`"id":"evt_1",`, ``},
		{`"id":"evt_1"`, `"id":null`},
		{`[1,`, "[1,\xff"},
		{`{"a":[1,{"b":"\u00e9"}]}`, `"text"`},
		{`{"a":[1,{"b":"\u00e9"}]}`, `true`},
		{`{"a":[1,{"b":"\u00e9"}]}`, `{"a":[1,}`},
		{`"seq":7`, `"seq":0`},
		{`"seq":7`, `"seq":"7"`},
		{`04:01:02`, `24:01:02`},
		{`000","event"`, `00g","event"`},
		{`"msg_1"`, `"msg\n1"`},
		{`,"event":`, `,"more":1,"event":`},
	} {
		seeds = append(seeds, strings.Replace(event, change[0], change[1], 1), strings.Replace(record, change[0], change[1], 1))
	}
	return seeds
}

// printable makes nothing of empty slices and missing ones.
func printable(f EventFields) string {
	return fmt.Sprintf("%q %q %q %q %q %q %q %q %d %t %s %t %d %v", f.ID, f.Type, f.ObligationID, f.PaymentID, f.CustomerID, f.AccountID, f.BillID,
		f.Currency, f.Amount, f.HasAmount, f.CreatedAt.Format(time.RFC3339Nano), f.HasCreatedAt, f.Problem, f.Prints)
}

// The quick reader and the strict one agree on every line that the quick one takes, to the print.
func FuzzEventReader(f *testing.F) {
	for _, seed := range plainSeeds() {
		f.Add([]byte(seed))
	}
	key := NewEventKey()
	f.Fuzz(func(t *testing.T, line []byte) {
		var quick, strict EventFields
		var record JournalRecord
		reader, judge := NewEventReader(key), NewEventReader(key)
		if !reader.plainLine(line, &record, &quick) {
			return
		}
		want, err := ParseJournalLine(line)
		judge.readStrict(want.Body, &strict)
		if err != nil || !reflect.DeepEqual(record, want) {
			t.Fatalf("%s: record\n%+v, the strict reader says\n%+v, %v", line, record, want, err)
		}
		if got, want := printable(quick), printable(strict); got != want {
			t.Fatalf("%s:\n%s, the strict reader says\n%s", line, got, want)
		}
		event := ParseEvent(want.Body)
		if (event.Type == EventAmountApplied && event.Problem == EventFine) != (quick.Prints != EventPrints{}) && event.Type == EventAmountApplied && event.Problem == EventFine {
			t.Fatalf("%s has no prints", line)
		}
	})
}

// Nearly all lines must take the quick way, or the speed that docs/benchmarks.md promises is gone.
func TestEventReaderTakesTheKnownShape(t *testing.T) {
	var r JournalRecord
	var f EventFields
	reader := NewEventReader(NewEventKey())
	for _, line := range plainSeeds()[:4] {
		if !reader.plainLine([]byte(line), &r, &f) {
			t.Errorf("%s is left to the strict reader", line)
		}
	}
	line := []byte(strings.Replace(plainSeeds()[0], `"metadata":{"a":[1,{"b":"\u00e9"}]}`, `"note":""`, 1))
	if n := testing.AllocsPerRun(100, func() { reader.plainLine(line, &r, &f) }); n > 0 {
		t.Errorf("%g allocations a line", n)
	}
}

// Prints are equal where the data are equal as JSON, and else different.
func TestEventPrints(t *testing.T) {
	body := func(data string) []byte {
		return []byte(`{"id":"evt_1","type":"obligation.amount_applied","data":{"id":"ob_1","payment_id":"pay_1","customer_id":"bcus_1","currency":"ZAR",` + data + `}}`)
	}
	reader := NewEventReader(NewEventKey())
	prints := func(body []byte) EventPrints {
		var f EventFields
		reader.ReadBody(body, &f)
		if f.Problem != EventFine {
			t.Fatalf("%s: %v", body, f.Problem)
		}
		return f.Prints
	}
	equal := [][]byte{
		body(`"amount":100,"x":"é","y":{"a":1,"b":2},"n":10`),
		body(`"x":"\u00e9", "n":1e1,"amount":100,"y":{"b":2.0,"a":1}`),
	}
	if a, b := prints(equal[0]), prints(equal[1]); a != b {
		t.Errorf("equal data: %v and %v", a, b)
	}
	seen := map[uint64]string{}
	for _, data := range []string{
		`"amount":100`, `"amount":-100`, `"amount":1000`, `"amount":100,"x":"10"`, `"amount":100,"x":10`, `"amount":100,"x":null`, `"amount":100,"x":"null"`,
		`"amount":100,"y":"10"`, `"amount":100,"x":"a","y":"b"`, `"amount":100,"x":"b","y":"a"`, `"amount":100,"x":"a","x":"b"`, `"amount":100,"x":"b","x":"a"`,
		`"amount":100,"x":{}`, `"amount":100,"x":[]`, `"amount":100,"x":[1,2]`, `"amount":100,"x":[2,1]`, `"amount":100,"x":""`, `"amount":100,"account_id":null`,
		`"amount":100,"x":1e400`, `"amount":100,"x":99999999999999999999`, `"amount":100,"x":0.5`, `"amount":100,"x":1e19`, `"amount":100,"x":-1e18`,
	} {
		p := prints(body(data))
		if other, taken := seen[p.Data]; taken {
			t.Errorf("%s and %s have one print", data, other)
		}
		seen[p.Data] = data
	}
	for _, change := range [][2]string{{"evt_1", "evt_2"}, {"ob_1", "ob_2"}, {"pay_1", "pay_2"}, {"bcus_1", "bcus_2"}, {`100`, `-100`}} {
		one, two := prints(body(`"amount":100`)), prints(bytes.Replace(body(`"amount":100`), []byte(change[0]), []byte(change[1]), 1))
		if same := one.Money == two.Money; same != (change[0] == "evt_1") || (one.ID == two.ID) == (change[0] == "evt_1") {
			t.Errorf("%s instead of %s: %v, %v", change[1], change[0], one, two)
		}
	}
	swapped := bytes.Replace(bytes.Replace(body(`"amount":100`), []byte("pay_1"), []byte("ob_1"), 1), []byte(`"id":"ob_1"`), []byte(`"id":"pay_1"`), 1)
	if prints(swapped).Money == prints(body(`"amount":100`)).Money {
		t.Error("obligation and payment changed places unseen")
	}
}

func TestPlainTime(t *testing.T) {
	for year := range 10000 {
		for _, rest := range []string{"-01-01T00:00:00Z", "-02-29T23:59:59.9Z", "-03-01T12:00:00.000000001Z", "-12-31T24:00:00Z", "-04-31T00:00:00Z", "-00-01T00:00:00Z", "-11-30T07:08:60Z"} {
			text := fmt.Sprintf("%04d%s", year, rest)
			got, ok := plainTime([]byte(text))
			want, known := eventTime(text)
			if ok != known || (ok && (!got.Equal(want) || got != want)) {
				t.Fatalf("%s: %v %t, want %v %t", text, got, ok, want, known)
			}
		}
	}
}

func BenchmarkEventReader(b *testing.B) {
	var r JournalRecord
	var f EventFields
	reader := NewEventReader(NewEventKey())
	line := []byte(`{"id":"evt_000000000000000000000123","type":"obligation.amount_applied","data":{"id":"ob_00000000000000000123","amount":1123,"currency":"ZAR","payment_id":"pay_00000000000000000123","customer_id":"bcus_00000000000000000000000023","created_at":"2026-11-22T08:45:00Z","updated_at":"2026-11-22T08:45:00Z"}}`)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if err := reader.ReadLine(line, &r, &f); err != nil || f.Problem != EventFine {
			b.Fatal(err, f.Problem)
		}
	}
}
