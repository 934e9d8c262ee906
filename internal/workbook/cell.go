package workbook

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"tallyman/internal/overview"
)

// exactDigits is how many significant decimal digits a spreadsheet keeps of a number; a longer amount is shown as text
// rather than rounded.
const exactDigits = 15

// decimal makes a number of a decimal of a report. ok is false if a spreadsheet could not hold it exactly.
func decimal(s string) (value any, ok bool) {
	digits := strings.Trim(strings.Replace(strings.TrimPrefix(s, "-"), ".", "", 1), " ")
	if digits == "" || len(strings.TrimLeft(digits, "0")) > exactDigits || strings.Trim(digits, "0123456789") != "" {
		return nil, false
	}
	// A spreadsheet has no other numbers; of up to 15 digits the printed decimal comes back exactly.
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// wall is an instant as a clock on the wall shows it, which is all that a spreadsheet knows of times.
func wall(t time.Time, loc *time.Location) time.Time {
	l := t.In(loc)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)
}

// maxText is the most characters that a cell can hold.
const maxText = 32_767

// clean makes text fit for a cell: what XML cannot carry is replaced, what is too long is cut, visibly.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	if utf8.RuneCountInString(s) <= maxText/2 {
		return s
	}
	// Characters beyond the first plane count twice.
	return string([]rune(s)[:maxText/2-1]) + "…"
}

// cell makes the cell of a row: as its column's kind if it can be read so, else as the text that is there.
func (b *book) cell(k overview.Kind, s, currency, fill string) (excelize.Cell, error) {
	l := look{fill: fill, format: "@"}
	var value any = clean(s)
	switch {
	case s == "":
		value = nil
	case k == overview.Money:
		if v, ok := decimal(s); ok {
			value, l.format = v, moneyFormat(currency)
		} else {
			l.right = true
		}
	case k == overview.Count:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n < 1<<53 && n > -1<<53 {
			value, l.format = n, countFormat
		}
	case k == overview.Date:
		if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() >= 1901 {
			value, l.format = t, dateFormat
		}
	case k == overview.Instant:
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil && t.Year() >= 1901 {
			value, l.format = wall(t, b.options.Location), timeFormat
		}
	}
	id, err := b.styles.of(l)
	return excelize.Cell{StyleID: id, Value: value}, err
}
