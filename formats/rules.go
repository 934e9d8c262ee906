package formats

import (
	"net/mail"
	"regexp"
	"strings"
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
	phonePattern = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	scientific   = regexp.MustCompile(`^-?[0-9]([.,][0-9]+)?[eE][+-]?[0-9]+$`)
	decimalZeros = regexp.MustCompile(`^[0-9]+[.,]0+$`)
)

// reservedPrefixes begin Moment's own ids: a reference that starts so would address somebody else.
var reservedPrefixes = []string{"bcus_", "bacc_", "bill_"}

// A rule looks at one cell and returns a rule word and a remedy, or two empty texts if the cell is fine.
type rule func(cell string) (word, remedy string)

func checkReference(s string) (word, remedy string) {
	switch {
	case s == "":
		return "missing_reference", "every customer needs an external reference"
	case !isReference(s):
		return "bad_reference", referenceHint(s)
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

// isReference reports whether s has only the characters of a reference, [A-Za-z0-9_-].
func isReference(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetterOrDigit(c) && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isLetterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func referenceHint(s string) string {
	switch {
	case scientific.MatchString(s):
		return "a spreadsheet has turned it into scientific notation; format the column as text and export again"
	case decimalZeros.MatchString(s):
		return "a spreadsheet has turned it into a decimal number; format the column as text and export again"
	case strings.TrimSpace(s) != s:
		return "take out the white space around it"
	}
	return "use only letters, digits, _ and - (no spaces, dots, slashes or accents)"
}

func checkName(s string) (word, remedy string) {
	if len(s) > MaxText && utf8.RuneCountInString(s) > MaxText {
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
	if len(s) > MaxText && utf8.RuneCountInString(s) > MaxText {
		return "bad_email", "at most 255 characters"
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || !isDomain(s[at+1:]) {
		return "bad_email", remedyText
	}
	if isPlainLocalPart(s[:at]) {
		return "", ""
	}
	address, err := mail.ParseAddress(s)
	if err != nil || address.Address != s || address.Name != "" {
		return "bad_email", remedyText
	}
	return "", ""
}

// isPlainLocalPart reports whether the part before the @ is made of letters, digits, single dots inside and _ + - only,
// about which there is no question.
func isPlainLocalPart(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case isLetterOrDigit(c), c == '_', c == '+', c == '-':
		case c == '.' && i > 0 && i < len(s)-1 && s[i-1] != '.':
		default:
			return false
		}
	}
	return true
}

// isDomain reports whether s is two or more labels of letters, digits and inner hyphens.
func isDomain(s string) bool {
	labels, length := 1, 0
	for i := range len(s) {
		switch c := s[i]; {
		case isLetterOrDigit(c):
			length++
		case c == '-' && length > 0 && i+1 < len(s) && s[i+1] != '.':
			length++
		case c == '.' && length > 0:
			labels, length = labels+1, 0
		default:
			return false
		}
		if length > 63 {
			return false
		}
	}
	return labels > 1 && length > 0
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

func checkMetadataValue(s string) (word, remedy string) {
	if len(s) > MaxMetadataValue && utf8.RuneCountInString(s) > MaxMetadataValue {
		return "metadata_too_long", "at most 500 characters"
	}
	return "", ""
}
