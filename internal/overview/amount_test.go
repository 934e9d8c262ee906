package overview_test

import (
	"testing"

	"pgregory.net/rapid"

	"tallyman/formats"
	"tallyman/internal/overview"
)

// Whatever a report prints is read back exactly, and adds up as integers do.
func TestDecimalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"ZAR", "JPY", "BHD"}).Draw(t, "currency")
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		x, errX := overview.ParseDecimal(formats.FormatMajor(a, currency))
		y, errY := overview.ParseDecimal(formats.FormatMajor(b, currency))
		if errX != nil || errY != nil || x.String() != formats.FormatMajor(a, currency) {
			t.Fatalf("%v %v %s", errX, errY, x)
		}
		x.Add(y)
		if want := formats.SumOf(a).Add(b).Major(currency); x.String() != want {
			t.Fatalf("%s, want %s", x, want)
		}
	})
}

func TestDecimalRefusesText(t *testing.T) {
	for _, text := range []string{"x", "1.2.3", "1,5", " 1", "1e5", "0x10"} {
		if d, err := overview.ParseDecimal(text); err == nil {
			t.Errorf("%q is %s", text, d)
		}
	}
	if d, err := overview.ParseDecimal(""); err != nil || d.Sign() != 0 {
		t.Errorf("%s, %v", d, err)
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		part, whole string
		want        int
	}{{"1.00", "4.00", 250}, {"5", "4", 1000}, {"2", "3", 667}, {"1", "3", 333}, {"0.00", "4.00", 0}, {"-1", "4", 0}, {"1", "0", 0}} {
		part, _ := overview.ParseDecimal(c.part)
		whole, _ := overview.ParseDecimal(c.whole)
		if got := part.Share(whole); got != c.want {
			t.Errorf("%s of %s: %d, want %d", c.part, c.whole, got, c.want)
		}
	}
}

func TestFoots(t *testing.T) {
	r := formats.RollForward{Currency: "BHD", Opening: "1.000", Billed: "2.500", Paid: "4.000", Closing: "-0.500"}
	if !overview.Foots(r) {
		t.Error("it does not foot")
	}
	r.Closing = "0.500"
	if overview.Foots(r) {
		t.Error("it foots")
	}
}
