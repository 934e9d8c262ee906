package formats

import (
	"encoding/base64"
	"strconv"
	"time"
)

// journalTime has always six digits of a second, so that lines of one journal
// sort and compare as text.
const journalTime = "2006-01-02T15:04:05.000000Z"

// AppendLine appends the line of r to dst, with the members in the order of
// design.md section 7 and without a newline, and returns the longer slice. The
// strings of r must be UTF-8: a header that is not belongs in no journal. A
// bare record appends its Body as it is.
//
// ParseJournalLine gives r back, to the microsecond and the byte.
func (r JournalRecord) AppendLine(dst []byte) []byte {
	if r.Bare {
		return append(dst, r.Body...)
	}
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendInt(dst, r.Seq, 10)
	dst = append(dst, `,"received_at":"`...)
	dst = r.ReceivedAt.UTC().Truncate(time.Microsecond).AppendFormat(dst, journalTime)
	dst = append(dst, `","webhook_id":`...)
	dst = appendJournalString(dst, r.WebhookID)
	dst = append(dst, `,"webhook_timestamp":`...)
	dst = strconv.AppendInt(dst, r.WebhookTimestamp, 10)
	dst = append(dst, `,"webhook_signature":`...)
	dst = appendJournalString(dst, r.WebhookSignature)
	dst = append(dst, `,"key":`...)
	dst = appendJournalString(dst, r.Key)
	dst = append(dst, `,"prev":`...)
	dst = appendJournalString(dst, r.Prev)
	return append(appendJournalBody(dst, r.Body), '}')
}

// appendJournalBody appends the comma, the member name and the value that hold
// body.
func appendJournalBody(dst, body []byte) []byte {
	form := JournalFormOf(body)
	dst = append(dst, ',', '"')
	dst = append(dst, form...)
	dst = append(dst, '"', ':')
	switch form {
	case FormEvent:
		return append(dst, body...)
	case FormText:
		return appendJournalString(dst, body)
	default:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, body)
		return append(dst, '"')
	}
}

// appendJournalString appends s as a JSON string. Only what JSON demands is
// escaped, so that people can read a journal with their own eyes.
func appendJournalString[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	clean := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[clean:i]...)
		clean = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	dst = append(dst, s[clean:]...)
	return append(dst, '"')
}
