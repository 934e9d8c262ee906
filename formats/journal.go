package formats

import (
	"time"
	"unicode/utf8"
)

// JournalGenesis is the Prev of the first line of a journal: 64 zeros
// (design.md section 7).
const JournalGenesis = "0000000000000000000000000000000000000000000000000000000000000000"

// JournalRecord is one line of a journal: a delivery of Moment's webhook with
// what is needed to prove it later, or a bare event without an envelope
// (design.md section 7).
type JournalRecord struct {
	// Seq numbers the lines of one journal from 1, across its segments. It is 0
	// where an envelope written by others has none.
	Seq int64
	// ReceivedAt is when the delivery was received, in UTC, to the microsecond;
	// zero where it is not known.
	ReceivedAt time.Time
	// WebhookID is the header webhook-id, UTF-8.
	WebhookID string
	// WebhookTimestamp is the header webhook-timestamp: Unix seconds at which
	// this attempt was signed.
	WebhookTimestamp int64
	// WebhookSignature is the header webhook-signature as it came, UTF-8.
	WebhookSignature string
	// Key names the secret that verified the signature: the first 8 hex digits
	// of the SHA-256 of the secret as configured.
	Key string
	// Prev is the SHA-256, in 64 lower-case hex digits, of the line before this
	// one without its newline; JournalGenesis on the first line of all; empty
	// where the line is no part of a chain.
	Prev string
	// Body is the delivered body, byte for byte, whichever of event, body and
	// body_base64 holds it. After ParseJournalLine it may share the memory of
	// the line.
	Body []byte
	// Bare marks a line without an envelope: Body is the whole line and every
	// other field is zero.
	Bare bool
}

// JournalForm says which member of a journal line holds a body.
type JournalForm string

// The three forms of design.md section 7. They are the names of the members.
const (
	// FormEvent holds a UTF-8 JSON object from { to } without a line break, byte for byte.
	FormEvent JournalForm = "event"
	// FormText holds any other UTF-8 text, as a JSON string.
	FormText JournalForm = "body"
	// FormBase64 holds any other bytes, in standard base64 with padding.
	FormBase64 JournalForm = "body_base64"
)

// JournalFormOf returns the form in which a journal line holds body.
func JournalFormOf(body []byte) JournalForm {
	switch {
	case !utf8.Valid(body):
		return FormBase64
	case isJournalEvent(body):
		return FormEvent
	default:
		return FormText
	}
}

// isJournalEvent reports whether body, known to be UTF-8, is one JSON object
// that begins with its brace, ends with its brace and stays on one line.
func isJournalEvent(body []byte) bool {
	if len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		return false
	}
	for _, c := range body {
		if c == '\n' || c == '\r' {
			return false
		}
	}
	s := journalScanner{text: body}
	return s.skipValue() && s.at == len(body)
}
