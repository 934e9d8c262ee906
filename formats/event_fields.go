package formats

import (
	"time"
	"unicode/utf8"
)

// EventFields is what an Event holds, as slices of the line it was read from: for readers of millions of events, who can
// not afford to copy each. The slices are valid as long as the line is.
type EventFields struct {
	// The texts of Event, in the same meaning: empty where a member is missing, null, no string or doubled.
	ID, Type, ObligationID, PaymentID, CustomerID, AccountID, BillID, Currency []byte

	Amount       int64
	HasAmount    bool
	CreatedAt    time.Time
	HasCreatedAt bool
	created      []byte // the text of CreatedAt, if that is how a report prints it
	Problem      EventProblem

	// Prints tell the event from others; set if the type is EventAmountApplied and there is no problem.
	Prints EventPrints
}

// EventReader reads journal lines into EventFields. A line in the shape that Moment and tallyman write, nearly every
// one, is read in one pass where it stands; any other is handed to ParseJournalLine and EventParser. Both give the
// same fields, so nothing depends on which of them read a line. It is for one goroutine.
type EventReader struct {
	key    *EventKey
	strict EventParser
	names  [maxPlainNames][]byte  // of the members that the quick reader has met and nobody uses
	texts  [len(dataNames)]uint64 // prints of the texts in data, as far as the event at hand has them
}

// NewEventReader returns a reader whose prints are made with key: compare only prints of one key.
func NewEventReader(key *EventKey) *EventReader { return &EventReader{key: key} }

// ReadLine reads one journal line, without its newline, into r and f. The error is that of ParseJournalLine; r is then
// bare and f the reading of the whole line. Both share the memory of the line.
func (e *EventReader) ReadLine(line []byte, r *JournalRecord, f *EventFields) error {
	if e.plainLine(line, r, f) {
		return nil
	}
	var err error
	*r, err = ParseJournalLine(line)
	e.readStrict(r.Body, f)
	return err
}

// ReadBody reads the body of one event into f.
func (e *EventReader) ReadBody(body []byte, f *EventFields) {
	if end, ok := e.plainEvent(body, 0, f); ok && blank(body[end:]) {
		return
	}
	e.readStrict(body, f)
}

// readStrict reads a body by EventParser.
func (e *EventReader) readStrict(body []byte, f *EventFields) {
	p := &e.strict
	if !p.scan(body) {
		*f = EventFields{Problem: EventNotObject}
		return
	}
	event := p.event()
	*f = EventFields{
		ID: []byte(event.ID), Type: []byte(event.Type), ObligationID: []byte(event.ObligationID), PaymentID: []byte(event.PaymentID),
		CustomerID: []byte(event.CustomerID), AccountID: []byte(event.AccountID), BillID: []byte(event.BillID),
		Currency: []byte(event.Currency), Amount: event.Amount, HasAmount: event.HasAmount, CreatedAt: event.CreatedAt,
		HasCreatedAt: event.HasCreatedAt, Problem: event.Problem,
	}
	if event.Problem == EventFine && event.Type == EventAmountApplied {
		f.Prints.Data = e.key.data(&p.canonical, p.top[topData].value)
		e.key.identify(f, e.key.text(f.ObligationID), e.key.text(f.PaymentID), e.key.text(f.CustomerID))
	}
}

// plainLine reads a line of the known shape: an event alone, or tallyman's own record around one.
func (e *EventReader) plainLine(line []byte, r *JournalRecord, f *EventFields) bool {
	if body, ok := plainEnvelope(line, r); ok {
		end, ok := e.plainEvent(line, body, f)
		if !ok || end != len(line)-1 || line[end] != '}' {
			return false
		}
		r.Body = line[body:end]
		return true
	}
	end, ok := e.plainEvent(line, 0, f)
	if !ok || !blank(line[end:]) {
		return false
	}
	*r = JournalRecord{Bare: true, Body: line}
	return true
}

// blank reports whether text is white space, as a line of another system may end with.
func blank(text []byte) bool {
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// plainEnvelope reads what tallyman writes before the event of a record, in its order and without white space, and
// returns where the event begins.
func plainEnvelope(line []byte, r *JournalRecord) (body int, ok bool) {
	s := plainScanner{text: line}
	if !s.take(`{"seq":`) {
		return 0, false
	}
	seq := s.integer()
	s.need(`,"received_at":`)
	received := s.str()
	s.need(`,"webhook_id":`)
	id := s.str()
	s.need(`,"webhook_timestamp":`)
	timestamp := s.integer()
	s.need(`,"webhook_signature":`)
	signature := s.str()
	s.need(`,"key":`)
	key := s.str()
	s.need(`,"prev":`)
	prev := s.str()
	s.need(`,"event":`)
	if s.failed || seq < 1 || s.at >= len(line) {
		return 0, false
	}
	at, ok := plainTime(line[received.from:received.to])
	if !ok {
		return 0, false
	}
	head := string(line[:s.at]) // one copy serves all texts of the record
	*r = JournalRecord{
		Seq: seq, ReceivedAt: at, WebhookID: head[id.from:id.to], WebhookTimestamp: timestamp,
		WebhookSignature: head[signature.from:signature.to], Key: head[key.from:key.to], Prev: head[prev.from:prev.to],
	}
	return s.at, isJournalHash(r.Prev)
}

// otherValue passes over a value that is neither a plain string nor a plain integer. depth is how many objects are open.
func otherValue(text []byte, at, depth int) (end int, ok bool) {
	s := jsonScanner{text: text, pos: at, depth: depth}
	ok = s.value() && utf8.Valid(text[at:s.pos])
	return s.pos, ok
}
