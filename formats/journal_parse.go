package formats

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// ParseJournalLine reads one line of a journal, without its newline.
//
// A line is an envelope if it is a JSON object that has seq or webhook_id, and
// one of event, body and body_base64, and no type. Its members may stand in any
// order, others may stand among them, and names are exact. Any other line, JSON
// or not, is a bare record: an event of Moment always has a type, so neither
// can pass for the other.
//
// The error is for a line that is meant as an envelope and is none: a member
// twice, two bodies, a value of the wrong kind. The record is then bare and
// holds the whole line, so that nothing is lost by it.
//
// The record shares the memory of line.
func ParseJournalLine(line []byte) (JournalRecord, error) {
	bare := JournalRecord{Bare: true, Body: line}
	var e journalEnvelope
	if !e.scan(line) || !e.meant() {
		return bare, nil
	}
	r, err := e.record()
	if err != nil {
		return bare, fmt.Errorf("journal record: %w", err)
	}
	return r, nil
}

// journalEnvelope holds the members of a line as slices of it, strings with
// their quotes; nil where a member is absent.
type journalEnvelope struct {
	seq, receivedAt, id, timestamp, signature, key, prev []byte
	event, text, base64                                  []byte
	typed                                                bool
	doubled                                              string
}

// scan reads line and reports whether it is one JSON object and nothing more.
func (e *journalEnvelope) scan(line []byte) bool {
	if !utf8.Valid(line) {
		return false
	}
	s := journalScanner{text: line}
	s.space()
	if !s.take('{') {
		return false
	}
	s.space()
	if !s.take('}') {
		for {
			if !e.member(&s) {
				return false
			}
			s.space()
			if s.take('}') {
				break
			}
			if !s.take(',') {
				return false
			}
		}
	}
	s.space()
	return s.at == len(line)
}

// member reads one member of the envelope.
func (e *journalEnvelope) member(s *journalScanner) bool {
	s.space()
	from := s.at
	if !s.skipString() {
		return false
	}
	name, ok := journalUnquote(s.text[from:s.at])
	s.space()
	if !s.take(':') {
		return false
	}
	s.space()
	from = s.at
	if !s.skipValue() {
		return false
	}
	if ok {
		e.keep(name, s.text[from:s.at])
	}
	return true
}

// keep stores value if name is one of ours.
func (e *journalEnvelope) keep(name, value []byte) {
	var to *[]byte
	switch string(name) {
	case "seq":
		to = &e.seq
	case "received_at":
		to = &e.receivedAt
	case "webhook_id":
		to = &e.id
	case "webhook_timestamp":
		to = &e.timestamp
	case "webhook_signature":
		to = &e.signature
	case "key":
		to = &e.key
	case "prev":
		to = &e.prev
	case string(FormEvent):
		to = &e.event
	case string(FormText):
		to = &e.text
	case string(FormBase64):
		to = &e.base64
	case "type":
		e.typed = true
		return
	default:
		return
	}
	if *to != nil {
		e.doubled = string(name)
	}
	*to = value
}

// meant reports whether the line is meant as an envelope.
func (e *journalEnvelope) meant() bool {
	return !e.typed && (e.seq != nil || e.id != nil) &&
		(e.event != nil || e.text != nil || e.base64 != nil)
}

func (e *journalEnvelope) record() (r JournalRecord, err error) {
	if e.doubled != "" {
		return r, fmt.Errorf("the member %s stands there twice", e.doubled)
	}
	if r.Seq, err = journalInt("seq", e.seq); err != nil {
		return r, err
	}
	if e.seq != nil && r.Seq < 1 {
		return r, fmt.Errorf("seq is less than 1")
	}
	if r.ReceivedAt, err = journalInstant("received_at", e.receivedAt); err != nil {
		return r, err
	}
	if r.WebhookTimestamp, err = journalInt("webhook_timestamp", e.timestamp); err != nil {
		return r, err
	}
	for _, m := range []struct {
		name string
		from []byte
		to   *string
	}{
		{"webhook_id", e.id, &r.WebhookID},
		{"webhook_signature", e.signature, &r.WebhookSignature},
		{"key", e.key, &r.Key},
		{"prev", e.prev, &r.Prev},
	} {
		text, err := journalText(m.name, m.from)
		if err != nil {
			return r, err
		}
		*m.to = string(text)
	}
	if e.prev != nil && !isJournalHash(r.Prev) {
		return r, fmt.Errorf("prev is not 64 lower-case hex digits")
	}
	r.Body, err = e.body()
	return r, err
}

// body returns the delivered bytes from whichever member holds them.
func (e *journalEnvelope) body() ([]byte, error) {
	switch {
	case e.event != nil && e.text == nil && e.base64 == nil:
		if e.event[0] != '{' {
			return nil, fmt.Errorf("event is not an object")
		}
		return e.event, nil
	case e.event == nil && e.text != nil && e.base64 == nil:
		return journalText("body", e.text)
	case e.event == nil && e.text == nil:
		text, err := journalText("body_base64", e.base64)
		if err != nil {
			return nil, err
		}
		body := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Strict().Decode(body, text)
		if err != nil || bytes.ContainsAny(text, "\r\n") { // the decoder skips line breaks
			return nil, fmt.Errorf("body_base64 is not standard base64")
		}
		return body[:n], nil
	default:
		return nil, fmt.Errorf("more than one of event, body and body_base64")
	}
}

// journalInt reads an integer of plain digits; 0 where the member is absent.
func journalInt(name string, value []byte) (int64, error) {
	if value == nil {
		return 0, nil
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is not a 64-bit integer", name)
	}
	return n, nil
}

// journalText reads a string; empty where the member is absent.
func journalText(name string, value []byte) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	if value[0] != '"' {
		return nil, fmt.Errorf("%s is not a string", name)
	}
	text, ok := journalUnquote(value)
	if !ok {
		return nil, fmt.Errorf("%s holds half of a surrogate pair", name)
	}
	return text, nil
}

// journalInstant reads an RFC 3339 time; zero where the member is absent.
func journalInstant(name string, value []byte) (time.Time, error) {
	text, err := journalText(name, value)
	if err != nil || value == nil {
		return time.Time{}, err
	}
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return time.Time{}, fmt.Errorf("%s is not an RFC 3339 time", name)
	}
	return t.UTC(), nil
}

func isJournalHash(s string) bool {
	if len(s) != len(JournalGenesis) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && c-'a' > 5 {
			return false
		}
	}
	return true
}
