package nightly

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"

	"tallyman/internal/config"
)

// Schedule is when passes begin, in a named time zone.
//
// A time that the clocks of that zone skip comes when they skip it, and one that they show twice comes once, the first
// time: there is no night without a pass, and none with two.
type Schedule struct {
	location *time.Location
	times    []cron.Schedule
}

// NewSchedule reads the configured times: five fields, or a descriptor such as @daily. One that names a zone of its own,
// cannot be read or never comes is an error.
func NewSchedule(jobs []config.Job, location *time.Location) (*Schedule, error) {
	s := &Schedule{location: location}
	for i, job := range jobs {
		times, err := parseCron(job.Cron)
		if err != nil {
			return nil, fmt.Errorf("schedule[%d].cron: %w", i, err)
		}
		if times.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, location)).IsZero() {
			return nil, fmt.Errorf("schedule[%d].cron: %q never comes: name a day that the month has", i, job.Cron)
		}
		if named, ok := times.(*cron.SpecSchedule); ok {
			calendar, err := config.NewCalendar(location, "24:00")
			if err != nil {
				return nil, err
			}
			times = wallClock{named, calendar}
		}
		s.times = append(s.times, times)
	}
	return s, nil
}

// wallClock is a schedule as the clocks of a zone show it. The library works with instants, and so leaves out what the
// clocks skip and repeats what they repeat.
type wallClock struct {
	spec     *cron.SpecSchedule
	calendar config.Calendar
}

// Next returns the first time after an instant.
func (w wallClock) Next(after time.Time) time.Time {
	local := after.In(w.calendar.Location())
	_, offset := local.Zone()
	shown := after.UTC().Add(time.Duration(offset) * time.Second)
	for {
		if shown = w.spec.Next(shown); shown.IsZero() {
			return shown
		}
		at, err := w.calendar.At(shown.Format(time.DateOnly), shown.Format("15:04"))
		if err != nil {
			return time.Time{}
		}
		if at.After(after) {
			return at
		}
	}
}

// parseCron reads one schedule; the parser panics on some texts.
func parseCron(spec string) (times cron.Schedule, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			times, err = nil, fmt.Errorf("%q cannot be read as a schedule", spec)
		}
	}()
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	times, err = parser.Parse(spec)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be read as a schedule: %w", spec, err)
	}
	if named, ok := times.(*cron.SpecSchedule); ok && named.Location != time.Local {
		return nil, fmt.Errorf("%q names a time zone: reconcile.timezone is used", spec)
	}
	return times, nil
}

// Next returns when the next pass begins after an instant; zero without any times.
func (s *Schedule) Next(after time.Time) time.Time {
	var next time.Time
	for _, times := range s.times {
		if t := times.Next(after.In(s.location)); next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next
}

// maxMissed bounds how many business dates are caught up: after a longer absence a person knows better.
const maxMissed = 31

// Missed returns the business dates whose passes should have begun after one instant and up to another, oldest first, by
// what dateOf says of each time; the last 31 if there are more.
func (s *Schedule) Missed(after, upTo time.Time, dateOf func(time.Time) string) []string {
	var dates []string
	for at := s.Next(after); !at.IsZero() && !at.After(upTo); at = s.Next(at) {
		if date := dateOf(at); len(dates) == 0 || dates[len(dates)-1] != date {
			dates = append(dates, date)
		}
	}
	return dates[max(0, len(dates)-maxMissed):]
}

// Run calls pass at every time until the context is done, and then waits for the pass that is under way, which has the
// same context. A time that comes while a pass is under way is skipped, and a pass that panics does not keep the next
// ones from beginning; the log says both.
func (s *Schedule) Run(ctx context.Context, log *slog.Logger, pass func(context.Context)) {
	said := cronLog{log}
	// All times share one job, so that none begins beside another. Recovery is inside: the library's skipping would take
	// a job that panicked for one that never ends.
	job := cron.NewChain(cron.SkipIfStillRunning(said), cron.Recover(said)).Then(cron.FuncJob(func() {
		if ctx.Err() == nil {
			pass(ctx)
		}
	}))
	c := cron.New(cron.WithLocation(s.location), cron.WithLogger(said))
	for _, times := range s.times {
		c.Schedule(times, job)
	}
	c.Start()
	<-ctx.Done()
	<-c.Stop().Done()
}

// cronLog puts into the log what a person should know of the scheduler.
type cronLog struct{ log *slog.Logger }

var _ cron.Logger = cronLog{}

func (l cronLog) Info(msg string, keysAndValues ...any) {
	if msg == "skip" {
		l.log.Warn("the time for a pass has come and the one before is still under way: this one is skipped")
		return
	}
	l.log.Debug("schedule: "+msg, keysAndValues...)
}

func (l cronLog) Error(err error, msg string, keysAndValues ...any) {
	l.log.Error("a pass ended in an internal error, please report it", append([]any{"error", err, "what", msg}, keysAndValues...)...)
}
