package main

import "tallyman/internal/config"

// dateValue is a flag that takes a business date. An empty one is refused too: a script whose variable is not set means
// a date, not all of them.
type dateValue string

// Set takes the flag's text.
func (d *dateValue) Set(text string) error {
	if _, err := config.ParseDate(text); err != nil {
		return err
	}
	*d = dateValue(text)
	return nil
}

// String returns the date, or nothing if none was given.
func (d *dateValue) String() string { return string(*d) }

// Type names the kind of value in messages.
func (d *dateValue) Type() string { return "date" }
