package nightly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
)

// Absence is one thing that did not happen and should have, as the runs and the files on record tell.
type Absence struct {
	Kind   string `json:"kind"`           // one of the kinds below
	Date   string `json:"date,omitempty"` // the business date, or of a run the calendar day
	Detail string `json:"detail"`         // a sentence for people
	Do     string `json:"do"`             // what helps
	Known  bool   `json:"known"`          // an earlier run has told it already
}

// The kinds of absences.
const (
	AbsentFile   = "file_missing" // today's day file is not there after inbox.expect_by
	AbsentDate   = "date_skipped" // an earlier business date has no day file
	AbsentRun    = "no_run"       // there was no nightly pass yesterday
	AbsentEvents = "no_events"    // no webhook has come for longer than usual
)

// What is looked at: how far back for day files, and for the habits of webhooks.
const (
	datesBack    = 7
	eventsBack   = 28 // days
	fewestDays   = 3  // days with events, for a habit
	eventsMargin = 12 * time.Hour
)

// Watch looks for what did not happen.
type Watch struct {
	Ledger *ledger.Ledger
	Config *config.Config
	Now    time.Time // when the run began that looks, or now
	Asked  string    // business date that the run was asked for; empty: today's file is expected
}

// Look returns what did not happen, in the order of the kinds. Without a nightly pass on record nothing is expected.
func (w Watch) Look(ctx context.Context) ([]Absence, error) {
	last, ok, err := w.Ledger.LastRun(ctx, "run", w.Now)
	if err != nil {
		return nil, err
	}
	var absent []Absence
	looks := []func(context.Context) ([]Absence, error){w.file}
	if ok {
		looks = append(looks, w.dates, func(ctx context.Context) ([]Absence, error) { return w.run(ctx, last) }, w.events)
	}
	for _, look := range looks {
		found, err := look(ctx)
		if err != nil {
			return nil, err
		}
		absent = append(absent, found...)
	}
	markKnown(absent, last)
	return absent, nil
}

// markKnown marks what the last run has told.
func markKnown(absent []Absence, last ledger.Run) {
	var told Result
	if json.Unmarshal([]byte(last.Summary), &told) != nil {
		return
	}
	for i := range absent {
		a := &absent[i]
		a.Known = a.Kind == AbsentDate && told.Missing == a.Date ||
			slices.ContainsFunc(told.Absent, func(b Absence) bool { return b.Kind == a.Kind && b.Date == a.Date })
	}
}

// expectedDate is the business date whose file should have come by now; empty if none should.
func (w Watch) expectedDate() (string, error) {
	inbox, calendar := w.Config.Inbox, w.Config.Reconcile.Calendar()
	if inbox.ExpectBy == "" || !inbox.Configured() {
		return "", nil
	}
	date := w.Asked
	if date == "" {
		date = calendar.DateOf(w.Now)
	}
	by, err := calendar.At(date, inbox.ExpectBy)
	if err != nil || w.Now.Before(by) {
		return "", err
	}
	return date, nil
}

func (w Watch) file(ctx context.Context) ([]Absence, error) {
	date, err := w.expectedDate()
	if err != nil || date == "" {
		return nil, err
	}
	came, err := w.Ledger.HasDayFile(ctx, date)
	if err != nil || came {
		return nil, err
	}
	return []Absence{{
		Kind: AbsentFile, Date: date, Detail: fmt.Sprintf("no day file has come for %s, expected by %s", date, w.Config.Inbox.ExpectBy),
		Do: "ask the biller for it; tallyman run takes it",
	}}, nil
}

