package config

import (
	"testing"
	"time"
)

func calendar(t *testing.T, zone, cutoff string) Calendar {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCalendar(loc, cutoff)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPeriod(t *testing.T) {
	for _, tt := range []struct {
		name, zone, cutoff, date, from, to string
	}{
		{"midnight", "Africa/Johannesburg", "24:00", "2026-11-22", "2026-11-21T22:00:00Z", "2026-11-22T22:00:00Z"},
		{"00:00 is 24:00", "Africa/Johannesburg", "00:00", "2026-11-22", "2026-11-21T22:00:00Z", "2026-11-22T22:00:00Z"},
		{"evening", "Africa/Johannesburg", "18:00", "2026-11-22", "2026-11-21T16:00:00Z", "2026-11-22T16:00:00Z"},
		{"UTC", "UTC", "24:00", "2026-12-31", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"first of March", "UTC", "06:30", "2028-03-01", "2028-02-29T06:30:00Z", "2028-03-01T06:30:00Z"},
		{"23 hours", "Europe/London", "24:00", "2026-03-29", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"},
		{"25 hours", "Europe/London", "24:00", "2026-10-25", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"},
		{"cut-off that is skipped", "Europe/London", "01:30", "2026-03-29", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z"},
		{"the date after it", "Europe/London", "01:30", "2026-03-30", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		{"cut-off that comes twice", "Europe/London", "01:30", "2026-10-25", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"},
		{"midnight that is skipped", "Africa/Cairo", "24:00", "2026-04-23", "2026-04-22T22:00:00Z", "2026-04-23T22:00:00Z"},
		{"the date after that", "Africa/Cairo", "24:00", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
		{"a date that never was", "Pacific/Apia", "24:00", "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to, err := calendar(t, tt.zone, tt.cutoff).Period(tt.date)
			if err != nil {
				t.Fatal(err)
			}
			if got := from.UTC().Format(time.RFC3339); got != tt.from {
				t.Errorf("from %s, want %s", got, tt.from)
			}
			if got := to.UTC().Format(time.RFC3339); got != tt.to {
				t.Errorf("to %s, want %s", got, tt.to)
			}
		})
	}
}

// Every instant of two years, by the half hour and beside every cut-off, is in
// the period of the date that it is said to have, and periods join.
func TestCalendarPartitionsTime(t *testing.T) {
	for _, zone := range []string{"Africa/Johannesburg", "Europe/London", "Africa/Cairo", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe"} {
		for _, cutoff := range []string{"24:00", "00:01", "01:30", "02:00", "23:59"} {
			c := calendar(t, zone, cutoff)
			begin := time.Date(2011, 6, 1, 0, 0, 0, 0, time.UTC)
			var last time.Time
			for day := begin; day.Before(begin.AddDate(2, 0, 0)); day = day.AddDate(0, 0, 1) {
				from, to, err := c.Period(day.Format(dateLayout))
				if err != nil {
					t.Fatal(err)
				}
				if !last.IsZero() && !last.Equal(from) {
					t.Fatalf("%s %s: %s begins at %s, the date before ended at %s", zone, cutoff, day.Format(dateLayout), from, last)
				}
				last = to
				for _, at := range []time.Time{from, to.Add(-1), from.Add(30 * time.Minute), from.Add(12 * time.Hour), from.Add(22*time.Hour + 30*time.Minute)} {
					if at.Before(from) || !at.Before(to) {
						continue
					}
					if got := c.DateOf(at); got != day.Format(dateLayout) {
						t.Fatalf("%s %s: %s is of %s, want %s", zone, cutoff, at, got, day.Format(dateLayout))
					}
				}
			}
		}
	}
}

func TestLastComplete(t *testing.T) {
	c := calendar(t, "Africa/Johannesburg", "24:00")
	midnight := time.Date(2026, 11, 22, 22, 0, 0, 0, time.UTC)
	if got := c.LastComplete(midnight.Add(-1)); got != "2026-11-21" {
		t.Errorf("just before midnight: %s", got)
	}
	if got := c.LastComplete(midnight); got != "2026-11-22" {
		t.Errorf("at midnight: %s", got)
	}
	evening := calendar(t, "Africa/Johannesburg", "18:00")
	if got := evening.LastComplete(midnight); got != "2026-11-22" {
		t.Errorf("after an evening's cut-off: %s", got)
	}
	if got := evening.DateOf(midnight); got != "2026-11-23" {
		t.Errorf("the date after an evening's cut-off: %s", got)
	}
}

func TestAt(t *testing.T) {
	c := calendar(t, "Africa/Johannesburg", "18:00")
	at, err := c.At("2026-11-22", "07:00")
	if err != nil || !at.Equal(time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)) {
		t.Errorf("07:00 is %s, %v", at, err)
	}
	if at, err = c.At("2026-11-22", "00:00"); err != nil || !at.Equal(time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("00:00 is %s, %v", at, err)
	}
	for _, wrong := range [][2]string{{"2026-11-31", "07:00"}, {"2026-11-22", "7:00"}, {"2026-11-22", "24:30"}, {"22.11.2026", "07:00"}} {
		if _, err := c.At(wrong[0], wrong[1]); err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}

func TestNewCalendar(t *testing.T) {
	for _, cutoff := range []string{"", "24:01", "25:00", "6:00", "06:60", "06:00:00", "-1:00", "noon"} {
		if _, err := NewCalendar(time.UTC, cutoff); err == nil {
			t.Errorf("cut-off %q was accepted", cutoff)
		}
	}
	var zero Calendar
	from, to, err := zero.Period("2026-11-22")
	if err != nil || from.Location() != time.UTC || to.Sub(from) != 24*time.Hour || from.Hour() != 0 {
		t.Errorf("zero value: %s to %s, %v", from, to, err)
	}
	if _, _, err := zero.Period("2026-11-22T00:00:00Z"); err == nil {
		t.Error("an instant was accepted as a date")
	}
}
