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

// plainTime reads YYYY-MM-DDThh:mm:ss with up to nine decimals and Z.
func plainTime(text []byte) (time.Time, bool) {
	n := len(text)
	if n < len("2006-01-02T15:04:05Z") || n > len("2006-01-02T15:04:05.999999999Z") || text[n-1] != 'Z' ||
		text[10] != 'T' || text[13] != ':' || text[16] != ':' {
		return time.Time{}, false
	}
	year, month, day, isDate := isoDate(text[:len(time.DateOnly)])
	hour, h := twoDigits(text, 11)
	minute, mi := twoDigits(text, 14)
	second, s := twoDigits(text, 17)
	if !(isDate && h && mi && s) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos, ok := plainFraction(text[19 : n-1])
	seconds := daysBefore(year, month, day)*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)
	return time.Unix(seconds, nanos).UTC(), ok
}

// plainFraction reads a point and up to nine decimals as nanoseconds.
func plainFraction(text []byte) (int64, bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0] != '.' || len(text) == 1 {
		return 0, false
	}
	var v int64
	for i := 1; i < 10; i++ {
		v *= 10
		if i < len(text) {
			if text[i]-'0' > 9 {
				return 0, false
			}
			v += int64(text[i] - '0')
		}
	}
	return v, true
}
