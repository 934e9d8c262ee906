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
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' || !allDigits(s[:4]) || !allDigits(s[5:7]) || !allDigits(s[8:]) {
		return false
	}
	number := func(digits string) int {
		n := 0
		for i := range len(digits) {
			n = 10*n + int(digits[i]-'0')
		}
		return n
	}
	return isDate(number(s[:4]), number(s[5:7]), number(s[8:])) && plausibleYear(number(s[:4]))
}

// isDate reports whether a calendar has that day.
func isDate(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && (year%4 == 0 && year%100 != 0 || year%400 == 0) {
		days = 29
	}
	return day <= days
}
