package overview

import (
	"cmp"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is an exact amount of one currency as a report prints it: 12.50 is 1250 with 2 digits after the point. The zero
// value is 0.
type Decimal struct {
	minor  big.Int
	digits int
}

// ParseDecimal reads an amount of a report; an empty text is 0.
func ParseDecimal(text string) (*Decimal, error) {
	d := &Decimal{}
	whole, fraction, _ := strings.Cut(text, ".")
	d.digits = len(fraction)
	if text == "" {
		return d, nil
	}
	if _, ok := d.minor.SetString(whole+fraction, 10); !ok {
		return nil, fmt.Errorf("%q is no amount", text)
	}
	return d, nil
}

// Add adds an amount of the same currency, which has as many digits, or is 0.
func (d *Decimal) Add(o *Decimal) {
	d.digits = max(d.digits, o.digits)
	d.minor.Add(&d.minor, &o.minor)
}

// Sign is -1, 0 or 1.
func (d *Decimal) Sign() int { return d.minor.Sign() }

// Share is the part of a whole that d is, in thousandths, 0 to 1000; 0 of a whole that is not positive.
func (d *Decimal) Share(whole *Decimal) int {
	if d.Sign() <= 0 || whole.Sign() <= 0 {
		return 0
	}
	part := new(big.Int).Mul(&d.minor, big.NewInt(2000))
	rounded := part.Div(part, &whole.minor).Add(part, big.NewInt(1))
	return int(min(rounded.Int64()/2, 1000))
}

// Cmp compares two amounts of one currency.
func (d *Decimal) Cmp(o *Decimal) int { return d.minor.Cmp(&o.minor) }

// Abs returns the amount without its sign.
func (d *Decimal) Abs() *Decimal {
	abs := &Decimal{digits: d.digits}
	abs.minor.Abs(&d.minor)
	return abs
}

// String prints the amount as the reports do.
func (d *Decimal) String() string {
	digits := new(big.Int).Abs(&d.minor).String()
	if short := d.digits + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	if point := len(digits) - d.digits; d.digits > 0 {
		digits = digits[:point] + "." + digits[point:]
	}
	if d.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// bucket is what is owed at one age.
type bucket struct {
	customers int64
	owed      Decimal
}

// compareAgeing sorts by currency, then from current to the oldest; without a due date comes last.
func compareAgeing(a, b Ageing) int {
	return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(firstDay(a.Bucket), firstDay(b.Bucket)), cmp.Compare(a.Bucket, b.Bucket))
}

// firstDay is the first day of a bucket such as "31-60" or "90+".
func firstDay(bucket string) int {
	end := strings.IndexAny(bucket, "-+")
	switch {
	case bucket == "":
		return 1 << 30
	case end < 0:
		return 0
	}
	n, _ := strconv.Atoi(bucket[:end])
	if strings.HasSuffix(bucket, "+") {
		n++
	}
	return n
}
