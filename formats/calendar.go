package formats

import "time"

// Days returns the number of a calendar date, YYYY-MM-DD, counted from 1970-01-01; ok is false for any other text.
func Days(date string) (days int, ok bool) {
	year, month, day, ok := isoDate(date)
	if !ok {
		return 0, false
	}
	return int(daysBefore(year, month, day)), true
}

// DaysBetween returns how many days lie between two calendar dates (YYYY-MM-DD); it is negative if the second is the
// earlier one. ok is false if one of them is no date.
func DaysBetween(first, second string) (days int, ok bool) {
	a, okA := Days(first)
	b, okB := Days(second)
	if !okA || !okB {
		return 0, false
	}
	return b - a, true
}

// isoDate reads YYYY-MM-DD; ok is false for any other text, and for a day that no calendar has.
func isoDate[T string | []byte](text T) (year, month, day int, ok bool) {
	if len(text) != len(time.DateOnly) || text[4] != '-' || text[7] != '-' {
		return 0, 0, 0, false
	}
	century, c := twoDigits(text, 0)
	year, y := twoDigits(text, 2)
	month, m := twoDigits(text, 5)
	day, d := twoDigits(text, 8)
	year += century * 100
	return year, month, day, c && y && m && d && isDate(year, month, day)
}

func twoDigits[T string | []byte](text T, at int) (int, bool) {
	a, b := text[at]-'0', text[at+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

// isDate reports whether a calendar has that day.
func isDate(year, month, day int) bool {
	return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

func daysIn(year, month int) int {
	if month == 2 && (year%4 != 0 || (year%100 == 0 && year%400 != 0)) {
		return 28
	}
	return int([...]int8{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1])
}

// daysBefore counts the days from 1970-01-01 to a date, by years that begin in March, so that a leap day ends one.
func daysBefore(year, month, day int) int64 {
	if month < 3 {
		year, month = year-1, month+12
	}
	y := int64(year) + 400 // never negative, so that divisions round down
	return y*365 + y/4 - y/100 + y/400 + int64((153*(month-3)+2)/5+day) - 719469 - 146097
}
