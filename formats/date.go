package formats

import (
	"fmt"
	"strings"
	"time"
)

// dateLayout is an order of YYYY, MM and DD with signs between them, such as DD/MM/YYYY. A year of two digits is none:
// its century would be a guess.
type dateLayout struct {
	text string // as configured
	std  string // as package time writes it
}

func parseDateLayout(text string) (dateLayout, error) {
	std := text
	for _, token := range []struct{ ours, std string }{{"YYYY", "2006"}, {"MM", "01"}, {"DD", "02"}} {
		if strings.Count(std, token.ours) != 1 {
			return dateLayout{}, fmt.Errorf("has the date layout %q: it must have YYYY, MM and DD once each, such as DD/MM/YYYY", text)
		}
		std = strings.Replace(std, token.ours, token.std, 1)
	}
	if rest := strings.Trim(strings.NewReplacer("2006", "", "01", "", "02", "").Replace(std), "/-. "); rest != "" {
		return dateLayout{}, fmt.Errorf("has the date layout %q: between YYYY, MM and DD only / - . and spaces may stand", text)
	}
	return dateLayout{text: text, std: std}, nil
}

// rule turns a date in the layout into YYYY-MM-DD.
func (l dateLayout) rule(cell string) (text, word, remedy string) {
	// Package time takes one digit for two in places; a layout of fixed width must have its width.
	t, err := time.Parse(l.std, cell)
	if err != nil || t.Format(l.std) != cell || !plausibleYear(t.Year()) {
		return cell, "bad_due_date", "write a calendar date as " + l.text
	}
	return t.Format(time.DateOnly), "", ""
}

// plausibleYear keeps out the dates that systems write for none, such as 0001-01-01.
func plausibleYear(year int) bool { return year >= 1900 && year < 2200 }

func checkDueDate(s string) (word, remedy string) {
	if s == "" || isISODate(s) {
		return "", ""
	}
	return "bad_due_date", "write a calendar date as YYYY-MM-DD"
}

// isISODate reports whether s is a plausible calendar date as YYYY-MM-DD.
func isISODate(s string) bool {
	year, _, _, ok := isoDate(s)
	return ok && plausibleYear(year)
}
