package formats

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// phones reads telephone numbers into E.164, for one country or for none. What it takes is what package phonenumbers finds
// valid, less what that is too kind about: digits of other scripts, letters, extensions, a number that lost a digit.
type phones struct {
	country  string
	code     string // calling code of the country
	national string // national prefix, if a number is made by leaving it out
	fast     *phonePlan
}

// phonePlan decides quickly about numbers of the usual length of one country, as package phonenumbers would.
type phonePlan struct {
	length           int
	general, ofTypes *digitMatcher
}

const phoneRemedy = "write it in E.164: + and country code, then digits only, such as +27821234567"

func knownPhoneCountry(country string) bool { return phonenumbers.GetSupportedRegions()[country] }

func newPhones(country string) *phones {
	p := &phones{country: country}
	code := phonenumbers.GetCountryCodeForRegion(country)
	if code == 0 {
		return p
	}
	p.code = strconv.Itoa(code)
	if len(phonenumbers.GetRegionCodesForCountryCode(code)) > 1 {
		return p // which region a number belongs to depends on more than its own pattern
	}
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		return p
	}
	for _, m := range all.GetMetadata() {
		if m.GetId() == country {
			p.fast = planPhones(m)
			if m.GetNationalPrefix() == m.GetNationalPrefixForParsing() && m.GetNationalPrefixTransformRule() == "" {
				p.national = m.GetNationalPrefix()
			}
		}
	}
	return p
}

// planPhones compiles the patterns of a country's metadata for numbers of the length that its mobile numbers have.
func planPhones(m *phonenumbers.PhoneMetadata) *phonePlan {
	length := len(m.GetMobile().GetExampleNumber())
	if length < shortestNational(m.GetId()) {
		return nil
	}
	var types []string
	for _, d := range []*phonenumbers.PhoneNumberDesc{
		m.GetPremiumRate(), m.GetTollFree(), m.GetSharedCost(), m.GetVoip(), m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
		m.GetFixedLine(), m.GetMobile(),
	} {
		if admits(d, length) && d.GetNationalNumberPattern() != "" {
			types = append(types, "(?:"+d.GetNationalNumberPattern()+")")
		}
	}
	if !admits(m.GetGeneralDesc(), length) {
		return nil
	}
	plan := &phonePlan{length: length, general: compileDigits(m.GetGeneralDesc().GetNationalNumberPattern()), ofTypes: compileDigits(strings.Join(types, "|"))}
	if plan.general == nil || plan.ofTypes == nil {
		return nil
	}
	return plan
}

func admits(d *phonenumbers.PhoneNumberDesc, length int) bool {
	return len(d.GetPossibleLength()) == 0 || slices.Contains(d.GetPossibleLength(), int32(length))
}

func (p *phonePlan) valid(national string) bool {
	return p.general.match(national) && p.ofTypes.match(national)
}

// shortestNational is the length of the shorter one of a country's example numbers. Patterns of some countries, South
// Africa's among them, match numbers that lack digits.
func shortestNational(country string) int {
	shortest := 0
	for _, t := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE} {
		if example := phonenumbers.GetExampleNumberForType(country, t); example != nil {
			if n := len(phonenumbers.GetNationalSignificantNumber(example)); shortest == 0 || n < shortest {
				shortest = n
			}
		}
	}
	return shortest
}

// read returns the number in E.164, or a rule word and a remedy. An empty text is no number and no fault.
func (p *phones) read(s string) (e164, word, remedy string) {
	if s == "" {
		return "", "", ""
	}
	if number, ok := p.readFast(s); ok {
		return number, "", ""
	}
	return p.readSlow(s)
}

// readFast reads +27821234567 and, in its country, 0821234567; ok is false for what must be looked at more closely.
func (p *phones) readFast(s string) (e164 string, ok bool) {
	if p.fast == nil {
		return "", false
	}
	if n := len(s) - p.fast.length; n == 1+len(p.code) && s[0] == '+' && s[1:n] == p.code && p.fast.valid(s[n:]) {
		return s, true
	} else if n == len(p.national) && n > 0 && s[:n] == p.national && p.fast.valid(s[n:]) {
		return "+" + p.code + s[n:], true
	}
	return "", false
}

func (p *phones) readSlow(s string) (e164, word, remedy string) {
	const bad = "bad_phone"
	text, hint := bareNumber(s)
	international := strings.HasPrefix(text, "+")
	switch {
	case hint != "":
		return s, bad, hint
	case !international && p.country == "":
		return s, bad, phoneRemedy + ", or say in files.phone_country where it is dialled"
	case international && !phonePattern.MatchString(text):
		return s, bad, phoneRemedy
	}
	country := p.country
	if international {
		country = phonenumbers.UNKNOWN_REGION
	}
	number, err := phonenumbers.Parse(text, country)
	if err != nil || !phonenumbers.IsValidNumber(number) || number.GetExtension() != "" {
		return s, bad, "there is no such number: a digit is missing, too many or wrong; " + phoneRemedy
	}
	e164 = phonenumbers.Format(number, phonenumbers.E164)
	region := phonenumbers.GetRegionCodeForNumber(number)
	national := phonenumbers.GetNationalSignificantNumber(number)
	switch {
	case international && e164 != text:
		return s, bad, "take the 0 after the country code out; " + phoneRemedy
	case !phonePattern.MatchString(e164), len(national) < shortestNational(region):
		return s, bad, "it has too few digits; " + phoneRemedy
	case !international && !strings.HasPrefix(text, "00") && region != p.country:
		return s, bad, "it is no number of " + p.country + "; " + phoneRemedy
	}
	return e164, "", ""
}

// bareNumber takes out the signs that people write between the digits of a number. A hint says why it is none.
func bareNumber(s string) (digits, hint string) {
	switch {
	case scientific.MatchString(s):
		return "", "a spreadsheet has turned it into scientific notation; format the column as text and export again"
	case decimalZeros.MatchString(s):
		return "", "a spreadsheet has turned it into a decimal number; format the column as text and export again"
	case strings.TrimSpace(s) != s:
		return "", "take out the white space around it"
	}
	var out []byte
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			out = append(out, byte(r))
		case strings.ContainsRune(" -.()\u00a0\u2011\u2013", r):
		default:
			return "", phoneRemedy + "; letters, extensions and other signs do not belong in it"
		}
	}
	return string(out), ""
}
