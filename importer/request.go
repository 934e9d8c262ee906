package importer

import (
	"crypto/sha1"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"tallyman/formats"
)

// keySpace is the name space of our idempotency keys; it must never change.
var keySpace = uuid.MustParse("6f0e7a52-4c1b-5d0a-9a0e-7c1d1f7b2a64")

// idempotencyKey returns the key of a request: a UUIDv5 of merchant, mode, operation, reference, canonical body and
// generation (design.md section 6). The same request has the same key on every machine and after every loss of records.
// It is uuid.NewSHA1 without the memory that takes for each record.
func (im *Importer) idempotencyKey(operation, reference string, body []byte, generation int) string {
	var room [1024]byte
	name := append(room[:0], keySpace[:]...)
	for _, part := range [...]string{im.options.Merchant, im.options.Mode, operation, reference} {
		name = append(append(name, part...), 0)
	}
	name = append(append(name, body...), 0)
	sum := sha1.Sum(strconv.AppendInt(name, int64(generation), 10))
	id := uuid.UUID(sum[:len(uuid.UUID{})])
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80 // version and variant (RFC 9562 section 5.5)
	return id.String()
}

// bodySize is room for the body of most requests.
const bodySize = 256

// createBody returns the canonical JSON of a create request: fields in a fixed order, what the record does not say left
// out, metadata sorted by key.
func createBody(c formats.Customer) []byte {
	b := member(append(make([]byte, 0, bodySize), '{'), "external_reference", c.ExternalReference)
	return append(fields(b, c), '}')
}

// updateBody returns the canonical JSON of an update that sends the fields of c.
func updateBody(c formats.Customer) []byte {
	return append(fields([]byte{'{'}, c), '}')
}

func fields(b []byte, c formats.Customer) []byte {
	b = member(b, "name", c.Name)
	b = member(b, "email", c.Email)
	b = member(b, "phone", c.Phone)
	b = member(b, "currency", c.Currency)
	if c.Balance.Set {
		b = strconv.AppendInt(name(b, "balance"), c.Balance.Minor, 10)
	}
	if len(c.Metadata) == 0 {
		return b
	}
	b = append(name(b, "metadata"), '{')
	for _, m := range c.Metadata {
		b = text(name(b, m.Key), m.Value)
	}
	return append(b, '}')
}

// member appends a text member, unless it is empty.
func member(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return text(name(b, key), value)
}

func name(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(text(b, key), ':')
}

// text appends a JSON string. encoding/json would escape <, > and & as well, which is legal and helps nobody.
func text(b []byte, s string) []byte {
	plain, ascii := true, true
	for i := 0; plain && i < len(s); i++ {
		plain, ascii = s[i] >= ' ' && s[i] != '"' && s[i] != '\\', ascii && s[i] < utf8.RuneSelf
	}
	if plain && (ascii || utf8.ValidString(s)) {
		return append(append(append(b, '"'), s...), '"')
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	// A string always encodes.
	_ = encoder.Encode(s)
	return append(b, strings.TrimSuffix(out.String(), "\n")...)
}
