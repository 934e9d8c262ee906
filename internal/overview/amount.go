package overview

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"tallyman/formats"
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

// quick reads an amount that fits into int64.
func quick(text string) (minor int64, digits int, ok bool) {
	rest, negative := strings.CutPrefix(text, "-")
	if rest == "" || len(rest) > 18 {
		return 0, 0, false
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case '0' <= c && c <= '9':
			minor = 10*minor + int64(c-'0')
		case c == '.' && digits == 0 && 0 < i && i < len(rest)-1:
			digits = len(rest) - 1 - i
		default:
			return 0, 0, false
		}
	}
	if negative {
		minor = -minor
	}
	return minor, digits, true
}

// amountSum adds up amounts of one currency: those that fit into int64 apart from the others, which are few.
type amountSum struct {
	minor  int64
	digits int
	large  Decimal
}

// add adds an amount; an empty one is 0.
func (s *amountSum) add(text string) (sign int, err error) {
	v, digits, ok := quick(text)
	if !ok {
		large, err := ParseDecimal(text)
		if err != nil {
			return 0, err
		}
		s.large.Add(large)
		return large.Sign(), nil
	}
	s.digits = max(s.digits, digits)
	sum := s.minor + v
	if (sum > s.minor) != (v > 0) && v != 0 { // it ran over
		s.large.minor.Add(&s.large.minor, big.NewInt(s.minor))
		sum = v
	}
	s.minor = sum
	return cmp.Compare(v, 0), nil
}

// decimal returns the sum.
func (s *amountSum) decimal() *Decimal {
	d := &Decimal{digits: max(s.digits, s.large.digits)}
	d.minor.Add(&s.large.minor, big.NewInt(s.minor))
	return d
}

// currencySums adds up money by currency.
type currencySums map[string]*Decimal

// add adds an amount; an empty one adds nothing and makes no entry.
func (s *currencySums) add(currency, text string) error {
	a, err := ParseDecimal(text)
	if err != nil || text == "" {
		return err
	}
	if *s == nil {
		*s = currencySums{}
	}
	if (*s)[currency] == nil {
		(*s)[currency] = &Decimal{}
	}
	(*s)[currency].Add(a)
	return nil
}

// merge adds a sum of many amounts.
func (s *currencySums) merge(currency string, sum *Decimal) {
	if *s == nil {
		*s = currencySums{}
	}
	if (*s)[currency] == nil {
		(*s)[strings.Clone(currency)] = &Decimal{}
	}
	(*s)[currency].Add(sum)
}

func (s currencySums) amounts() []Amount {
	var list []Amount
	for currency, a := range s {
		list = append(list, Amount{Currency: currency, Amount: a.String()})
	}
	slices.SortFunc(list, func(a, b Amount) int { return cmp.Compare(a.Currency, b.Currency) })
	return list
}

// control is what the rows of balances.csv add up to, to compare it with the printed control totals.
type control struct{ opening, billed, paid, closing currencySums }

// differences says where the rows do not add up to the control totals.
func (c *control) differences(totals []formats.RollForward) []string {
	var list []string
	seen := map[string]bool{}
	for _, t := range totals {
		seen[t.Currency] = true
		for _, f := range []struct {
			name, printed string
			rows          currencySums
		}{{"opening", t.Opening, c.opening}, {"billed", t.Billed, c.billed}, {"paid", t.Paid, c.paid}, {"closing", t.Closing, c.closing}} {
			sum := f.rows[t.Currency]
			if sum == nil {
				sum = &Decimal{}
			}
			if printed, err := ParseDecimal(f.printed); err != nil || printed.Cmp(sum) != 0 {
				list = append(list, fmt.Sprintf("%s %s: summary.json says %s, the rows of balances.csv add up to %s", t.Currency, f.name, f.printed, sum))
			}
		}
	}
	for _, a := range c.closing.amounts() {
		if !seen[a.Currency] {
			list = append(list, fmt.Sprintf("%s: balances.csv has it, summary.json has not", a.Currency))
		}
	}
	return list
}
