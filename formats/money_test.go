package formats

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMinorDigits(t *testing.T) {
	for code, want := range map[string]int{"ZAR": 2, "USD": 2, "JPY": 0, "BHD": 3, "UGX": 0, "MGA": 2, "TND": 3, "CLF": 4, "ZWG": 2, "XCG": 2} {
		if got, ok := MinorDigits(code); !ok || got != want {
			t.Errorf("MinorDigits(%s) = %d, %v; want %d", code, got, ok, want)
		}
	}
	for _, code := range []string{"", "zar", "ZA", "ZZZ", "code", "ZWL"} {
		if _, ok := MinorDigits(code); ok {
			t.Errorf("MinorDigits(%q) is known", code)
		}
	}
}

func TestParseMinor(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "-1": -1, "24000": 24000,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		if got, err := ParseMinor(text); err != nil || got != want {
			t.Errorf("ParseMinor(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "+1", "1.0", "1,000", "1e3", "010", "-0", "00", " 1", "1 ", "١", "0x10", "1_000", "--1", "NaN"} {
		if _, err := ParseMinor(text); !errors.Is(err, ErrAmountSyntax) {
			t.Errorf("ParseMinor(%q): %v, want a syntax error", text, err)
		}
	}
	for _, text := range []string{"9223372036854775808", "-9223372036854775809", strings.Repeat("9", 40)} {
		if _, err := ParseMinor(text); !errors.Is(err, ErrAmountRange) {
			t.Errorf("ParseMinor(%q): %v, want a range error", text, err)
		}
	}
}

func TestParseMajor(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		want           int64
	}{
		{"240.00", "ZAR", 24000},
		{"240", "ZAR", 24000},
		{"240.5", "ZAR", 24050},
		{"-0.05", "ZAR", -5},
		{"0", "ZAR", 0},
		{"20", "JPY", 20},
		{"1.234", "BHD", 1234},
		{"92233720368547758.07", "ZAR", math.MaxInt64},
	} {
		if got, err := ParseMajor(c.text, c.currency); err != nil || got != c.want {
			t.Errorf("ParseMajor(%q, %s) = %d, %v; want %d", c.text, c.currency, got, err, c.want)
		}
	}
	for _, c := range [][2]string{
		{"240.000", "ZAR"},
		{"20.0", "JPY"},
		{".5", "ZAR"},
		{"5.", "ZAR"},
		{"-0.00", "ZAR"},
		{"1e3", "ZAR"},
		{"1.2.3", "ZAR"},
		{"007.00", "ZAR"},
		{"", "ZAR"},
		{"-", "ZAR"},
		{"1,5", "ZAR"},
		{"92233720368547758.08", "ZAR"},
		{"1", "ZZZ"},
		{"1.-5", "ZAR"},
	} {
		if got, err := ParseMajor(c[0], c[1]); err == nil {
			t.Errorf("ParseMajor(%q, %s) = %d, want an error", c[0], c[1], got)
		}
	}
}

func TestFormatMajor(t *testing.T) {
	for _, c := range []struct {
		minor          int64
		currency, want string
	}{
		{2000, "ZAR", "20.00"},
		{5, "ZAR", "0.05"},
		{-5, "ZAR", "-0.05"},
		{0, "ZAR", "0.00"},
		{20, "JPY", "20"},
		{1, "BHD", "0.001"},
		{math.MinInt64, "ZAR", "-92233720368547758.08"},
		{1234, "ZZZ", "1234"},
	} {
		if got := FormatMajor(c.minor, c.currency); got != c.want {
			t.Errorf("FormatMajor(%d, %s) = %s, want %s", c.minor, c.currency, got, c.want)
		}
	}
}

func TestMajorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64().Draw(t, "minor")
		currency := rapid.SampledFrom([]string{"ZAR", "JPY", "BHD", "CLF"}).Draw(t, "currency")
		if got, err := ParseMajor(FormatMajor(v, currency), currency); err != nil || got != v {
			t.Fatalf("%d %s came back as %d, %v", v, currency, got, err)
		}
	})
}

func TestSumAgainstBigInt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sum Sum
		want := new(big.Int)
		for _, v := range rapid.SliceOf(rapid.Int64()).Draw(t, "amounts") {
			if rapid.Bool().Draw(t, "subtract") {
				sum = sum.Sub(v)
				want.Sub(want, big.NewInt(v))
				continue
			}
			sum = sum.Add(v)
			want.Add(want, big.NewInt(v))
		}
		if sum.String() != want.String() || sum.Sign() != want.Sign() || sum.Neg().String() != new(big.Int).Neg(want).String() {
			t.Fatalf("sum %s, want %s", sum, want)
		}
		if v, ok := sum.Int64(); ok != want.IsInt64() || (ok && v != want.Int64()) {
			t.Fatalf("Int64 of %s: %d, %v", want, v, ok)
		}
		other := rapid.Int64().Draw(t, "other")
		if sum.Cmp(SumOf(other)) != want.Cmp(big.NewInt(other)) || sum.Abs().Sign() < 0 {
			t.Fatalf("Cmp(%s, %d) = %d", sum, other, sum.Cmp(SumOf(other)))
		}
	})
}

func FuzzParseMinor(f *testing.F) {
	for _, seed := range []string{"0", "-1", "010", "1e3", "9223372036854775808"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := ParseMinor(text); err == nil && SumOf(v).String() != text {
			t.Fatalf("%q was read as %d", text, v)
		}
	})
}
