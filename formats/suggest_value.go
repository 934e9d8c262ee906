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
	for _, m := range possibleMarks() {
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
	for _, text := range possibleDates() {
		layout, err := parseDateLayout(text)
		if err == nil && !slices.ContainsFunc(values, func(v string) bool { _, word, _ := layout.rule(v); return word != "" }) {
			fitting = append(fitting, text)
		}
	}
	if len(fitting) == 0 {
		return
	}
	at := slices.IndexFunc(g.s.Settings, func(s Setting) bool { return s.Key == "columns.due_date" })
	guess := g.s.Settings[at].Guess
	if len(fitting) > 1 {
		guess = "day or month first? every date fits both"
	}
	column := g.s.Options.Columns["due_date"]
	template := "{" + column + "|date:" + fitting[0] + "}"
	g.s.Options.Columns["due_date"] = template
	g.s.Settings[at] = Setting{"columns.due_date", template, guess}
}

// mapByValues finds columns whose names say nothing by what stands in all their cells.
func (g *guesser) mapByValues() {
	for _, c := range []struct {
		target string
		fits   rule
	}{{"email", checkEmail}, {"balance", looksLikeAmount}, {"due_date", looksLikeDate}} {
		if g.s.Options.Columns[c.target] != "" {
			continue
		}
		for i, name := range g.header {
			values := g.values(i)
			wrong := slices.ContainsFunc(values, func(v string) bool { word, _ := c.fits(v); return word != "" })
			if len(values) == 0 || wrong || strings.TrimSpace(name) == "" || g.mapped(name) {
				continue
			}
			g.s.Options.Columns[c.target] = name
			g.set("columns."+c.target, name, "by the column's values")
			break
		}
	}
}

// mapped reports whether a target is read from a column already.
func (g *guesser) mapped(name string) bool {
	for _, from := range g.s.Options.Columns {
		if from == name || strings.Contains(from, "{"+name+"}") {
			return true
		}
	}
	return false
}

// looksLikeAmount wants two decimals: a number without could be anything.
func looksLikeAmount(s string) (word, remedy string) {
	for _, m := range possibleMarks() {
		if _, decimals, hint := m.digits(s); hint == "" && decimals == 2 {
			return "", ""
		}
	}
	return "bad_balance", ""
}

func looksLikeDate(s string) (word, remedy string) {
	if isISODate(s) {
		return "", ""
	}
	for _, text := range possibleDates() {
		if layout, err := parseDateLayout(text); err == nil {
			if _, word, _ := layout.rule(s); word == "" {
				return "", ""
			}
		}
	}
	return "bad_due_date", ""
}

// possibleMarks are the ways to write amounts that are tried, the plainest first.
func possibleMarks() []Marks {
	return []Marks{{}, {Decimal: ','}, {Group: ','}, {Group: ' '}, {Group: '\''}, {Decimal: ',', Group: ' '}, {Decimal: ',', Group: '.'}}
}

// possibleDates are the layouts of dates that are tried.
func possibleDates() []string {
	return []string{"DD/MM/YYYY", "MM/DD/YYYY", "YYYY/MM/DD", "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YYYY", "YYYYMMDD"}
}
