package formats

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

// The quick way must decide as the long one does, in every country that has it.
func TestQuickPhonesAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	quick := 0
	for _, country := range []string{"ZA", "KE", "NG", "GH", "BW", "NA", "MZ", "ZW", "TZ", "UG", "FR", "DE", "PL", "US", "GB"} {
		p := newPhones(country)
		if p.fast == nil {
			continue
		}
		quick++
		for range 800 {
			national := ""
			for range p.fast.length {
				national += strconv.Itoa(random.IntN(10))
			}
			for _, text := range []string{"+" + p.code + national, p.national + national} {
				fast, ok := p.readFast(text)
				slow, word, _ := p.readSlow(text)
				if ok && (fast != slow || word != "") {
					t.Fatalf("%s: %s is %s, and the long way %s %s", country, text, fast, slow, word)
				}
				if !ok && word == "" && text[0] == '+' {
					t.Fatalf("%s: %s is not found quickly, and is %s", country, text, slow)
				}
			}
		}
	}
	if quick < 8 || newPhones("ZA").fast == nil || newPhones("US").fast != nil {
		t.Errorf("%d countries have the quick way", quick)
	}
}

// What is taken is E.164, valid in the eyes of the library, and reads as itself.
func FuzzPhone(f *testing.F) {
	for _, seed := range []string{"0821234567", "+27 82 123 4567", "27821234567", "0027821234567", "082 123 456", "2.78E+10", "+", "", "+1 212 555 0123", "0800 FLOWERS", "+800 1234 5678"} {
		f.Add(seed)
	}
	p := newPhones("ZA")
	f.Fuzz(func(t *testing.T, text string) {
		number, word, remedy := p.read(text)
		if word != "" {
			if number != text || remedy == "" {
				t.Fatalf("%q became %q, %s %q", text, number, word, remedy)
			}
			return
		}
		if text == "" {
			return
		}
		if !phonePattern.MatchString(number) {
			t.Fatalf("%q was read as %q", text, number)
		}
		parsed, err := phonenumbers.Parse(number, "")
		if err != nil || !phonenumbers.IsValidNumber(parsed) {
			t.Fatalf("%q was read as %q: %v", text, number, err)
		}
		if again, word, _ := p.read(number); again != number || word != "" {
			t.Fatalf("%q was read as %q, and that as %q %s", text, number, again, word)
		}
	})
}

func TestDigitMatcherIsTheExpression(t *testing.T) {
	patterns := []string{"", "1", "[2-4]\\d{3}", "8(?:1|23?)4*", "(?:1[0-8]|2[1-378])\\d{2,3}|9", "(?:0|1(?:2|3){2,4})+", "\\d*7"}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.SampledFrom(patterns).Draw(t, "pattern")
		text := rapid.StringMatching(`[0-9a]{0,8}`).Draw(t, "text")
		want := regexp.MustCompile("^(?:" + pattern + ")$").MatchString(text)
		if got := compileDigits(pattern).match(text); got != want {
			t.Fatalf("%q matches %q: %v", pattern, text, got)
		}
	})
	for _, pattern := range []string{"(", "^1$", "1\\b2"} {
		if compileDigits(pattern) != nil {
			t.Errorf("%q was compiled", pattern)
		}
	}
	// A table that would grow without bounds is given up.
	if compileDigits("[01]*1[01]{16}") != nil {
		t.Error("a pattern of 65536 states was compiled")
	}
}
