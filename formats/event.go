package formats

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// EventAmountApplied is the one type of event that says that money arrived
// (Moment: /api-reference/billing/webhook/obligation_amount_applied).
const EventAmountApplied = "obligation.amount_applied"

// EventProblem says why an event cannot be counted; the zero value is none. The two problems for which Untyped is true
// leave it open what kind of event it is; the others are told for every type of event, but mean something for
// EventAmountApplied only.
type EventProblem int

// The problems, in the order in which they are looked for: an event has the first one that fits.
const (
	EventFine             EventProblem = iota
	EventNotObject                     // the body is no JSON object (RFC 8259, UTF-8)
	EventNoType                        // `type` is missing, no string, or there twice
	EventAmbiguous                     // a member that is used is there twice, or beside one that differs in case only
	EventNoID                          // `id` is missing, empty or no string
	EventNamesNobody                   // data has no customer_id, account_id or bill_id that is a string with a character in it
	EventAmountNotInteger              // data.amount is missing or no integer token within int64: a float, an exponent, a string
	EventAmountZero                    // data.amount is 0
	EventNoCurrency                    // data.currency is missing, empty or no string
)

// eventProblems are the words for a person, in the order of the constants.
var eventProblems = [...]string{
	"nothing is wrong with it",
	"the body is no JSON object",
	"it has no single type",
	"a field that is needed stands there twice or in the wrong case",
	"it has no event id",
	"it names no customer, account or bill",
	"its amount is no whole number of minor units",
	"its amount is zero",
	"it has no currency",
}

// String describes the problem as the end of a sentence: "it has no currency".
func (p EventProblem) String() string {
	if p < 0 || int(p) >= len(eventProblems) {
		return "it has problem " + strconv.Itoa(int(p))
	}
	return eventProblems[p]
}

// Untyped reports whether the type of the event could not be told.
func (p EventProblem) Untyped() bool { return p == EventNotObject || p == EventNoType }

// Event is what reconciliation needs to know of a webhook event. Texts are empty where a member is missing, null, no
// string or there more than once; a half surrogate in one is shown as U+FFFD.
type Event struct {
	ID           string // the event's own id, evt_…
	Type         string
	ObligationID string // data.id, ob_…
	PaymentID    string // data.payment_id, pay_…
	CustomerID   string // data.customer_id, bcus_…; with AccountID and BillID it tells what was paid
	AccountID    string
	BillID       string
	Currency     string // as it came; ISO 4217 if Moment keeps its word

	Amount    int64 // data.amount, minor units, negative for a reversal; 0 unless HasAmount
	HasAmount bool  // data.amount is one integer token within int64

	CreatedAt    time.Time // data.created_at, RFC 3339, in UTC
	HasCreatedAt bool      // data.created_at was there and readable; an event may be dated to the zero time

	Problem EventProblem
	Data    DataHash // of data; set if the type is EventAmountApplied and there is no problem
}

// ParseEvent reads one event with a parser of its own; see EventParser.Parse.
func ParseEvent(body []byte) Event {
	var p EventParser
	return p.Parse(body)
}

// EventParser reads events and keeps its buffers between them. The zero value is ready; it is for one goroutine.
type EventParser struct {
	top       [len(topNames)]usedMember
	data      [len(dataNames)]usedMember
	canonical canonicalizer
	currency  string
}

// usedMember is what was found of one member that is used.
type usedMember struct {
	value    []byte // of the first one of exactly this name
	count    int    // how many there are of exactly this name
	miscased bool   // there is one whose name differs in case only
}

const (
	topID = iota
	topType
	topData
)

const (
	dataID = iota
	dataPaymentID
	dataCustomerID
	dataAccountID
	dataBillID
	dataAmount
	dataCurrency
	dataCreatedAt
)

var (
	topNames  = [...]string{topID: "id", topType: "type", topData: "data"}
	dataNames = [...]string{
		dataID: "id", dataPaymentID: "payment_id", dataCustomerID: "customer_id", dataAccountID: "account_id",
		dataBillID: "bill_id", dataAmount: "amount", dataCurrency: "currency", dataCreatedAt: "created_at",
	}
)

// Parse reads the body of an event, strictly where money depends on it and tolerant of all else (design.md section 8).
//
// It never fails: what is wrong is the event's Problem, and the fields hold what could be read all the same. The members
// used are id, type and data, and in data id, payment_id, customer_id, account_id, bill_id, amount, currency and
// created_at. One of these that is there twice, or a member whose name equals one of them but for case, makes the event
// EventAmbiguous, because readers would disagree on what it says; only a doubled type, or one in the wrong case without
// the right one, is EventNoType, since then there is no single one. Other members may be doubled. A created_at that
// is no RFC 3339 time is as good as none.
func (p *EventParser) Parse(body []byte) Event {
	if !p.scan(body) {
		return Event{Problem: EventNotObject}
	}
	event := p.event()
	if event.Problem == EventFine && event.Type == EventAmountApplied {
		event.Data = p.canonical.hash(p.top[topData].value)
	}
	return event
}