// dates looks for business dates of the last week, or of that before the date asked for, without a day file. If files are expected at a time, every date before
// today's counts, else only one before another that came.
func (w Watch) dates(ctx context.Context) ([]Absence, error) {
	if !w.Config.Inbox.Configured() {
		return nil, nil
	}
	asked := w.Asked
	if asked == "" {
		asked = w.Config.Reconcile.Calendar().DateOf(w.Now)
	}
	today, err := config.ParseDate(asked)
	if err != nil {
		return nil, err
	}
	came, err := w.Ledger.DayFileDates(ctx, "")
	if err != nil || len(came) == 0 {
		return nil, err
	}
	expected, err := w.expectedDate()
	if err != nil {
		return nil, err
	}
	end := today.Format(time.DateOnly)
	if w.Config.Inbox.ExpectBy == "" {
		end = min(end, came[len(came)-1])
	}
	var absent []Absence
	for day := today.AddDate(0, 0, -datesBack); day.Format(time.DateOnly) < end; day = day.AddDate(0, 0, 1) {
		date := day.Format(time.DateOnly)
		if _, there := slices.BinarySearch(came, date); there || date < came[0] || date == expected {
			continue
		}
		absent = append(absent, Absence{
			Kind: AbsentDate, Date: date, Detail: "no day file has ever come for " + date,
			Do: "ask the biller for it; tallyman run takes it, and never over what a newer file says",
		})
	}
	return absent, nil
}

// run looks whether there was a pass yesterday, if one was scheduled for that day.
func (w Watch) run(ctx context.Context, last ledger.Run) ([]Absence, error) {
	location := w.Config.Reconcile.Calendar().Location()
	year, month, day := w.Now.In(location).Date()
	from := time.Date(year, month, day-1, 0, 0, 0, 0, location)
	to := time.Date(year, month, day, 0, 0, 0, 0, location)
	schedule, err := NewSchedule(w.Config.Schedule, location)
	if err != nil {
		return nil, err
	}
	due := schedule.Next(from.Add(-time.Second))
	if !last.StartedAt.Before(from) || due.IsZero() || !due.Before(to) {
		return nil, nil
	}
	ran, err := w.Ledger.RanBetween(ctx, "run", from, to)
	if err != nil || ran {
		return nil, err
	}
	date := from.Format(time.DateOnly)
	return []Absence{{
		Kind: AbsentRun, Date: date, Detail: fmt.Sprintf("there was no nightly pass on %s; the last one before began %s", date, last.StartedAt.In(location).Format(time.RFC3339)),
		Do: "see that cron, the timer or tallyman schedule is up; tallyman run --date DATE writes the report of a date that was left out",
	}}, nil
}

// events looks how long no webhook has come. Usual is the longest step between two days with events of the last four
// weeks, and half a day more, since the days say nothing of the hours.
func (w Watch) events(ctx context.Context) ([]Absence, error) {
	segments, err := journal.Segments(filepath.Join(w.Config.DataDir, "journal"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil || len(segments) == 0 {
		return nil, err
	}
	newest := segments[len(segments)-1].Day
	days, usual, next := 1, time.Duration(0), newest
	for _, s := range slices.Backward(segments) {
		if newest.Sub(s.Day) > eventsBack*24*time.Hour {
			break
		}
		if step := next.Sub(s.Day); step > 0 {
			days++
			usual = max(usual, step)
			next = s.Day
		}
	}
	// The newest day may have had its last event at its beginning or at its end: it is read only where that matters.
	if days < fewestDays || w.Now.Sub(newest) <= usual+eventsMargin {
		return nil, nil
	}
	last, err := lastEvent(ctx, segments)
	if err != nil || w.Now.Sub(last) <= usual+eventsMargin {
		return nil, err
	}
	return []Absence{{
		Kind: AbsentEvents, Date: last.UTC().Format(time.DateOnly),
		Detail: fmt.Sprintf("no webhook has come since %s, longer than usual: in the last four weeks there was never more than %d days between two days with events",
			last.In(w.Config.Reconcile.Calendar().Location()).Format(time.RFC3339), int(usual/(24*time.Hour))),
		Do: "see that tallyman receive is up and that Moment can reach it; tallyman doctor",
	}}, nil
}

// lastEvent returns when the last line of the newest segment was received.
func lastEvent(ctx context.Context, segments []journal.Segment) (last time.Time, err error) {
	newest := segments[len(segments)-1]
	last = newest.Day
	_, err = journal.Read(ctx, newest.Path, func(line journal.Line) error {
		if line.Err == nil && !line.Record.Bare {
			last = line.Record.ReceivedAt
		}
		return nil
	})
	return last, err
}
