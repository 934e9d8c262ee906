package formats

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// amountApplied is an event as Moment's page shows it, with one piece of it replaced.
func amountApplied(old, replacement string) string {
	const sample = `{"id":"evt_1","type":"obligation.amount_applied","data":{"id":"ob_1","amount":15000,"currency":"ZAR","payment_id":"pay_1","customer_id":"bcus_1","metadata":{"event_id":"x"},"created_at":"2025-06-18T08:45:00Z","updated_at":"2025-06-18T08:45:00Z"}}`
	if old != "" && !strings.Contains(sample, old) {
		panic("sample has no " + old)
	}
	return strings.Replace(sample, old, replacement, 1)
}

func TestParseEvent(t *testing.T) {
	got := ParseEvent([]byte(amountApplied("", "")))
	want := Event{
		ID: "evt_1", Type: EventAmountApplied, ObligationID: "ob_1", PaymentID: "pay_1", CustomerID: "bcus_1",
		Currency: "ZAR", Amount: 15000, HasAmount: true,
		CreatedAt: time.Date(2025, 6, 18, 8, 45, 0, 0, time.UTC), HasCreatedAt: true,
		Data: got.Data,
	}
	if got != want {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	if got.Data == (DataHash{}) {
		t.Fatal("the data has no hash")
	}
}

func TestEventProblem(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want EventProblem
	}{
		"fine":                           {amountApplied("", ""), EventFine},
		"white space around":             {" \r\n\t" + amountApplied("", "") + "\n", EventFine},
		"unknown members":                {amountApplied(`"id":"evt_1"`, `"id":"evt_1","livemode":[true,{"id":1,"id":2}]`), EventFine},
		"doubled member of metadata":     {amountApplied(`{"event_id":"x"}`, `{"id":"x","id":"y","Amount":1}`), EventFine},
		"doubled member not used":        {amountApplied(`"updated_at"`, `"updated_at":1,"updated_at"`), EventFine},
		"escaped key":                    {amountApplied(`"amount"`, `"\u0061mount"`), EventFine},
		"negative amount":                {amountApplied("15000", "-1"), EventFine},
		"largest amount":                 {amountApplied("15000", "9223372036854775807"), EventFine},
		"smallest amount":                {amountApplied("15000", "-9223372036854775808"), EventFine},
		"half surrogate in metadata":     {amountApplied(`"x"`, `"\ud83d"`), EventFine},
		"account instead of a customer":  {amountApplied("customer_id", "account_id"), EventFine},
		"bill instead of a customer":     {amountApplied("customer_id", "bill_id"), EventFine},
		"customer and null bill":         {amountApplied(`"amount"`, `"bill_id":null,"amount"`), EventFine},
		"created_at is a number":         {amountApplied(`"2025-06-18T08:45:00Z"`, "5"), EventFine},
		"other type without anything":    {`{"type":"payment.succeeded"}`, EventNoID},
		"empty":                          {"", EventNotObject},
		"white space":                    {" ", EventNotObject},
		"not JSON":                       {"hello", EventNotObject},
		"array":                          {"[" + amountApplied("", "") + "]", EventNotObject},
		"string":                         {`"{}"`, EventNotObject},
		"null":                           {"null", EventNotObject},
		"two objects":                    {"{}{}", EventNotObject},
		"trailing comma":                 {`{"type":"x",}`, EventNotObject},
		"cut off":                        {amountApplied("", "")[:100], EventNotObject},
		"not UTF-8":                      {amountApplied("ob_1", "ob_\xff"), EventNotObject},
		"byte order mark":                {"\ufeff{}", EventNotObject},
		"too deep":                       {`{"a":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + `}`, EventNotObject},
		"no type":                        {`{"id":"evt_1"}`, EventNoType},
		"type null":                      {amountApplied(`"obligation.amount_applied"`, "null"), EventNoType},
		"type number":                    {amountApplied(`"obligation.amount_applied"`, "1"), EventNoType},
		"type list":                      {amountApplied(`"obligation.amount_applied"`, `["obligation.amount_applied"]`), EventNoType},
		"type twice":                     {amountApplied(`"type"`, `"type":"obligation.amount_applied","type"`), EventNoType},
		"type in the wrong case":         {amountApplied(`"type"`, `"Type"`), EventNoType},
		"type also in the wrong case":    {amountApplied(`"type"`, `"TYPE":"x","type"`), EventAmbiguous},
		"id twice":                       {amountApplied(`"id":"evt_1"`, `"id":"evt_1","id":"evt_1"`), EventAmbiguous},
		"id twice, once escaped":         {amountApplied(`"id":"evt_1"`, `"id":"evt_1","\u0069d":"evt_1"`), EventAmbiguous},
		"id in the wrong case":           {amountApplied(`"id":"evt_1"`, `"ID":"evt_1"`), EventAmbiguous},
		"data twice":                     {amountApplied(`"data"`, `"data":{},"data"`), EventAmbiguous},
		"Data beside data":               {amountApplied(`"data"`, `"Data":{},"data"`), EventAmbiguous},
		"amount twice":                   {amountApplied(`"amount"`, `"amount":15000,"amount"`), EventAmbiguous},
		"Amount beside amount":           {amountApplied(`"amount"`, `"Amount":1,"amount"`), EventAmbiguous},
		"Customer_ID":                    {amountApplied(`"customer_id"`, `"Customer_ID"`), EventAmbiguous},
		"created_at twice":               {amountApplied(`"created_at"`, `"created_at":null,"created_at"`), EventAmbiguous},
		"bill_id twice":                  {amountApplied(`"amount"`, `"bill_id":"","bill_id":"","amount"`), EventAmbiguous},
		"data id twice":                  {amountApplied(`"id":"ob_1"`, `"id":"ob_1","id":"ob_2"`), EventAmbiguous},
		"no id":                          {amountApplied(`"id":"evt_1",`, ""), EventNoID},
		"id null":                        {amountApplied(`"id":"evt_1"`, `"id":null`), EventNoID},
		"id empty":                       {amountApplied(`"id":"evt_1"`, `"id":""`), EventNoID},
		"id number":                      {amountApplied(`"id":"evt_1"`, `"id":1`), EventNoID},
		"no data":                        {`{"id":"evt_1","type":"obligation.amount_applied"}`, EventNamesNobody},
		"data null":                      {`{"id":"evt_1","type":"obligation.amount_applied","data":null}`, EventNamesNobody},
		"data list":                      {`{"id":"evt_1","type":"obligation.amount_applied","data":[]}`, EventNamesNobody},
		"customer missing":               {amountApplied(`"customer_id":"bcus_1",`, ""), EventNamesNobody},
		"customer null":                  {amountApplied(`"bcus_1"`, "null"), EventNamesNobody},
		"customer empty":                 {amountApplied(`"bcus_1"`, `""`), EventNamesNobody},
		"customer number":                {amountApplied(`"bcus_1"`, "7"), EventNamesNobody},
		"amount missing":                 {amountApplied(`"amount":15000,`, ""), EventAmountNotInteger},
		"amount null":                    {amountApplied("15000", "null"), EventAmountNotInteger},
		"amount string":                  {amountApplied("15000", `"15000"`), EventAmountNotInteger},
		"amount float":                   {amountApplied("15000", "15000.0"), EventAmountNotInteger},
		"amount exponent":                {amountApplied("15000", "15e3"), EventAmountNotInteger},
		"amount one too large":           {amountApplied("15000", "9223372036854775808"), EventAmountNotInteger},
		"amount one too small":           {amountApplied("15000", "-9223372036854775809"), EventAmountNotInteger},
		"amount true":                    {amountApplied("15000", "true"), EventAmountNotInteger},
		"amount zero":                    {amountApplied("15000", "0"), EventAmountZero},
		"amount minus zero":              {amountApplied("15000", "-0"), EventAmountZero},
		"currency missing":               {amountApplied(`"currency":"ZAR",`, ""), EventNoCurrency},
		"currency null":                  {amountApplied(`"ZAR"`, "null"), EventNoCurrency},
		"currency empty":                 {amountApplied(`"ZAR"`, `""`), EventNoCurrency},
		"currency number":                {amountApplied(`"ZAR"`, "710"), EventNoCurrency},
		"leading zero is not JSON":       {amountApplied("15000", "015000"), EventNotObject},
		"plus sign is not JSON":          {amountApplied("15000", "+15000"), EventNotObject},
		"line break in a string":         {amountApplied("evt_1", "evt\n1"), EventNotObject},
		"escape that there is not":       {amountApplied("evt_1", `\x`), EventNotObject},
		"escape with a letter too large": {amountApplied("evt_1", `\u00g0`), EventNotObject},
	} {
		if got := ParseEvent([]byte(c.body)).Problem; got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

func TestEventFieldsInSpiteOfAProblem(t *testing.T) {
	event := ParseEvent([]byte(amountApplied("15000", `15000,"amount":1`)))
	if event.HasAmount || event.Amount != 0 || event.CustomerID != "bcus_1" || event.ID != "evt_1" {
		t.Errorf("doubled amount: %+v", event)
	}
	event = ParseEvent([]byte(amountApplied(`"ob_1"`, `"ob_\ud800\u0041"`)))
	if event.ObligationID != "ob_\uFFFDA" {
		t.Errorf("half a surrogate was read as %q", event.ObligationID)
	}
}

func TestEventCreatedAt(t *testing.T) {
	noon := time.Date(2025, 6, 18, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2025-06-18T12:00:00Z":                noon,
		"2025-06-18t12:00:00z":                noon,
		"2025-06-18T14:00:00+02:00":           noon,
		"2025-06-18T02:30:00-09:30":           noon,
		"2025-06-19T11:59:00+23:59":           noon,
		"2025-06-17T12:01:00.000-23:59":       noon,
		"2025-06-18T12:00:00.5Z":              noon.Add(500 * time.Millisecond),
		"2025-06-18T12:00:00.123456789Z":      noon.Add(123456789),
		"2025-06-18T12:00:00.1234567899999Z":  noon.Add(123456789),
		"2025-06-18T12:00:00.000000000+00:00": noon,
		"0001-01-01T00:00:00Z":                {},
	} {
		event := ParseEvent([]byte(amountApplied("2025-06-18T08:45:00Z", text)))
		if !event.HasCreatedAt || !event.CreatedAt.Equal(want) {
			t.Errorf("%s was read as %v (%v)", text, event.CreatedAt, event.HasCreatedAt)
		}
	}
	for _, text := range []string{
		"", "2025-06-18", "2025-06-18T12:00:00", "2025-06-18 12:00:00Z", "2025-06-18T12:00Z", "2025-06-18T12:00:00,5Z",
		"2025-13-18T12:00:00Z", "2025-02-30T12:00:00Z", "2025-06-18T24:00:00Z", "2025-06-18T12:00:00+2:00",
		" 2025-06-18T12:00:00Z", "1750248000", "yesterday evening, late",
		"2025-06-18T9:00:00+02:00", "2025-06-18T9:00:00.5Z", "2025-06-18T12:00:00+24:00", "2025-06-18T12:00:00-24:00",
		"2025-06-18T12:00:00+10:60", "2025-06-18T12:00:00.5+24:00",
	} {
		if event := ParseEvent([]byte(amountApplied("2025-06-18T08:45:00Z", text))); event.HasCreatedAt {
			t.Errorf("%q was read as %v", text, event.CreatedAt)
		}
	}
}

// A parser that is used again must not remember the event before.
func TestEventParserForgets(t *testing.T) {
	var p EventParser
	bodies := []string{
		amountApplied("", ""), `{"type":"x"}`, amountApplied("ZAR", `\u005aAR`), amountApplied("ZAR", "USD"),
		amountApplied("ZAR", `U\\D`), amountApplied(`"currency":"ZAR",`, ""), "nonsense", amountApplied("", ""),
	}
	for _, body := range bodies {
		if got, want := p.Parse([]byte(body)), ParseEvent([]byte(body)); got != want {
			t.Errorf("%s\nread again: %+v\nread fresh: %+v", body, got, want)
		}
	}
}

func TestEventProblemString(t *testing.T) {
	for p := EventFine; p <= EventNoCurrency; p++ {
		if p.String() == "" {
			t.Errorf("problem %d has no words", int(p))
		}
	}
	if got := EventProblem(99).String(); got != "it has problem 99" {
		t.Error(got)
	}
}

func BenchmarkParseEvent(b *testing.B) {
	body := []byte(amountApplied("", ""))
	var p EventParser
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if event := p.Parse(body); event.Problem != EventFine {
			b.Fatal(event.Problem)
		}
	}
}

func ExampleParseEvent() {
	event := ParseEvent([]byte(`{"id":"evt_1","type":"obligation.amount_applied","data":{"amount":15000,"currency":"ZAR","customer_id":"bcus_1"}}`))
	fmt.Println(event.CustomerID, FormatMajor(event.Amount, event.Currency), event.Currency)

	event = ParseEvent([]byte(`{"id":"evt_2","type":"obligation.amount_applied","data":{"amount":15000,"Amount":1,"currency":"ZAR","customer_id":"bcus_1"}}`))
	fmt.Println(event.Problem)
	// Output:
	// bcus_1 150.00 ZAR
	// a field that is needed stands there twice or in the wrong case
}
