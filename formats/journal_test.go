package formats

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var journalSample = JournalRecord{
	Seq:              1,
	ReceivedAt:       time.Date(2026, 11, 22, 4, 1, 2, 123456000, time.UTC),
	WebhookID:        "msg_1",
	WebhookTimestamp: 1795320062,
	WebhookSignature: "v1,AAAA",
	Key:              "3f1c9a20",
	Prev:             JournalGenesis,
	Body:             []byte(`{"id":"evt_1","type":"obligation.amount_applied"}`),
}

func TestJournalLineHasTheDocumentedShape(t *testing.T) {
	want := `{"seq":1,"received_at":"2026-11-22T04:01:02.123456Z","webhook_id":"msg_1","webhook_timestamp":1795320062,` +
		`"webhook_signature":"v1,AAAA","key":"3f1c9a20","prev":"` + JournalGenesis + `",` +
		`"event":{"id":"evt_1","type":"obligation.amount_applied"}}`
	if got := string(journalSample.AppendLine(nil)); got != want {
		t.Errorf("line\n got %s\nwant %s", got, want)
	}
	whole := journalSample
	whole.ReceivedAt = whole.ReceivedAt.Truncate(time.Second).In(time.FixedZone("SAST", 2*3600))
	if got := string(whole.AppendLine(nil)); !strings.Contains(got, `"2026-11-22T04:01:02.000000Z"`) {
		t.Errorf("a whole second in another zone is written as %s", got)
	}
}

