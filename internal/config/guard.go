package config

import (
	"errors"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Guard is a limit in percent, or off. The zero value is a limit of 0 %.
type Guard struct {
	off    bool
	points int64
}

// maxPoints keeps a limit within what anybody means: 1,000,000 %.
const maxPoints = 100 * 1_000_000

// PercentGuard returns a limit of so many percent.
func PercentGuard(percent int64) Guard { return Guard{points: percent * 100} }

// OffGuard returns the guard that holds nothing back.
func OffGuard() Guard { return Guard{off: true} }

// Off reports whether the guard was turned off.
func (g Guard) Off() bool { return g.off }

// BasisPoints returns the limit in hundredths of a percent; 0 if the guard is
// off.
func (g Guard) BasisPoints() int64 { return g.points }

// Exceeded reports whether part is more of whole than the limit allows. Part
// and whole are not negative. Any part of nothing is too much. It is exact for
// every int64.
func (g Guard) Exceeded(part, whole int64) bool {
	if g.off {
		return false
	}
	leftHigh, leftLow := bits.Mul64(uint64(part), 100*100)
	rightHigh, rightLow := bits.Mul64(uint64(whole), uint64(g.points))
	return leftHigh > rightHigh || leftHigh == rightHigh && leftLow > rightLow
}

// ExceededBig is Exceeded for sums that may be beyond int64.
func (g Guard) ExceededBig(part, whole *big.Int) bool {
	if g.off {
		return false
	}
	left := new(big.Int).Mul(part, big.NewInt(100*100))
	return left.Cmp(new(big.Int).Mul(whole, big.NewInt(g.points))) > 0
}

// String returns the limit as it is written in a configuration.
func (g Guard) String() string {
	if g.off {
		return "off"
	}
	text := strconv.FormatInt(g.points/100, 10)
	if rest := g.points % 100; rest != 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(100+rest, 10)[1:], "0")
	}
	return text + "%"
}

// MarshalText returns String.
func (g Guard) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads "5%", "2.5%" (at most two decimals) or "off".
func (g *Guard) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*g = OffGuard()
		return nil
	}
	wrong := errors.New("must be a percentage such as 5%, or off")
	number, ok := strings.CutSuffix(string(text), "%")
	if !ok {
		return wrong
	}
	whole, decimals, _ := strings.Cut(number, ".")
	if !isDigits(whole) || strings.Contains(number, ".") && !isDigits(decimals) || len(decimals) > 2 {
		return wrong
	}
	points, err := strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	if err != nil || points > maxPoints {
		return errors.New("is far too large a percentage")
	}
	*g = Guard{points: points}
	return nil
}

// Toggle is true or false; a configuration may also say on or off.
type Toggle bool

// UnmarshalText reads true, on, false and off.
func (t *Toggle) UnmarshalText(text []byte) error {
	switch string(text) {
	case "true", "on":
		*t = true
	case "false", "off":
		*t = false
	default:
		return errors.New("must be true or off")
	}
	return nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
