package formats

import (
	_ "embed"
	"errors"
	"strconv"
	"strings"
	"sync"
)

// The two ways in which text is no exact amount. An AmountError wraps one of them.
var (
	// ErrAmountSyntax says that the text is not a number written the only way that leaves no doubt.
	ErrAmountSyntax = errors.New("not an exact amount")
	// ErrAmountRange says that the amount does not fit into an int64 of minor units.
	ErrAmountRange = errors.New("amount out of range")
)

// AmountError says why a text was refused as an amount of money. Its message is for the person who wrote the file; it
// never holds the text itself.
type AmountError struct {
	Hint string // what to do about it
	Err  error  // ErrAmountSyntax or ErrAmountRange
}

func (e *AmountError) Error() string { return e.Err.Error() + ": " + e.Hint }

func (e *AmountError) Unwrap() error { return e.Err }

//go:embed iso4217.csv
var iso4217 string

// minorDigits is the list of active ISO 4217 codes by codeIndex, with one more than the digits of their minor unit; 0 for
// what is no code. It is looked into for every row of a file.
var minorDigits = sync.OnceValue(func() *[26 * 26 * 26]byte {
	table := new([26 * 26 * 26]byte)
	for line := range strings.Lines(iso4217) {
		code, digits, _ := strings.Cut(strings.TrimSpace(line), ",")
		at, isCode := codeIndex(code)
		if n, err := strconv.ParseUint(digits, 10, 4); err == nil && isCode {
			table[at] = byte(n) + 1
		}
	}
	return table
})

// codeIndex numbers the texts of three capital letters.
func codeIndex(code string) (index int, ok bool) {
	if len(code) != 3 {
		return 0, false
	}
	for i := range len(code) {
		letter := code[i] - 'A'
		if letter >= 26 {
			return 0, false
		}
		index = 26*index + int(letter)
	}
	return index, true
}

// MinorDigits returns how many decimal digits the minor unit of a currency has by ISO 4217 (ZAR 2, JPY 0, BHD 3). ok is
// false for a text that is no active code; codes are upper case.
func MinorDigits(currency string) (digits int, ok bool) {
	at, ok := codeIndex(currency)
	if !ok || minorDigits()[at] == 0 {
		return 0, false
	}
	return int(minorDigits()[at]) - 1, true
}

// ParseMinor reads an amount in minor units: an optional minus sign and ASCII digits, nothing else, within int64. "-0"
// and leading zeros other than "0" itself are refused, since no billing system writes them on purpose. The error is an
// *AmountError.
func ParseMinor(s string) (int64, error) {
	digits := strings.TrimPrefix(s, "-")
	if !allDigits(digits) {
		return 0, &AmountError{Hint: hintForMinor(s), Err: ErrAmountSyntax}
	}
	if (len(digits) > 1 && digits[0] == '0') || s == "-0" {
		return 0, &AmountError{Hint: "write it without leading zeros", Err: ErrAmountSyntax}
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, &AmountError{Hint: "it does not fit into 64 bits of minor units", Err: ErrAmountRange}
	}
	return v, nil
}

// FormatMajor prints minor units as a signed decimal in major units with the currency's digits and no grouping: 2000 ZAR
// is "20.00", 20 JPY is "20". The digits of a currency that ISO 4217 does not list are unknown, so its amount is printed
// as it is, in minor units.
func FormatMajor(minor int64, currency string) string {
	return majorText(strconv.FormatInt(minor, 10), currency)
}

// majorText puts the decimal point into an integer that is printed in minor units.
func majorText(minor, currency string) string {
	exponent, _ := MinorDigits(currency)
	if exponent == 0 {
		return minor
	}
	sign, digits := "", minor
	if strings.HasPrefix(minor, "-") {
		sign, digits = "-", minor[1:]
	}
	if missing := exponent + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - exponent
	return sign + digits[:point] + "." + digits[point:]
}

// allDigits reports whether s is one or more ASCII digits.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
