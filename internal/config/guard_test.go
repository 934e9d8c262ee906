package config

import (
	"math"
	"math/big"
	"testing"
)

func TestGuardText(t *testing.T) {
	for text, want := range map[string]int64{"5%": 500, "0%": 0, "2.5%": 250, "0.01%": 1, "12.30%": 1230, "150%": 15000, "1000000%": 100_000_000} {
		var g Guard
		if err := g.UnmarshalText([]byte(text)); err != nil || g.BasisPoints() != want || g.Off() {
			t.Errorf("%s is %d, %v", text, g.BasisPoints(), err)
		}
		var again Guard
		if err := again.UnmarshalText([]byte(g.String())); err != nil || again != g {
			t.Errorf("%s printed as %s", text, g)
		}
	}
	for _, text := range []string{"", "%", "5", "5 %", "-5%", "+5%", ".5%", "5.%", "5.001%", "1e2%", "٥%", "1000001%", "99999999999999999999%", "OFF", "no"} {
		var g Guard
		if err := g.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, g)
		}
	}
	var g Guard
	if err := g.UnmarshalText([]byte("off")); err != nil || !g.Off() || g.String() != "off" {
		t.Errorf("off is %s, %v", g, err)
	}
}

func TestGuardExceeded(t *testing.T) {
	five := PercentGuard(5)
	for _, tt := range []struct {
		guard       Guard
		part, whole int64
		want        bool
	}{
		{five, 5, 100, false},
		{five, 6, 100, true},
		{five, 1, 19, true},
		{five, 1, 20, false},
		{five, 0, 0, false},
		{five, 1, 0, true},
		{PercentGuard(0), 1, math.MaxInt64, true},
		{PercentGuard(100), math.MaxInt64, math.MaxInt64, false},
		{PercentGuard(99), math.MaxInt64, math.MaxInt64, true},
		{OffGuard(), math.MaxInt64, 1, false},
	} {
		if got := tt.guard.Exceeded(tt.part, tt.whole); got != tt.want {
			t.Errorf("%d of %d at %s: %v", tt.part, tt.whole, tt.guard, got)
		}
		// Sums beyond 64 bits are judged alike.
		part, whole := new(big.Int).Lsh(big.NewInt(tt.part), 40), new(big.Int).Lsh(big.NewInt(tt.whole), 40)
		if got := tt.guard.ExceededBig(part, whole); got != tt.want {
			t.Errorf("%s of %s at %s: %v", part, whole, tt.guard, got)
		}
	}
}
