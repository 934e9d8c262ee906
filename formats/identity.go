package formats

import "fmt"

// identityDigits is how many digits a South African identity number has.
const identityDigits = 13

// checkIdentityNumber holds for a South African identity number: YYMMDD of birth, four digits, 0 to 2 for citizenship, a
// digit, and a check digit by Luhn over all thirteen.
func checkIdentityNumber(s string) (word, remedy string) {
	const word0 = "bad_identity_number"
	switch {
	case s == "":
		return "", ""
	case !allDigits(s):
		if scientific.MatchString(s) || decimalZeros.MatchString(s) {
			return word0, "a spreadsheet has turned it into a number; format the column as text and export again"
		}
		return word0, "a South African identity number is 13 digits and nothing else"
	case len(s) < identityDigits:
		return word0, fmt.Sprintf("it has %d digits, 13 are right: most likely a spreadsheet has eaten leading zeros; format the column as text and export again", len(s))
	case len(s) > identityDigits:
		return word0, fmt.Sprintf("it has %d digits, 13 are right", len(s))
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	switch year := two(0); {
	case !isDate(1900+year, two(2), two(4)) && !isDate(2000+year, two(2), two(4)):
		return word0, "its first six digits are no date of birth (YYMMDD)"
	case s[10] > '2':
		return word0, "its eleventh digit is 0, 1 or 2 (citizen, permanent resident, refugee)"
	case !luhn(s):
		return word0, "its check digit does not fit: a digit is wrong, or two are swapped"
	}
	return "", ""
}

// luhn reports whether the last digit is the check digit of the others.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// checkPassport takes any text but what a spreadsheet makes of a number.
func checkPassport(s string) (word, remedy string) {
	if scientific.MatchString(s) {
		return "bad_passport_number", "a spreadsheet has turned it into a number; format the column as text and export again"
	}
	return "", ""
}
