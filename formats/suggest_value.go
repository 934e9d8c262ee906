package formats

import (
	"slices"
	"strings"
)

// amounts finds unit and marks from how the balances are written.
func (g *guesser) amounts() {
	values := g.values(g.source("balance"))
	if len(values) == 0 {
		return
	}
	o := &g.s.Options
	if !slices.ContainsFunc(values, func(v string) bool { return !allDigits(strings.TrimPrefix(v, "-")) }) {
		if !o.Major {
			g.set("amounts", "minor", "all balances are integers: cents, or whole rand?")
		}
		return
	}
	if !o.Major {
		o.Major = true
		g.set("amounts", "major", "balances have decimals or signs between thousands")
	}
	best, most := Marks{}, -1
	for _, m := range []Marks{{}, {Decimal: ','}, {Group: ','}, {Group: ' '}, {Group: '\''}, {Decimal: ',', Group: ' '}, {Decimal: ',', Group: '.'}} {
		read := 0
		for _, v := range values {
			if _, decimals, hint := m.digits(v); hint == "" && decimals <= 2 {
				read++
			}
		}
		if read > most {
			best, most = m, read
		}
	}
	guess := ""
	if most < len(values) {
		guess = "some balances are written otherwise"
	}
	o.Marks = best
	if best.Decimal != 0 {
		g.set("decimal", string(best.Decimal), guess)
	}
	if best.Group != 0 {
		g.set("group", string(best.Group), guess)
	}
}

// currency has to be said where the file does not.
func (g *guesser) currency() {
	if g.source("balance") >= 0 && len(g.values(g.source("currency"))) == 0 {
		g.s.Options.Currency = "ZAR"
		g.set("currency", "ZAR", "the file does not say")
	}
}

// phones need a country if any is written as dialled at home.
func (g *guesser) phones() {
	if slices.ContainsFunc(g.values(g.source("phone")), func(v string) bool { return !strings.HasPrefix(v, "+") }) {
		g.s.Options.PhoneCountry = "ZA"
		g.set("phone_country", "ZA", "some numbers have no country code")
	}
}

// dates finds the order of day, month and year, which only a mapped column can say.
func (g *guesser) dates() {
	values := g.values(g.source("due_date"))
	if g.s.Options.Format != FormatColumns || len(values) == 0 || !slices.ContainsFunc(values, func(v string) bool { return !isISODate(v) }) {
		return
	}
	var fitting []string
	for _, text := range []string{"DD/MM/YYYY", "MM/DD/YYYY", "YYYY/MM/DD", "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YYYY", "YYYYMMDD"} {
		layout, err := parseDateLayout(text)
		if err == nil && !slices.ContainsFunc(values, func(v string) bool { _, word, _ := layout.rule(v); return word != "" }) {
			fitting = append(fitting, text)
		}
	}
	if len(fitting) == 0 {
		return
	}
	guess := ""
	if len(fitting) > 1 {
		guess = "day or month first? every date fits both"
	}
	column := g.s.Options.Columns["due_date"]
	template := "{" + column + "|date:" + fitting[0] + "}"
	g.s.Options.Columns["due_date"] = template
	g.s.Settings = slices.DeleteFunc(g.s.Settings, func(s Setting) bool { return s.Key == "columns.due_date" })
	g.set("columns.due_date", template, guess)
}
