package journal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"strings"
	"sync"
)

const (
	// minSecret is the least length of a key in bytes, as Standard Webhooks asks.
	minSecret = 24

	redacted = "[redacted]"
)

// Errors of ParseSecret. None shows a part of the secret.
var (
	ErrSecretEncoding = errors.New("the webhook secret is not base64: give it as whsec_<base64>, as Moment hands it out, " +
		"or as raw:<text> if the text itself is the key")
	ErrSecretShort = fmt.Errorf("the webhook secret is shorter than %d bytes: ask Moment for the whole secret", minSecret)
)

// Secret is the key that signs and verifies webhooks. It prints as [redacted]
// whatever is done to print it. The zero Secret verifies nothing.
type Secret struct {
	// The key stands behind a pointer so that not even %+v of a struct around it
	// can show it.
	material *material
}

type material struct {
	id   string
	macs sync.Pool // of hash.Hash, keyed
}

// ParseSecret reads a secret as it is configured: whsec_<standard base64>, the
// same without the prefix, or raw:<text> where the text is the key itself. The
// key must have at least 24 bytes. It returns ErrSecretEncoding or
// ErrSecretShort (moment-api.md section 8.3: the format is not documented, so
// the prefix decides).
func ParseSecret(s string) (Secret, error) {
	key := []byte(nil)
	if text, ok := strings.CutPrefix(s, "raw:"); ok {
		key = []byte(text)
	} else {
		text = strings.TrimPrefix(s, "whsec_")
		decoded, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || strings.ContainsAny(text, "\r\n") { // the decoder skips line breaks
			return Secret{}, ErrSecretEncoding
		}
		key = decoded
	}
	if len(key) < minSecret {
		return Secret{}, ErrSecretShort
	}
	sum := sha256.Sum256([]byte(s))
	m := &material{id: hex.EncodeToString(sum[:4])}
	m.macs.New = func() any { return hmac.New(sha256.New, key) }
	return Secret{material: m}, nil
}

// ID returns the name of the secret: the first 8 hex digits of the SHA-256 of
// the secret as configured. It stands in every line that the secret verified.
func (s Secret) ID() string {
	if s.material == nil {
		return ""
	}
	return s.material.id
}

// mac appends the HMAC-SHA256 of id, timestamp and body, joined by dots.
func (s Secret) mac(dst []byte, id, timestamp string, body []byte) []byte {
	h, _ := s.material.macs.Get().(hash.Hash)
	defer s.material.macs.Put(h)
	h.Reset()
	var few [320]byte
	head := append(few[:0], id...)
	head = append(head, '.')
	head = append(head, timestamp...)
	head = append(head, '.')
	h.Write(head)
	h.Write(body)
	return h.Sum(dst)
}

// String returns [redacted].
func (s Secret) String() string { return redacted }

// GoString returns [redacted].
func (s Secret) GoString() string { return redacted }

// Format prints [redacted] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns [redacted].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns [redacted].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

var (
	_ fmt.Formatter  = Secret{}
	_ slog.LogValuer = Secret{}
)