// event puts together what scan has found, but for the hash of data.
func (p *EventParser) event() Event {
	event := Event{
		ID:           p.top[topID].text(),
		Type:         p.eventType(),
		ObligationID: p.data[dataID].text(),
		PaymentID:    p.data[dataPaymentID].text(),
		CustomerID:   p.data[dataCustomerID].text(),
		AccountID:    p.data[dataAccountID].text(),
		BillID:       p.data[dataBillID].text(),
		Currency:     p.eventCurrency(),
	}
	event.Amount, event.HasAmount = p.data[dataAmount].integer()
	event.CreatedAt, event.HasCreatedAt = p.data[dataCreatedAt].time()
	event.Problem = p.problem(&event)
	return event
}

// scan finds the members that are used and reports whether the body is one JSON object.
func (p *EventParser) scan(body []byte) bool {
	p.top, p.data = [len(topNames)]usedMember{}, [len(dataNames)]usedMember{}
	if !utf8.Valid(body) {
		return false
	}
	s := jsonScanner{text: body}
	if s.space(); s.peek() != '{' {
		return false
	}
	if !s.object(func(key, value []byte) { collect(p.top[:], topNames[:], key, value) }) {
		return false
	}
	if s.space(); s.pos != len(body) {
		return false
	}
	if data := p.top[topData]; data.count == 1 && data.value[0] == '{' {
		inner := jsonScanner{text: data.value}
		inner.object(func(key, value []byte) { collect(p.data[:], dataNames[:], key, value) })
	}
	return true
}

// collect notes a member if its name is one of those used.
func collect(members []usedMember, names []string, key, value []byte) {
	name := key[1 : len(key)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = appendUnquoted(nil, key)
	}
	for i, used := range names {
		switch {
		case string(name) == used:
			if members[i].count++; members[i].count == 1 {
				members[i].value = value
			}
			return
		case sameLetters(name, used):
			members[i].miscased = true
			return
		}
	}
}

// sameLetters reports whether a name equals one of ours but for case, as Unicode folds it: what a lax decoder would take
// for ours. Nearly all names are told apart by their first letter.
func sameLetters(name []byte, used string) bool {
	if len(name) < len(used) || (name[0] < utf8.RuneSelf && name[0]|0x20 != used[0]) {
		return false
	}
	return strings.EqualFold(string(name), used)
}

// problem returns the first problem that the event has.
func (p *EventParser) problem(event *Event) EventProblem {
	kind := p.top[topType]
	switch {
	case kind.count != 1 || kind.value[0] != '"':
		return EventNoType
	case ambiguous(p.top[:]) || ambiguous(p.data[:]):
		return EventAmbiguous
	case event.ID == "":
		return EventNoID
	case event.CustomerID == "" && event.AccountID == "" && event.BillID == "":
		return EventNamesNobody
	case !event.HasAmount:
		return EventAmountNotInteger
	case event.Amount == 0:
		return EventAmountZero
	case event.Currency == "":
		return EventNoCurrency
	default:
		return EventFine
	}
}

func ambiguous(members []usedMember) bool {
	for i := range members {
		if members[i].count > 1 || members[i].miscased {
			return true
		}
	}
	return false
}

// eventType saves the copy of a text that is nearly always the same.
func (p *EventParser) eventType() string {
	m := p.top[topType]
	if m.count == 1 && string(m.value) == `"`+EventAmountApplied+`"` {
		return EventAmountApplied
	}
	return m.text()
}

// eventCurrency saves the copy of a text that is nearly always the same as in the event before.
func (p *EventParser) eventCurrency() string {
	m := p.data[dataCurrency]
	if n := len(m.value); m.count != 1 || n < 2 || m.value[0] != '"' || string(m.value[1:n-1]) != p.currency || p.currency == "" {
		text := m.text()
		if strings.IndexByte(text, '\\') < 0 {
			p.currency = text
		}
		return text
	}
	return p.currency
}

// text returns the text of a member that is there once and is a string, else an empty text.
func (m *usedMember) text() string {
	switch {
	case m.count != 1 || m.value[0] != '"':
		return ""
	case bytes.IndexByte(m.value, '\\') < 0:
		return string(m.value[1 : len(m.value)-1])
	default:
		return strings.ToValidUTF8(string(appendUnquoted(nil, m.value)), "\uFFFD")
	}
}

// integer returns the value of a member that is there once and is an integer token within int64.
func (m *usedMember) integer() (int64, bool) {
	if m.count != 1 || (m.value[0] != '-' && (m.value[0] < '0' || m.value[0] > '9')) {
		return 0, false
	}
	v, err := strconv.ParseInt(string(m.value), 10, 64)
	if err != nil {
		return 0, false
	}
	return v, true
}