func TestJournalFormOf(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       JournalForm
		member     string
	}{
		{"object", `{"a":1}`, FormEvent, `"event":{"a":1}}`},
		{"empty object", `{}`, FormEvent, `"event":{}}`},
		{"object with odd spaces", "{ \"a\"\t: 1.50 }", FormEvent, "\"event\":{ \"a\"\t: 1.50 }}"},
		{"object with a doubled key", `{"a":1,"a":2}`, FormEvent, `"event":{"a":1,"a":2}}`},
		{"escapes are not touched", `{"a":"\u00e9\/\ud800"}`, FormEvent, `"event":{"a":"\u00e9\/\ud800"}}`},
		{"U+2028 is no line break", "{\"a\":\"\u2028\"}", FormEvent, "\"event\":{\"a\":\"\u2028\"}}"},
		{"line feed inside", "{\n}", FormText, `"body":"{\n}"}`},
		{"carriage return inside", "{\r}", FormText, `"body":"{\r}"}`},
		{"newline behind", "{}\n", FormText, `"body":"{}\n"}`},
		{"space before", " {}", FormText, `"body":" {}"}`},
		{"byte order mark", "\ufeff{}", FormText, "\"body\":\"\ufeff{}\"}"},
		{"array", `[1]`, FormText, `"body":"[1]"}`},
		{"two objects", `{}{}`, FormText, `"body":"{}{}"}`},
		{"broken object", `{"a":}`, FormText, `"body":"{\"a\":}"}`},
		{"empty", ``, FormText, `"body":""}`},
		{"NUL", "\x00", FormText, `"body":"\u0000"}`},
		{"bad UTF-8", "{\"a\":\"\xff\"}", FormBase64, `"body_base64":"eyJhIjoi/yJ9"}`},
		{"surrogate bytes", "\xed\xa0\x80", FormBase64, `"body_base64":"7aCA"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := JournalFormOf([]byte(c.body)); got != c.want {
				t.Fatalf("form %s, want %s", got, c.want)
			}
			r := journalSample
			r.Body = []byte(c.body)
			line := r.AppendLine(nil)
			if !strings.HasSuffix(string(line), ","+c.member) {
				t.Errorf("line %s\ndoes not end with %s", line, c.member)
			}
			checkJournalRoundTrip(t, r)
		})
	}
}

func TestJournalNestingHasNoLimit(t *testing.T) {
	const deep = 200_000
	body := strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep)
	r := journalSample
	r.Body = []byte(body)
	if got := JournalFormOf(r.Body); got != FormEvent {
		t.Fatalf("form %s", got)
	}
	checkJournalRoundTrip(t, r)
}

// checkJournalRoundTrip fails if r is not read back as it was written, or if
// its line is no JSON that others can read.
func checkJournalRoundTrip(t *testing.T, r JournalRecord) {
	t.Helper()
	line := r.AppendLine([]byte("before"))[len("before"):]
	if bytes.ContainsAny(line, "\r\n") {
		t.Fatalf("the line breaks: %q", line)
	}
	got, err := ParseJournalLine(line)
	if err != nil {
		t.Fatalf("read back %q: %v", line, err)
	}
	if diff := cmp.Diff(r, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Fatalf("read back (-written +read):\n%s", diff)
	}
	if again := got.AppendLine(nil); !bytes.Equal(again, line) {
		t.Fatalf("written again\n got %s\nwant %s", again, line)
	}
}

func TestParseJournalLineTellsEnvelopesFromEvents(t *testing.T) {
	for _, c := range []struct {
		name, line string
		bare       bool
		body       string
	}{
		{"envelope", `{"seq":1,"event":{"id":"e"}}`, false, `{"id":"e"}`},
		{"other order and spaces", " { \"event\" : {\"a\": [1, {}]} , \"webhook_id\" : \"m\" } \r", false, `{"a": [1, {}]}`},
		{"others' members", `{"seq":1,"source":{"event":1},"event":{}}`, false, `{}`},
		{"escaped names", `{"s\u0065q":1,"\u0065vent":{}}`, false, `{}`},
		{"text", `{"seq":1,"body":"a\n\u00e9\ud83d\ude00\/\b\f"}`, false, "a\né😀/\b\f"},
		{"bytes", `{"seq":1,"body_base64":"/w=="}`, false, "\xff"},
		{"event", `{"id":"e","type":"t","data":{}}`, true, ""},
		{"event with every member of ours", `{"seq":1,"webhook_id":"m","event":{},"type":"t"}`, true, ""},
		{"event with a null type", `{"seq":1,"event":{},"type":null}`, true, ""},
		{"no body", `{"seq":1,"webhook_id":"m"}`, true, ""},
		{"nothing of ours but event", `{"event":{}}`, true, ""},
		{"other case", `{"Seq":1,"event":{}}`, true, ""},
		{"array", `[{"seq":1,"event":{}}]`, true, ""},
		{"more behind", `{"seq":1,"event":{}} x`, true, ""},
		{"torn", `{"seq":1,"event":{"id"`, true, ""},
		{"not JSON", `hello`, true, ""},
		{"empty", ``, true, ""},
		{"bad UTF-8", "{\"seq\":1,\"event\":{\"a\":\"\xff\"}}", true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseJournalLine([]byte(c.line))
			if err != nil {
				t.Fatal(err)
			}
			want := c.body
			if c.bare {
				want = c.line
			}
			if got.Bare != c.bare || string(got.Body) != want {
				t.Errorf("bare %v, body %q; want %v, %q", got.Bare, got.Body, c.bare, want)
			}
		})
	}
}

func TestParseJournalLineRefuses(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"seq":1,"seq":2,"event":{}}`, "seq stands there twice"},
		{`{"seq":1,"event":{},"event":{}}`, "event stands there twice"},
		{`{"seq":1,"event":{},"body":"x"}`, "more than one of"},
		{`{"seq":1,"body":"x","body_base64":""}`, "more than one of"},
		{`{"seq":0,"event":{}}`, "seq is less than 1"},
		{`{"seq":1.0,"event":{}}`, "seq is not a 64-bit integer"},
		{`{"seq":"1","event":{}}`, "seq is not a 64-bit integer"},
		{`{"seq":9223372036854775808,"event":{}}`, "seq is not a 64-bit integer"},
		{`{"seq":null,"event":{}}`, "seq is not"},
		{`{"seq":1,"received_at":"yesterday","event":{}}`, "received_at is not an RFC 3339 time"},
		{`{"seq":1,"received_at":5,"event":{}}`, "received_at is not a string"},
		{`{"seq":1,"webhook_timestamp":"5","event":{}}`, "webhook_timestamp is not"},
		{`{"seq":1,"key":5,"event":{}}`, "key is not a string"},
		{`{"seq":1,"prev":"00","event":{}}`, "prev is not 64"},
		{`{"seq":1,"prev":"` + strings.Repeat("A", 64) + `","event":{}}`, "prev is not 64"},
		{`{"seq":1,"event":"x"}`, "event is not an object"},
		{`{"seq":1,"body":{}}`, "body is not a string"},
		{`{"seq":1,"body":"\ud800"}`, "half of a surrogate pair"},
		{`{"seq":1,"body":"\ud800\u0041"}`, "half of a surrogate pair"},
		{`{"seq":1,"body_base64":"/w"}`, "standard base64"},
		{`{"seq":1,"body_base64":"_w=="}`, "standard base64"},
		{`{"seq":1,"body_base64":"/x=="}`, "standard base64"},
		{`{"seq":1,"body_base64":"/w=\n="}`, "standard base64"},
	} {
		r, err := ParseJournalLine([]byte(c.line))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.line, err, c.want)
		}
		if !r.Bare || string(r.Body) != c.line {
			t.Errorf("%s: the line is lost: %+v", c.line, r)
		}
	}
}

func FuzzJournalRoundTrip(f *testing.F) {
	for _, body := range []string{`{}`, `{"a":"\ud800"}`, "{\"a\":\n1}", "", "\xff", "{\"\x00\":1}", "\u2028"} {
		f.Add(int64(7), "msg_1", int64(1795320062), "v1,AAAA", "3f1c9a20", []byte(body))
	}
	f.Add(int64(1), "a\"\\\x00\u00e9", int64(-1), "\x7f\t\r\n", "", []byte(`[[{"a":0.1e+5}]]`))
	f.Fuzz(func(t *testing.T, seq int64, id string, stamp int64, signature, key string, body []byte) {
		if seq < 1 || !utf8.ValidString(id) || !utf8.ValidString(signature) || !utf8.ValidString(key) {
			t.Skip()
		}
		r := JournalRecord{
			Seq: seq, ReceivedAt: journalSample.ReceivedAt, WebhookID: id, WebhookTimestamp: stamp,
			WebhookSignature: signature, Key: key, Prev: JournalGenesis, Body: body,
		}
		checkJournalRoundTrip(t, r)
		if line := r.AppendLine(nil); !json.Valid(line) && bytes.Count(body, []byte{'{'}) < 5000 && bytes.Count(body, []byte{'['}) < 5000 {
			t.Fatalf("no JSON: %q", line)
		}
	})
}

