package nightly

import (
	"slices"
	"strings"

	"tallyman/formats"
)

// Profile is a customer file at a glance, so that a person sees whether it is the right one. Its figures are those of the
// records without problems of their own.
type Profile struct {
	Encoding   string          `json:"encoding"`
	Delimiter  string          `json:"delimiter"`
	Records    int             `json:"records"`
	WithPhone  int             `json:"with_phone"`
	WithEmail  int             `json:"with_email"`
	Currencies []CurrencyTotal `json:"currencies"` // by code
}

// CurrencyTotal sums up the balances in one currency, in minor units.
type CurrencyTotal struct {
	Currency string `json:"currency"`
	Balances int    `json:"balances"`
	Total    string `json:"total"` // may be beyond 64 bits
	Lowest   int64  `json:"lowest"`
	Highest  int64  `json:"highest"`

	sum formats.Sum
}

// Major prints the currency's total, lowest and highest balance in major units.
func (t CurrencyTotal) Major() (total, lowest, highest string) {
	return t.sum.Major(t.Currency), formats.FormatMajor(t.Lowest, t.Currency), formats.FormatMajor(t.Highest, t.Currency)
}

// add counts a good record.
func (p *Profile) add(c *formats.Customer) {
	p.Records++
	if c.Phone != "" {
		p.WithPhone++
	}
	if c.Email != "" {
		p.WithEmail++
	}
	if !c.Balance.Set {
		return
	}
	i := slices.IndexFunc(p.Currencies, func(t CurrencyTotal) bool { return t.Currency == c.Currency })
	if i < 0 {
		i = len(p.Currencies)
		p.Currencies = append(p.Currencies, CurrencyTotal{Currency: strings.Clone(c.Currency), Lowest: c.Balance.Minor, Highest: c.Balance.Minor})
	}
	t := &p.Currencies[i]
	t.Balances++
	t.sum = t.sum.Add(c.Balance.Minor)
	t.Lowest, t.Highest = min(t.Lowest, c.Balance.Minor), max(t.Highest, c.Balance.Minor)
}

// finish puts the figures in order.
func (p *Profile) finish() {
	for i := range p.Currencies {
		p.Currencies[i].Total = p.Currencies[i].sum.String()
	}
	slices.SortFunc(p.Currencies, func(a, b CurrencyTotal) int { return strings.Compare(a.Currency, b.Currency) })
}
