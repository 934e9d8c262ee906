package formats

import (
	"math/big"
	"math/bits"
	"strings"
)

// Sum is an exact signed sum of amounts in minor units of one currency, 128 bits wide: adding int64 amounts cannot
// overflow it in any number of events that a machine can hold. The zero value is zero; sums compare with ==. Whoever
// adds must see to it that all amounts are of one currency.
type Sum struct {
	hi int64
	lo uint64
}

// SumOf returns the sum that consists of one amount.
func SumOf(v int64) Sum { return Sum{hi: v >> 63, lo: uint64(v)} }

// AddSum returns s + o.
func (s Sum) AddSum(o Sum) Sum {
	lo, carry := bits.Add64(s.lo, o.lo, 0)
	hi, _ := bits.Add64(uint64(s.hi), uint64(o.hi), carry)
	return Sum{hi: int64(hi), lo: lo}
}

// Neg returns -s.
func (s Sum) Neg() Sum {
	lo, borrow := bits.Sub64(0, s.lo, 0)
	hi, _ := bits.Sub64(0, uint64(s.hi), borrow)
	return Sum{hi: int64(hi), lo: lo}
}

// Add returns s + v.
func (s Sum) Add(v int64) Sum { return s.AddSum(SumOf(v)) }

// Sub returns s - v.
func (s Sum) Sub(v int64) Sum { return s.SubSum(SumOf(v)) }

// SubSum returns s - o.
func (s Sum) SubSum(o Sum) Sum { return s.AddSum(o.Neg()) }

// Abs returns s without its sign.
func (s Sum) Abs() Sum {
	if s.hi < 0 {
		return s.Neg()
	}
	return s
}

// Sign returns -1, 0 or 1 as s is negative, zero or positive.
func (s Sum) Sign() int {
	switch {
	case s.hi < 0:
		return -1
	case s.IsZero():
		return 0
	default:
		return 1
	}
}

// IsZero reports whether s is zero.
func (s Sum) IsZero() bool { return s == Sum{} }

// Cmp returns -1, 0 or 1 as s is less than, equal to or greater than o.
func (s Sum) Cmp(o Sum) int {
	switch {
	case s == o:
		return 0
	case s.hi < o.hi || (s.hi == o.hi && s.lo < o.lo):
		return -1
	default:
		return 1
	}
}

// Int64 returns s as an int64; ok is false if it does not fit.
func (s Sum) Int64() (v int64, ok bool) {
	v = int64(s.lo)
	return v, s.hi == v>>63
}

// String prints s in minor units.
func (s Sum) String() string {
	v := new(big.Int).SetInt64(s.hi)
	v.Lsh(v, 64)
	return v.Add(v, new(big.Int).SetUint64(s.lo)).String()
}

// Major prints s in major units of a currency, as FormatMajor does.
func (s Sum) Major(currency string) string { return majorText(s.String(), currency) }

// ParseSum reads back what Major prints of a sum in a currency; ok is false for any other text, one with another number of
// digits after the point included.
func ParseSum(text, currency string) (sum Sum, ok bool) {
	minor, _ := new(big.Int).SetString(strings.Replace(text, ".", "", 1), 10)
	if minor == nil || minor.BitLen() > 127 {
		return Sum{}, false
	}
	hi := new(big.Int).Rsh(minor, 64)
	sum = Sum{hi: hi.Int64(), lo: new(big.Int).Sub(minor, hi.Lsh(hi, 64)).Uint64()}
	return sum, sum.Major(currency) == text
}