// FuzzParseJournalLine compares the scanner with encoding/json, which is slow,
// and re-prints nothing of what it is asked to keep raw.
func FuzzParseJournalLine(f *testing.F) {
	for _, line := range []string{
		string(journalSample.AppendLine(nil)), `{"seq":1,"body":"a\n\ud83d\ude00"}`, `{"seq":1,"body_base64":"/w=="}`,
		`{"id":"e","type":"t"}`, `{"s\u0065q":-0,"event":{}}`, `{"seq":1,"event":{},"event":{}}`, `{`, ` {"seq":1,"event":{ }}`,
		`{"seq":1e2,"event":{"a":[01]}}`, `{"webhook_id":"\uD800","event":{}}`, `{"event":{"a":"` + "\u007f" + `"},"seq":1}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.Count(line, []byte{'{'})+bytes.Count(line, []byte{'['}) > 5000 {
			t.Skip() // encoding/json stops at a depth of 10,000
		}
		s := journalScanner{text: line}
		ok := s.skipValue()
		s.space()
		if ok = ok && s.at == len(line); ok != json.Valid(line) {
			t.Fatalf("valid %v, encoding/json says %v: %q", ok, !ok, line)
		}
		r, err := ParseJournalLine(line)
		if (err != nil || r.Bare) && !bytes.Equal(r.Body, line) {
			t.Fatalf("a line without an envelope lost bytes: %q", r.Body)
		}
		var members map[string]json.RawMessage
		object := utf8.Valid(line) && json.Unmarshal(line, &members) == nil && members != nil
		if !object && (err != nil || !r.Bare) {
			t.Fatalf("%q is no object and was read as an envelope", line)
		}
		if object && err == nil {
			compareJournalMembers(t, r, members)
		}
	})
}

// compareJournalMembers holds r, read without an error, against what
// encoding/json found in the same line.
func compareJournalMembers(t *testing.T, r JournalRecord, members map[string]json.RawMessage) {
	t.Helper()
	_, typed := members["type"]
	_, seq := members["seq"]
	_, id := members["webhook_id"]
	bodies := 0
	for _, form := range []JournalForm{FormEvent, FormText, FormBase64} {
		if _, ok := members[string(form)]; ok {
			bodies++
		}
	}
	if envelope := !typed && (seq || id) && bodies == 1; envelope == r.Bare {
		t.Fatalf("bare %v, members %v", r.Bare, members)
	}
	if r.Bare {
		return
	}
	want := struct {
		Seq              int64     `json:"seq"`
		ReceivedAt       time.Time `json:"received_at"`
		WebhookID        string    `json:"webhook_id"`
		WebhookTimestamp int64     `json:"webhook_timestamp"`
		WebhookSignature string    `json:"webhook_signature"`
		Key              string    `json:"key"`
		Prev             string    `json:"prev"`
		Body             *string   `json:"body"`
		Base64           []byte    `json:"body_base64"`
	}{}
	exact := make(map[string]json.RawMessage, len(members))
	for _, name := range []string{"seq", "received_at", "webhook_id", "webhook_timestamp", "webhook_signature", "key", "prev", "body", "body_base64"} {
		if v, ok := members[name]; ok {
			exact[name] = v
		}
	}
	text, err := json.Marshal(exact)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("encoding/json refuses what was accepted: %v", err)
	}
	body := want.Base64
	if raw, ok := members["event"]; ok {
		body = raw
	} else if want.Body != nil {
		body = []byte(*want.Body)
	}
	got := JournalRecord{
		Seq: want.Seq, ReceivedAt: want.ReceivedAt.UTC(), WebhookID: want.WebhookID, WebhookTimestamp: want.WebhookTimestamp,
		WebhookSignature: want.WebhookSignature, Key: want.Key, Prev: want.Prev, Body: body,
	}
	if diff := cmp.Diff(got, r, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Fatalf("(-encoding/json +ours):\n%s", diff)
	}
}

func BenchmarkParseJournalLine(b *testing.B) {
	r := journalSample
	r.Body = []byte(`{"id":"evt_2341234567890abcdef","type":"obligation.amount_applied","data":{"id":"ob_N2a38DJQWPL8K4X42354234","amount":15000,"currency":"ZAR","payment_id":"pay_1313235234843nmafdsa","customer_id":"bcus_2a38DJQWPL8K4X42354234","created_at":"2025-06-18T08:45:00Z","updated_at":"2025-06-18T08:45:00Z","metadata":{"event_id":"wellness_joburg_2025"}}}`)
	line := r.AppendLine(nil)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseJournalLine(line); err != nil {
			b.Fatal(err)
		}
	}
}
