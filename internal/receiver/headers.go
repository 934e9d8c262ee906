package receiver

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"tallyman/internal/journal"
)

// The headers of Standard Webhooks.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"

	maxID     = 255
	maxDigits = 15 // of a timestamp; more than the seconds of any century
)

// headers are the three headers of a delivery, each there exactly once.
type headers struct {
	id            string
	timestamp     int64
	timestampText string // what was signed
	signature     string
}

func readHeaders(h http.Header) (headers, error) {
	var got headers
	var err error
	if got.id, err = one(h, headerID, maxID); err != nil {
		return got, err
	}
	if got.timestampText, err = one(h, headerTimestamp, maxDigits); err != nil {
		return got, err
	}
	if got.signature, err = one(h, headerSignature, journal.MaxSignatureBytes); err != nil {
		return got, err
	}
	if n := len(strings.Fields(got.signature)); n > journal.MaxSignatureItems {
		return got, malformed(fmt.Sprintf("webhook-signature has more than %d entries", journal.MaxSignatureItems))
	}
	got.timestamp, err = plainDigits(got.timestampText)
	return got, err
}

// one returns the value of a header that must be there once, with text in it.
func one(h http.Header, name string, limit int) (string, error) {
	values := h[name]
	text := strings.ToLower(name)
	switch {
	case len(values) == 0 || values[0] == "":
		return "", malformed(text + " is missing")
	case len(values) > 1:
		return "", malformed(text + " is repeated")
	case len(values[0]) > limit:
		return "", malformed(fmt.Sprintf("%s is longer than %d bytes", text, limit))
	case !utf8.ValidString(values[0]), strings.ContainsFunc(values[0], isControl):
		return "", malformed(text + " is no plain text")
	}
	return values[0], nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// plainDigits reads a timestamp. A sign, a leading zero, a space or a point
// would be another text for the same number, and the text is what is signed.
func plainDigits(s string) (int64, error) {
	bad := malformed("webhook-timestamp is not plain digits")
	if s != "0" && s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, bad
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, bad
	}
	return n, nil
}
