package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Retention is for how many days something is kept; 0 is for ever.
type Retention int

// maxRetention, in days, is longer than any law asks for.
const maxRetention = 100 * 366

// Off reports whether it is kept for ever.
func (r Retention) Off() bool { return r == 0 }

// Before returns the instant before which things are old: so many days of 24 hours before now. It is not for what is kept
// for ever.
func (r Retention) Before(now time.Time) time.Time {
	return now.Add(-time.Duration(r) * 24 * time.Hour)
}

// String returns the retention as it is written in a configuration.
func (r Retention) String() string {
	if r.Off() {
		return "off"
	}
	return strconv.Itoa(int(r)) + "d"
}

// MarshalText returns String.
func (r Retention) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a number of days, "400d", or "off".
func (r *Retention) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*r = 0
		return nil
	}
	number, ok := strings.CutSuffix(string(text), "d")
	days, err := strconv.Atoi(number)
	if !ok || err != nil || !isDigits(number) || days < 1 || days > maxRetention {
		return errors.New("must be a number of days such as 400d, or off")
	}
	*r = Retention(days)
	return nil
}
