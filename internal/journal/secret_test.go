package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestParseSecret(t *testing.T) {
	const key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // 24 bytes
	for _, c := range []struct {
		name, secret string
		want         error
	}{
		{"with its prefix", "whsec_" + key, nil},
		{"without", key, nil},
		{"literal", "raw:" + strings.Repeat("x", 24), nil},
		{"literal that looks encoded", "raw:whsec_" + key, nil},
		{"empty", "", ErrSecretShort},
		{"bare prefix", "whsec_", ErrSecretShort},
		{"bare raw", "raw:", ErrSecretShort},
		{"23 bytes", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ=", ErrSecretShort},
		{"23 literal bytes", "raw:" + strings.Repeat("x", 23), ErrSecretShort},
		{"no base64", "whsec_this is no base64 at all!!", ErrSecretEncoding},
		{"no base64, no prefix", "correct horse battery staple", ErrSecretEncoding},
		{"URL alphabet", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", ErrSecretEncoding},
		{"line break within", "whsec_MfKQ9r8GKYqrTwjU\nPD8ILPZIo2LaLaSw", ErrSecretEncoding},
		{"space behind", "whsec_" + key + " ", ErrSecretEncoding},
		{"stray bits", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMf==", ErrSecretEncoding},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := ParseSecret(c.secret)
			if !errors.Is(err, c.want) || (err == nil) != (s.ID() != "") {
				t.Fatalf("secret %q, error %v; want %v", s.ID(), err, c.want)
			}
			if err != nil && c.secret != "" && c.secret != "whsec_" && c.secret != "raw:" && strings.Contains(err.Error(), c.secret) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestSecretID(t *testing.T) {
	s, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	// printf %s whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw | sha256sum | cut -c1-8
	if s.ID() != "96ad2ccd" {
		t.Errorf("id %s", s.ID())
	}
	if id := (Secret{}).ID(); id != "" {
		t.Errorf("the zero secret has the id %s", id)
	}
}

func TestSecretCannotBePrinted(t *testing.T) {
	const canary = "canary-canary-canary-canary"
	s, err := ParseSecret("raw:" + canary)
	if err != nil {
		t.Fatal(err)
	}
	type outer struct {
		Shown  Secret
		hidden Secret
		list   Secrets
	}
	o := outer{s, s, Secrets{s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+"\n", s, &s, o)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "secret", s, "in", o, "list", o.list)
	}
	text, err := json.Marshal(map[string]any{"a": s, "b": o, "c": o.list})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	out.WriteString(s.String() + s.GoString())
	printed := out.String()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), strings.Trim(fmt.Sprint([]byte(canary)), "[]")} {
		if strings.Contains(strings.ToLower(printed), form) {
			t.Errorf("the key is printed:\n%s", printed)
		}
	}
	if !strings.Contains(printed, redacted) {
		t.Error("nothing says that the secret is left out")
	}
}
