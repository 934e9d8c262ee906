package sandbox

import (
	"fmt"
	"net/mail"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The limits of Moment: /api-reference/billing/customers/create. Lengths are
// counted in characters.
const (
	maxText          = 255
	maxMetadata      = 10
	maxMetadataKey   = 40
	maxMetadataValue = 500
	reservedPrefix   = "bcus_"
)

// change is what a create or update asks for; nil fields were not sent.
type change struct {
	reference, name, email, phone, currency *string
	balance                                 *int64
	metadata                                map[string]string
}

// wireCustomer delays the reading of every field, so that a wrong type is
// reported as that field's fault, beside all others. Fields that Moment does not
// know are ignored: whether it refuses them is not documented.
type wireCustomer struct {
	Reference jsontext.Value `json:"external_reference"`
	Name      jsontext.Value `json:"name"`
	Email     jsontext.Value `json:"email"`
	Phone     jsontext.Value `json:"phone"`
	Currency  jsontext.Value `json:"currency"`
	Balance   jsontext.Value `json:"balance"`
	Metadata  jsontext.Value `json:"metadata"`
}

// parseChange reads a request body. The second result lists what is wrong with
// it, a clause for each fault, naming fields and rules but never values.
func parseChange(body []byte) (change, []string) {
	var w wireCustomer
	if jsontext.Value(body).Kind() != '{' {
		return change{}, []string{"the body must be a JSON object"}
	}
	if err := json.Unmarshal(body, &w); err != nil {
		return change{}, []string{"the body is not valid JSON, or names a field twice"}
	}
	var f fieldReader
	c := change{
		reference: f.text("external_reference", w.Reference, referenceRule),
		name:      f.text("name", w.Name, textRule),
		email:     f.text("email", w.Email, emailRule),
		phone:     f.text("phone", w.Phone, phoneRule),
		currency:  f.text("currency", w.Currency, currencyRule),
		balance:   f.integer("balance", w.Balance),
		metadata:  f.metadata(w.Metadata),
	}
	if w.Balance != nil && w.Currency == nil {
		f.fault("currency", "is required with balance")
	}
	return c, f.faults
}

// fieldReader reads fields and collects their faults.
type fieldReader struct{ faults []string }

func (f *fieldReader) fault(field, rule string) {
	f.faults = append(f.faults, field+" "+rule)
}

// text reads an optional string; rule returns what is broken, or nothing.
func (f *fieldReader) text(field string, v jsontext.Value, rule func(string) string) *string {
	if v == nil {
		return nil
	}
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		f.fault(field, "must be a string")
		return nil
	}
	if broken := rule(s); broken != "" {
		f.fault(field, broken)
		return nil
	}
	return &s
}

// integer reads an optional integer. Its spelling decides, not its value: 1.0,
// 1e2 and "1" (whose quotes are still there) are refused.
func (f *fieldReader) integer(field string, v jsontext.Value) *int64 {
	if v == nil {
		return nil
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		f.fault(field, "must be an integer number of minor units")
		return nil
	}
	return &n
}

func (f *fieldReader) metadata(v jsontext.Value) map[string]string {
	if v == nil {
		return nil
	}
	var values map[string]jsontext.Value
	if v.Kind() != '{' || json.Unmarshal(v, &values) != nil {
		f.fault("metadata", "must be an object")
		return nil
	}
	if len(values) > maxMetadata {
		f.fault("metadata", fmt.Sprintf("must have at most %d keys", maxMetadata))
	}
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := make(map[string]string, len(values))
	for _, k := range keys {
		if utf8.RuneCountInString(k) > maxMetadataKey {
			f.fault("metadata", fmt.Sprintf("keys must have at most %d characters", maxMetadataKey))
		}
		if s := f.text("metadata value", values[k], metadataRule); s != nil {
			out[k] = *s
		}
	}
	return out
}

// referenceRule is the rule for external references, with the prefix that Moment
// reserved on 16 March 2026.
func referenceRule(s string) string {
	switch {
	case s == "" || len(s) > maxText || strings.IndexFunc(s, notReference) >= 0:
		return "must be 1 to 255 characters of A-Z, a-z, 0-9, _ and -"
	case strings.HasPrefix(s, reservedPrefix):
		return "must not begin with " + reservedPrefix
	}
	return ""
}

func notReference(r rune) bool {
	return !isAlnum(r) && r != '_' && r != '-'
}

func isAlnum(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

func textRule(s string) string {
	if utf8.RuneCountInString(s) > maxText {
		return "must have at most 255 characters"
	}
	return ""
}

func metadataRule(s string) string {
	if utf8.RuneCountInString(s) > maxMetadataValue {
		return "must have at most 500 characters"
	}
	return ""
}

func emailRule(s string) string {
	if parsed, err := mail.ParseAddress(s); err != nil || parsed.Address != s {
		return "must be an e-mail address"
	}
	return textRule(s)
}

// phoneRule is E.164: a plus, a digit that is not 0, and up to 14 more.
func phoneRule(s string) string {
	digits, ok := strings.CutPrefix(s, "+")
	if !ok || len(digits) < 2 || len(digits) > 15 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return "must be an E.164 number, as in +27821234567"
	}
	return ""
}

func currencyRule(s string) string {
	if len(s) != 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "must be an ISO 4217 code of three capital letters"
	}
	return ""
}
