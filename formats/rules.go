package formats

import (
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of Moment's customer fields (Moment: /api-reference/billing/customers/create), in characters.
const (
	MaxReference     = 255
	MaxText          = 255 // name and email
	MaxMetadataKeys  = 10
	MaxMetadataKey   = 40
	MaxMetadataValue = 500
)

var (
	referencePattern = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	phonePattern     = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	scientific       = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+?[0-9]+$`)
	domainLabel      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
)

// reservedPrefixes begin Moment's own ids: a reference that starts so would address somebody else.
var reservedPrefixes = []string{"bcus_", "bacc_", "bill_"}

// A rule looks at one cell and returns a rule word and a remedy, or two empty texts if the cell is fine.
type rule func(cell string) (word, remedy string)

func checkReference(s string) (word, remedy string) {
	switch {
	case s == "":
		return "missing_reference", "every customer needs an external reference"
	case scientific.MatchString(s):
		return "bad_reference", "a spreadsheet has turned it into scientific notation; format the column as text and export again"
	case !referencePattern.MatchString(s):
		return "bad_reference", "use only letters, digits, _ and - (no spaces, dots, slashes or accents)"
	case len(s) > MaxReference:
		return "bad_reference", "at most 255 characters"
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(s, prefix) {
			return "reserved_reference", "it must not begin with bcus_, bacc_ or bill_, which are Moment's own ids"
		}
	}
	return "", ""
}

func checkName(s string) (word, remedy string) {
	if utf8.RuneCountInString(s) > MaxText {
		return "name_too_long", "at most 255 characters"
	}
	return "", ""
}

// checkEmail is stricter than net/mail, which takes display names, domains without a dot and address literals.
func checkEmail(s string) (word, remedy string) {
	const remedyText = "write one address such as name@example.com, or leave it empty"
	if s == "" {
		return "", ""
	}
	if utf8.RuneCountInString(s) > MaxText {
		return "bad_email", "at most 255 characters"
	}
	address, err := mail.ParseAddress(s)
	if err != nil || address.Address != s || address.Name != "" {
		return "bad_email", remedyText
	}
	local, domain := s[:strings.LastIndexByte(s, '@')], s[strings.LastIndexByte(s, '@')+1:]
	if len(local) > 64 || !strings.Contains(domain, ".") {
		return "bad_email", remedyText
	}
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) > 63 || !domainLabel.MatchString(label) {
			return "bad_email", remedyText
		}
	}
	return "", ""
}

func checkPhone(s string) (word, remedy string) {
	switch {
	case s == "" || phonePattern.MatchString(s):
		return "", ""
	case scientific.MatchString(s):
		return "bad_phone", "a spreadsheet has turned it into scientific notation; format the column as text and export again"
	default:
		return "bad_phone", "write it in E.164: + and country code, then digits only, such as +27821234567"
	}
}

func checkCurrency(s string) (word, remedy string) {
	if s == "" {
		return "", ""
	}
	if _, ok := MinorDigits(s); !ok {
		return "bad_currency", "write an ISO 4217 code of three capital letters, such as ZAR"
	}
	return "", ""
}

func checkDueDate(s string) (word, remedy string) {
	if s == "" {
		return "", ""
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "bad_due_date", "write a calendar date as YYYY-MM-DD"
	}
	return "", ""
}

func checkMetadataValue(s string) (word, remedy string) {
	if utf8.RuneCountInString(s) > MaxMetadataValue {
		return "metadata_too_long", "at most 500 characters"
	}
	return "", ""
}

// checkText holds for every cell, whatever its column: it must be UTF-8 text without control characters.
func checkText(s string) (word, remedy string) {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(s[i:]); width == 1 {
				return "bad_encoding", "the text is not valid UTF-8; export the file as UTF-8"
			}
			return "bad_encoding", "the text holds U+FFFD, so a character was lost before this file was written; export it again as UTF-8"
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return "control_character", "take the control characters out"
		}
	}
	return "", ""
}
