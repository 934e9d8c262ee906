package overview

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tallyman/formats"
)

// Amounts add up exactly, also where they run over int64 or do not fit into it.
func TestAmountSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sum amountSum
		want := formats.Sum{}
		edge := rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, 999_999_999_999_999_999, -999_999_999_999_999_999})
		for _, v := range rapid.SliceOf(rapid.OneOf(edge, rapid.Int64())).Draw(t, "amounts") {
			sign, err := addAmount(&sum, formats.FormatMajor(v, "ZAR"))
			if err != nil || sign != big.NewInt(v).Sign() {
				t.Fatalf("%d: sign %d, %v", v, sign, err)
			}
			want = want.Add(v)
		}
		if got := sum.decimal(); got.String() != want.Major("ZAR") && want != (formats.Sum{}) {
			t.Fatalf("%s, want %s", got, want.Major("ZAR"))
		}
	})
}

// An amount is read the quick way only if ParseDecimal reads the same.
func TestQuickAmount(t *testing.T) {
	for _, text := range []string{
		"", "0", "-0", "12", "12.", ".5", "-.5", "1.2.3", "1.25", "-0.05", "+1", "1e5", " 1", "-", "--1",
		"999999999999999999", "1000000000000000000", strings.Repeat("9", 40), "1.0000000000000001",
	} {
		v, digits, ok := quick(text)
		if same, d, again := quick([]byte(text)); same != v || d != digits || again != ok {
			t.Errorf("%q: as bytes it is %d with %d digits", text, same, d)
		}
		if !ok {
			continue
		}
		want, err := ParseDecimal(text)
		if err != nil || want.minor.Cmp(big.NewInt(v)) != 0 || want.digits != digits {
			t.Errorf("%q: %d with %d digits, want %s, %v", text, v, digits, want, err)
		}
	}
}

// Many amounts that fit into int64 may run over it together.
func TestAmountSumRunsOver(t *testing.T) {
	for text, want := range map[string]string{"999999999999999999": "19999999999999999980", "-999999999999999999": "-19999999999999999980"} {
		var sum amountSum
		for range 20 {
			if _, err := addAmount(&sum, text); err != nil {
				t.Fatal(err)
			}
		}
		if got := sum.decimal().String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
