package formats

import (
	"strings"
	"time"
)

// time returns the instant of a member that is there once and is an RFC 3339 text.
func (m *usedMember) time() (time.Time, bool) { return eventTime(m.text()) }

// eventTime reads an RFC 3339 text.
func eventTime(text string) (time.Time, bool) {
	text = strings.ToUpper(text) // RFC 3339 section 5.6 allows t and z
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !strictRFC3339(text) {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// strictRFC3339 reports whether a text that time.Parse took is right by the standard as well. Go takes more: an hour of
// one digit, a comma before the fraction, and offsets of 24 hours and 60 minutes (https://go.dev/issue/54580). Such a
// time would be a guess at the day that a payment belongs to.
func strictRFC3339(text string) bool {
	const hourEnd = len("2006-01-02T15")
	if text[hourEnd] != ':' || strings.Contains(text, ",") {
		return false
	}
	if strings.HasSuffix(text, "Z") {
		return true
	}
	offset := text[len(text)-len("07:00"):]
	return offset[:2] < "24" && offset[3:] < "60"
}
