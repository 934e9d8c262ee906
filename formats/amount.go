package formats

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Marks are the signs in amounts of major units. The zero value is a decimal point and no grouping.
type Marks struct {
	Decimal rune // '.' or ','; 0 is '.'
	// Group stands between thousands: 0 for nothing, or one of , . ' and space. A space also stands for the no-break,
	// narrow and thin ones, an apostrophe for the typographic one.
	Group rune
}

func (m Marks) check() error {
	switch {
	case m.Decimal != 0 && m.Decimal != '.' && m.Decimal != ',':
		return fmt.Errorf("files.decimal: %q is none: write \".\" or \",\"", m.Decimal)
	case m.Group != 0 && !strings.ContainsRune(",. '", m.Group):
		return fmt.Errorf("files.group: %q is none: write \"\", \",\", \".\", \" \" or \"'\"", m.Group)
	case m.Group == m.decimal():
		return fmt.Errorf("files.group: is the same as files.decimal")
	}
	return nil
}

func (m Marks) decimal() rune {
	if m.Decimal == 0 {
		return '.'
	}
	return m.Decimal
}

// groups reports whether a character is the group mark.
func (m Marks) groups(r rune) bool {
	switch m.Group {
	case 0:
		return false
	case ' ':
		return r == ' ' || r == '\u00a0' || r == '\u202f' || r == '\u2009'
	case '\'':
		return r == '\'' || r == '\u2019'
	}
	return r == m.Group
}

// ParseMajor reads an amount in major units ("240.00") of a currency as minor units (24000), exactly: an optional minus
// sign, ASCII digits, and at most as many decimals after a point as the currency has. The error is an *AmountError, or
// says that the currency is unknown.
func ParseMajor(s, currency string) (int64, error) { return Marks{}.ParseMajor(s, currency) }

// ParseMajor is the function of that name for amounts with these marks. Grouped amounts have their marks at every
// thousand or nowhere.
func (m Marks) ParseMajor(s, currency string) (int64, error) {
	exponent, ok := MinorDigits(currency)
	if !ok {
		return 0, fmt.Errorf("%q is no ISO 4217 currency code", currency)
	}
	if minor, ok := m.plainMajor(s, exponent); ok {
		return minor, nil
	}
	return m.parseMajor(s, currency, exponent)
}

// plainMajor reads what most amounts are: a few digits without marks between thousands. ok is false for what must be looked
// at more closely.
func (m Marks) plainMajor(s string, exponent int) (minor int64, ok bool) {
	const most = 14 // digits and mark: with the decimals of any currency they fit into 64 bits
	unsigned := strings.TrimPrefix(s, "-")
	if len(unsigned) == 0 || len(unsigned) > most || (unsigned[0] == '0' && len(unsigned) > 1 && unsigned[1] <= '9' && unsigned[1] >= '0') {
		return 0, false
	}
	decimals, point := 0, false
	for i := range len(unsigned) {
		switch c := unsigned[i]; {
		case c >= '0' && c <= '9':
			minor = 10*minor + int64(c-'0')
			if point {
				decimals++
			}
		case rune(c) == m.decimal() && !point && i > 0:
			point = true
		default:
			return 0, false
		}
	}
	if point && decimals == 0 || decimals > exponent {
		return 0, false
	}
	for ; decimals < exponent; decimals++ {
		minor *= 10
	}
	if len(unsigned) < len(s) {
		minor = -minor
	}
	return minor, minor != 0 || len(unsigned) == len(s)
}

// parseMajor reads an amount of a currency with so many decimals, however it is written.
func (m Marks) parseMajor(s, currency string, exponent int) (int64, error) {
	digits, decimals, hint := m.digits(s)
	if hint != "" {
		return 0, &AmountError{Hint: hint, Err: ErrAmountSyntax}
	}
	if decimals > exponent {
		return 0, &AmountError{Hint: fmt.Sprintf("%s has %d decimals, and rounding is nobody's decision here", currency, exponent), Err: ErrAmountSyntax}
	}
	v, err := strconv.ParseInt(digits+"000000"[:exponent-decimals], 10, 64)
	if err != nil {
		return 0, &AmountError{Hint: "it does not fit into 64 bits of minor units", Err: ErrAmountRange}
	}
	return v, nil
}

// digits takes sign and digits out of an amount, as an integer with so many decimals. A hint says why it is none.
func (m Marks) digits(s string) (text string, decimals int, hint string) {
	sign, unsigned := "", s
	if strings.HasPrefix(s, "-") {
		sign, unsigned = "-", s[1:]
	}
	whole, fraction, point := strings.Cut(unsigned, string(m.decimal()))
	if point && !allDigits(fraction) {
		return "", 0, m.hint(s)
	}
	if m.Group != 0 {
		if whole, hint = m.ungroup(whole); hint != "" {
			return "", 0, hint
		}
	}
	if !allDigits(whole) {
		return "", 0, m.hint(s)
	}
	if len(whole) > 1 && whole[0] == '0' {
		return "", 0, "write it without leading zeros"
	}
	if sign != "" && strings.Trim(whole+fraction, "0") == "" {
		return "", 0, "minus zero is no amount"
	}
	if sign == "" && fraction == "" {
		return whole, 0, ""
	}
	return sign + whole + fraction, len(fraction), ""
}

// ungroup takes the group marks out of a whole number. They stand before every three digits, or there are none.
func (m Marks) ungroup(whole string) (digits, hint string) {
	var out []byte
	var mark rune
	run, grouped := 0, false
	for i := 0; i < len(whole); {
		r, width := utf8.DecodeRuneInString(whole[i:])
		i += width
		switch {
		case r >= '0' && r <= '9':
			out = append(out, byte(r))
			run++
		case !m.groups(r):
			return "", m.hint(whole)
		case run == 0 || (grouped && run != 3) || (!grouped && run > 3) || (grouped && r != mark):
			return "", "the signs between thousands do not stand at every third digit"
		default:
			mark, grouped, run = r, true, 0
		}
	}
	if grouped && run != 3 {
		return "", "the signs between thousands do not stand at every third digit"
	}
	return string(out), ""
}

// hint says what is most likely wrong with a text that is no amount in major units.
func (m Marks) hint(s string) string {
	if hint := commonHint(s); hint != "" {
		return hint
	}
	if strings.ContainsAny(s, "., '\u00a0\u202f") {
		return fmt.Sprintf("write digits with %q before the decimals and %s, or say what the file has in files.decimal and files.group", m.decimal(), m.groupText())
	}
	return "write ASCII digits with at most a minus sign in front"
}

func (m Marks) groupText() string {
	if m.Group == 0 {
		return "nothing between thousands"
	}
	return fmt.Sprintf("%q between thousands", m.Group)
}

// hintForMinor says what is most likely wrong with a text that is no amount in minor units.
func hintForMinor(s string) string {
	if hint := commonHint(s); hint != "" {
		return hint
	}
	if strings.ContainsAny(s, ".,") {
		return "write an integer of minor units (cents) without separators, or say what the file has in files.amounts"
	}
	return "write ASCII digits with at most a minus sign in front"
}

func commonHint(s string) string {
	switch {
	case strings.TrimSpace(s) != s:
		return "take out the white space around it"
	case strings.ContainsAny(s, "eE") && strings.ContainsAny(s, "0123456789"):
		return "a spreadsheet has turned it into scientific notation; format the column as text and export again"
	case strings.HasPrefix(s, "+"):
		return "write it without the plus sign"
	}
	return ""
}
