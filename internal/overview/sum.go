package overview

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"tallyman/formats"
)

// quick reads an amount that fits into int64.
func quick[T string | []byte](text T) (minor int64, digits int, ok bool) {
	rest := text
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		rest = text[1:]
	}
	if len(rest) == 0 || len(rest) > 18 {
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

// addAmount adds an amount to a sum; an empty one is 0.
func addAmount[T string | []byte](s *amountSum, text T) (sign int, err error) {
	v, digits, ok := quick(text)
	if !ok {
		large, err := ParseDecimal(string(text))
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
