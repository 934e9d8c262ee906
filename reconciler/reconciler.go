package reconciler

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"tallyman/formats"
)

// Options say which period is reconciled and what people have decided before. The zero value reconciles everything there
// is, with no tolerance and no business date.
type Options struct {
	// From and To bound the period, [From, To); a zero time leaves that end open.
	From, To time.Time
	// BusinessDate is the report's date, YYYY-MM-DD, from which ages are counted. If it is empty, it is the date of To less
	// an instant, and a report without an end has none.
	BusinessDate string
	// DateOf returns the business date (YYYY-MM-DD) that an instant belongs to; nil means the calendar date in UTC.
	DateOf func(time.Time) string
	// Tolerance, in minor units and not negative, is the distance from 0 within which a closing balance counts as 0.
	Tolerance int64
	// Memory, in bytes, is how much may be taken to remember customers and events; 0 sets no limit. What is more of events
	// goes into files that Spill makes, and the result is the same. Customers always stay in memory, and events have at
	// least 1 MiB.
	Memory int64
	// Spill makes an empty file; it must be there if there is a limit. Result closes those that are left.
	Spill func() (SpillFile, error)
	// Decisions are what people decided on held events, by exception id.
	Decisions map[string]Decision
	// Comments are what analysts wrote beside exceptions, by exception id.
	Comments map[string]formats.Comment
	// Seen are customers without a balance to whom unknown money may belong; nil for none. It is gone through only if there
	// is such money, and for suggestions only.
	Seen iter.Seq2[Seen, error]
	// Watch are the ids of an earlier report's exceptions, for Result.Continue.
	Watch []string
}

// Decision is what a person decided on a held event.
type Decision string

const (
	// Apply releases the event: it goes on through the table of design.md section 8 as if it had not been held. An invalid
	// event cannot be released, because nobody knows what it says.
	Apply Decision = "apply"
	// Drop takes the event out for good.
	Drop Decision = "drop"
)

// Reconciler takes assertions, then deliveries, and gives the result. It keeps what a customer owes and paid, and a few
// bytes for every event id, but no event.
type Reconciler struct {
	options   Options
	customers *book
	key       *formats.EventKey
	reader    *formats.EventReader
	event     event // that is being judged
	single    Sheet // of Deliver
	memory    memory
	near      byte // what memory.touch read, so that it is read
	journal   journalTotals
	days      *days
	watch     watch
	found     []formats.ExceptionRow
	stage     stage
}

// stage is how far the input has come; it only ever goes on.
type stage int

const (
	asserting stage = iota
	delivering
	finished
)

// New begins a reconciliation. It refuses a period that ends before it begins, a negative tolerance, a business date that
// is none, and a decision other than Apply and Drop.
func New(options Options) (*Reconciler, error) {
	if !options.From.IsZero() && !options.To.IsZero() && !options.From.Before(options.To) {
		return nil, fmt.Errorf("period from %s to %s is empty: its end must be later than its beginning",
			options.From.Format(time.RFC3339), options.To.Format(time.RFC3339))
	}
	if options.Tolerance < 0 {
		return nil, fmt.Errorf("tolerance %d is negative: it is a distance from 0 in minor units", options.Tolerance)
	}
	if options.Memory > 0 && options.Spill == nil {
		return nil, errors.New("a limit of memory needs files to spill to")
	}
	if !isDate(options.BusinessDate) {
		return nil, fmt.Errorf("business date %q is no calendar date: write it as YYYY-MM-DD", options.BusinessDate)
	}
	for id, decision := range options.Decisions {
		if decision != Apply && decision != Drop {
			return nil, fmt.Errorf("decision %q on exception %s is unknown: it is %s or %s", decision, id, Apply, Drop)
		}
	}
	if options.DateOf == nil {
		options.DateOf = func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	}
	if options.BusinessDate == "" && !options.To.IsZero() {
		options.BusinessDate = options.DateOf(options.To.Add(-1))
	}
	key := formats.NewEventKey()
	return &Reconciler{
		options:   options,
		customers: newBook(),
		key:       key,
		reader:    formats.NewEventReader(key),
		memory:    newMemory(options.Spill),
		journal:   journalTotals{lines: map[lineKind]*lineTotal{}, applied: map[string]*tally{}},
		days:      newDays(options.DateOf),
		watch:     newWatch(options.Watch),
	}, nil
}
