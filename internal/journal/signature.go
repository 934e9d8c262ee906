package journal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"tallyman/formats"
)

// Bounds of a webhook-signature header (faults.md W5): beyond them it is refused.
const (
	MaxSignatureBytes = 4 << 10 // of the whole header
	MaxSignatureItems = 16      // entries of any version
)

// Secrets are all the secrets in force. During a rotation there are two.
type Secrets []Secret

// Sign returns the signature "v1,<base64>" of a delivery: the HMAC-SHA256 of
// id, timestamp and body joined by dots, as Standard Webhooks has it. The
// timestamp is the text of the header, Unix seconds. The secret must come from
// ParseSecret.
func (s Secret) Sign(id, timestamp string, body []byte) string {
	var sum [sha256.Size]byte
	return "v1," + base64.StdEncoding.EncodeToString(s.mac(sum[:0], id, timestamp, body))
}

// Verify reports whether any v1 entry of the header signature was made by any
// of the secrets over the raw text of id and timestamp and the raw bytes of
// body, and which secret that was. Entries of other versions and entries that
// are not base64 of 32 bytes are passed over; a header of more than 4 KiB or 16
// entries is refused. Whatever the entries, comparing takes constant time.
func (ss Secrets) Verify(id, timestamp, signature string, body []byte) (keyID string, ok bool) {
	var few [MaxSignatureItems][sha256.Size]byte
	claims, ok := signatureClaims(few[:0], signature)
	if !ok || len(claims) == 0 {
		return "", false
	}
	for _, s := range ss {
		if s.material == nil {
			continue
		}
		var sum [sha256.Size]byte
		want := s.mac(sum[:0], id, timestamp, body)
		match := false
		for i := range claims {
			if hmac.Equal(claims[i][:], want) {
				match = true
			}
		}
		if match {
			return s.material.id, true
		}
	}
	return "", false
}

// signatureClaims appends the v1 entries of a signature header to dst. It
// returns false if the header is out of bounds.
func signatureClaims(dst [][sha256.Size]byte, header string) ([][sha256.Size]byte, bool) {
	if len(header) > MaxSignatureBytes {
		return nil, false
	}
	items := 0
	for item := range strings.SplitSeq(header, " ") {
		if item == "" {
			continue
		}
		if items++; items > MaxSignatureItems {
			return nil, false
		}
		text, ok := strings.CutPrefix(item, "v1,")
		if !ok || len(text) != base64.StdEncoding.EncodedLen(sha256.Size) {
			continue
		}
		var sum [33]byte // base64 of 32 bytes decodes within 33
		n, err := base64.StdEncoding.Strict().Decode(sum[:], []byte(text))
		if err == nil && n == sha256.Size {
			dst = append(dst, [sha256.Size]byte(sum[:n]))
		}
	}
	return dst, true
}

// Verdict says what is known of the signature of a journal line. The words are
// those of the column signature in payments.csv.
type Verdict string

// The verdicts of design.md section 8.
const (
	Verified   Verdict = "verified"   // a secret at hand made the signature
	Unverified Verdict = "unverified" // a bare event, or the secret is not at hand
	Failed     Verdict = "failed"     // the secret that the line names did not make the signature
)

// Check re-checks the signature of a line of a journal. The timestamp plays no
// part: it was in its window when the line was received. A line that names no
// secret is verified by any of them, and else unverified.
func (ss Secrets) Check(r formats.JournalRecord) Verdict {
	if r.Bare || r.WebhookSignature == "" {
		return Unverified
	}
	known := ss
	if r.Key != "" {
		known = ss.named(r.Key)
	}
	if len(known) == 0 {
		return Unverified
	}
	timestamp := strconv.FormatInt(r.WebhookTimestamp, 10)
	if _, ok := known.Verify(r.WebhookID, timestamp, r.WebhookSignature, r.Body); ok {
		return Verified
	}
	if r.Key == "" {
		return Unverified
	}
	return Failed
}

// named returns the secrets with the given ID; there is one at most unless a
// secret is configured twice.
func (ss Secrets) named(id string) Secrets {
	for i, s := range ss {
		if s.ID() == id {
			return ss[i : i+1]
		}
	}
	return nil
}
