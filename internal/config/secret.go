package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is text that cannot be printed: every way of formatting, logging or
// encoding it gives "[redacted]" (faults.md section 5). Only Reveal returns
// it. The zero value is no secret.
//
// The text is behind a pointer because fmt prints unexported fields of other
// types without asking their methods; of a pointer it prints the address only.
type Secret struct {
	text   *string
	source string
}

// NewSecret makes a secret of text. The source, such as "api.key_file", may be
// shown to people.
func NewSecret(text, source string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text, source: source}
}

// Reveal returns the text itself, for handing it to what needs it; never for
// output.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// Source says where the secret came from; empty for no secret.
func (s Secret) Source() string { return s.source }

// Fingerprint returns the first 8 hexadecimal digits of the text's SHA-256, to
// tell one key from another. It is for keys of high entropy: for a password it
// would confirm a guess.
func (s Secret) Fingerprint() string {
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:4])
}

// Equal reports, in constant time, whether both hold the same text.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns "[redacted]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalYAML returns "[redacted]".
func (s Secret) MarshalYAML() (any, error) { return redacted, nil }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

var (
	_ fmt.Formatter  = Secret{}
	_ slog.LogValuer = Secret{}
)
