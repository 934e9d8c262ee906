package formats

import (
	"strings"
	"time"
)

// note takes the beginning and the end of the period from the block before the header.
func (m *MomentReport) note(record []string, location *time.Location) {
	for i := 0; i+1 < len(record); i++ {
		name, value := normalName(strings.TrimSuffix(strings.TrimSpace(record[i]), ":")), strings.TrimSpace(record[i+1])
		at, whole, ok := momentTime(value, location)
		if !ok {
			continue
		}
		switch name {
		case "from", "fromdate", "start", "startdate", "from/startdate", "periodstart":
			m.From = at
		case "to", "todate", "end", "enddate", "to/enddate", "periodend":
			if m.To = at; whole {
				m.To = at.AddDate(0, 0, 1)
			}
		}
	}
}

// momentTime reads a date or a time; whole says that it is a whole day.
func momentTime(text string, location *time.Location) (at time.Time, whole, ok bool) {
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, false, true
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, location); err == nil {
			return at, false, true
		}
	}
	for _, layout := range []string{time.DateOnly, "20060102", "2006/01/02"} {
		if at, err := time.ParseInLocation(layout, text, location); err == nil {
			return at, true, true
		}
	}
	return time.Time{}, false, false
}
