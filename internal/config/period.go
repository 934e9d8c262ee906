package config

import (
	"fmt"
	"time"
)

// dateLayout is how business dates are written.
const dateLayout = "2006-01-02"

// Calendar divides time into business dates: date D runs from the cut-off of
// D-1, which belongs to it, to the cut-off of D, which does not (design.md
// section 5). Periods join without gap or overlap, whatever clocks do: a
// cut-off that a clock change skips is the instant of the change, one that
// comes twice is the first. The zero value is UTC with a cut-off at midnight.
type Calendar struct {
	loc *time.Location
	// minutes of the cut-off since the beginning of the day, 1 to 1440; 0 is
	// 1440.
	minutes int
}

// NewCalendar returns the calendar of a time zone (nil is UTC) and a cut-off as
// "HH:MM". "24:00" is midnight at the end of the date, and "00:00" is read so
// too.
func NewCalendar(loc *time.Location, cutoff string) (Calendar, error) {
	minutes, err := parseClock(cutoff)
	if err != nil {
		return Calendar{}, fmt.Errorf("cut-off %q: %w", cutoff, err)
	}
	return Calendar{loc: loc, minutes: minutes}, nil
}

// Location returns the time zone.
func (c Calendar) Location() *time.Location {
	if c.loc == nil {
		return time.UTC
	}
	return c.loc
}

// Period returns when a business date (YYYY-MM-DD) begins and ends, in the
// calendar's zone.
func (c Calendar) Period(date string) (from, to time.Time, err error) {
	day, err := ParseDate(date)
	if err != nil {
		return time.Time{}, time.Time{}, err
	}
	return c.cut(day.AddDate(0, 0, -1)), c.cut(day), nil
}

// DateOf returns the business date that an instant belongs to.
func (c Calendar) DateOf(t time.Time) string {
	y, m, d := t.In(c.Location()).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	for !t.Before(c.cut(day)) {
		day = day.AddDate(0, 0, 1)
	}
	for t.Before(c.cut(day.AddDate(0, 0, -1))) {
		day = day.AddDate(0, 0, -1)
	}
	return day.Format(dateLayout)
}

// LastComplete returns the last business date that has ended at now.
func (c Calendar) LastComplete(now time.Time) string {
	day, err := ParseDate(c.DateOf(now))
	if err != nil {
		// Beyond the year 9999 a date does not fit its form; DateOf's text is
		// the best there is.
		return c.DateOf(now)
	}
	return day.AddDate(0, 0, -1).Format(dateLayout)
}

// At returns the instant at which clocks show "HH:MM" on the calendar day of
// that date, such as inbox.expect_by.
func (c Calendar) At(date, clock string) (time.Time, error) {
	day, err := ParseDate(date)
	if err != nil {
		return time.Time{}, err
	}
	minutes, err := parseClock(clock)
	if err != nil {
		return time.Time{}, fmt.Errorf("time of day %q: %w", clock, err)
	}
	return c.clockInstant(day, minutes), nil
}

// cut returns the instant that ends a date.
func (c Calendar) cut(day time.Time) time.Time {
	minutes := c.minutes
	if minutes == 0 {
		minutes = 24 * 60
	}
	return c.clockInstant(day, minutes)
}

// clockInstant returns when clocks in the zone first show, or jump past, so many
// minutes after the beginning of the day.
func (c Calendar) clockInstant(day time.Time, minutes int) time.Time {
	y, m, d := day.Date()
	wanted := time.Date(y, m, d, 0, minutes, 0, 0, time.UTC)
	y, m, d = wanted.Date()
	t := time.Date(y, m, d, wanted.Hour(), wanted.Minute(), 0, 0, c.Location())

	start, end := t.ZoneBounds()
	switch shown := onClock(t); {
	case shown.Before(wanted):
		return end
	case shown.After(wanted):
		return start
	}
	if start.IsZero() {
		return t
	}
	_, offset := t.Zone()
	_, before := start.Add(-1).Zone()
	earlier := t.Add(time.Duration(offset-before) * time.Second)
	if earlier.Before(start) && onClock(earlier).Equal(wanted) {
		return earlier
	}
	return t
}

// onClock returns the wall clock's reading at t as if it were UTC, so that
// readings can be compared.
func onClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// ParseDate reads a date as YYYY-MM-DD; the result is its midnight in UTC.
func ParseDate(date string) (time.Time, error) {
	day, err := time.Parse(dateLayout, date)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no date of the form YYYY-MM-DD", date)
	}
	return day, nil
}

// parseClock reads "HH:MM", "24:00" included, into minutes; "00:00" is 0.
func parseClock(text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("must be a time of day as HH:MM, 00:00 to 24:00")
	}
	return t.Hour()*60 + t.Minute(), nil
}
