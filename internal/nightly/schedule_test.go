package nightly_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func TestScheduleNext(t *testing.T) {
	for _, tt := range []struct {
		name, zone string
		crons      []string
		after      string
		want       []string // in UTC
	}{
		{"every day", "Africa/Johannesburg", []string{"30 6 * * *"}, "2026-11-22T04:29:59Z", []string{"2026-11-22T04:30:00Z", "2026-11-23T04:30:00Z"}},
		{"at the time itself", "Africa/Johannesburg", []string{"30 6 * * *"}, "2026-11-22T04:30:00Z", []string{"2026-11-23T04:30:00Z"}},
		{"the earliest of several", "UTC", []string{"0 22 * * *", "0 6 * * *"}, "2026-11-22T00:00:00Z", []string{"2026-11-22T06:00:00Z", "2026-11-22T22:00:00Z", "2026-11-23T06:00:00Z"}},
		{"a descriptor", "UTC", []string{"@daily"}, "2026-11-22T00:00:00Z", []string{"2026-11-23T00:00:00Z"}},
		{"summer time begins", "Europe/London", []string{"30 6 * * *"}, "2026-03-28T12:00:00Z", []string{"2026-03-29T05:30:00Z"}},
		{"a time that the clocks skip", "Europe/London", []string{"30 1 * * *"}, "2026-03-28T12:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		{"times that the clocks skip come once", "Europe/London", []string{"*/20 1 * * *"}, "2026-03-29T00:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
		{"a time that comes twice", "Europe/London", []string{"30 1 * * *"}, "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		{"between the two", "Europe/London", []string{"30 1 * * *"}, "2026-10-25T01:10:00Z", []string{"2026-10-26T01:30:00Z"}},
		{"skipped at midnight", "America/Santiago", []string{"0 0 * * *"}, "2026-09-05T12:00:00Z", []string{"2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"}},
		{"a leap day", "UTC", []string{"0 6 29 2 *"}, "2026-03-01T00:00:00Z", []string{"2028-02-29T06:00:00Z"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var jobs []config.Job
			for _, spec := range tt.crons {
				jobs = append(jobs, config.Job{Cron: spec, Run: "nightly"})
			}
			schedule, err := nightly.NewSchedule(jobs, zone(t, tt.zone))
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, tt.after)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				at = schedule.Next(at)
				if got := at.UTC().Format(time.RFC3339); got != want {
					t.Errorf("next is %s, want %s", got, want)
				}
			}
		})
	}
}

// What was missed is told by business date, each once, and not without end.
func TestScheduleMissed(t *testing.T) {
	johannesburg := zone(t, "Africa/Johannesburg")
	calendar, err := config.NewCalendar(johannesburg, "24:00")
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := nightly.NewSchedule([]config.Job{{Cron: "30 6 * * *"}, {Cron: "0 20 * * *"}}, johannesburg)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after, upTo string
		want        []string
	}{
		{"2026-03-16T06:30:05+02:00", "2026-03-16T19:59:59+02:00", nil},
		{"2026-03-16T06:30:05+02:00", "2026-03-16T20:00:00+02:00", []string{"2026-03-15"}},
		{"2026-03-16T20:00:05+02:00", "2026-03-18T09:00:00+02:00", []string{"2026-03-16", "2026-03-17"}},
		{"2026-03-18T20:00:05+02:00", "2026-03-17T09:00:00+02:00", nil}, // the clock was set back
	} {
		at := func(text string) time.Time {
			instant, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			return instant
		}
		if got := schedule.Missed(at(tt.after), at(tt.upTo), calendar.LastComplete); !slices.Equal(got, tt.want) {
			t.Errorf("between %s and %s: %q, want %q", tt.after, tt.upTo, got, tt.want)
		}
	}
	long := schedule.Missed(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC), calendar.LastComplete)
	if len(long) != 31 || long[30] != "2026-03-17" {
		t.Errorf("%d dates: %q", len(long), long)
	}
}

func TestScheduleRefuses(t *testing.T) {
	for spec, want := range map[string]string{
		"":                               "cannot be read",
		"30 6 * *":                       "cannot be read",
		"30 6 * * 7":                     "cannot be read",
		"TZ=0":                           "cannot be read",
		"0 0 30 2 *":                     "never comes",
		"CRON_TZ=Asia/Tokyo 30 6 * * *":  "names a time zone",
		"TZ=Europe/London 30 6 * * *":    "names a time zone",
		"TZ=Not/AZone 30 6 * * *":        "cannot be read",
		"30 6 * * * *":                   "cannot be read",
		"99999999999999999999 6 * * *":   "cannot be read",
		"@every 0.0000000000000000001ps": "cannot be read",
	} {
		_, err := nightly.NewSchedule([]config.Job{{Cron: "0 1 * * *"}, {Cron: spec}}, time.UTC)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "schedule[1].cron: ") {
			t.Errorf("%q: %v, want %q", spec, err, want)
		}
	}
}

// scheduler runs a schedule in the bubble of a synctest and notes when passes begin.
type scheduler struct {
	log   bytes.Buffer
	began []string
	stop  context.CancelFunc
	ended chan struct{}
}

func startSchedule(t *testing.T, specs []string, pass func(ctx context.Context, n int)) *scheduler {
	t.Helper()
	var jobs []config.Job
	for _, spec := range specs {
		jobs = append(jobs, config.Job{Cron: spec})
	}
	schedule, err := nightly.NewSchedule(jobs, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	s := &scheduler{ended: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	go func() {
		defer close(s.ended)
		schedule.Run(ctx, slog.New(slog.NewTextHandler(&s.log, nil)), func(ctx context.Context) {
			s.began = append(s.began, time.Now().UTC().Format("02 15:04"))
			pass(ctx, len(s.began))
		})
	}()
	return s
}

// until moves the bubble's clock on.
func until(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}

func TestScheduleRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSchedule(t, []string{"30 6 * * *", "0 22 * * *"}, func(context.Context, int) {})
		until(48 * time.Hour) // the bubble's clock begins at midnight of the first
		s.stop()
		<-s.ended
		if want := []string{"01 06:30", "01 22:00", "02 06:30", "02 22:00"}; !slices.Equal(s.began, want) {
			t.Errorf("passes began at %q, want %q", s.began, want)
		}
		if s.log.Len() > 0 {
			t.Errorf("log:\n%s", &s.log)
		}
	})
}

// A long pass makes the times of all entries skipped, and only those that come meanwhile.
func TestScheduleSkips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSchedule(t, []string{"0 6 * * *", "0 7 * * *", "0 9 * * *"}, func(_ context.Context, n int) {
			if n == 1 {
				until(150 * time.Minute)
			}
		})
		until(10 * time.Hour)
		s.stop()
		<-s.ended
		if want := []string{"01 06:00", "01 09:00"}; !slices.Equal(s.began, want) {
			t.Errorf("passes began at %q, want %q", s.began, want)
		}
		if n := strings.Count(s.log.String(), "this one is skipped"); n != 1 {
			t.Errorf("said %d times that a pass was skipped:\n%s", n, &s.log)
		}
	})
}

func TestScheduleSurvivesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSchedule(t, []string{"0 * * * *"}, func(_ context.Context, n int) {
			if n == 1 {
				panic("oh")
			}
		})
		until(3*time.Hour + time.Minute)
		s.stop()
		<-s.ended
		if len(s.began) != 3 {
			t.Errorf("%d passes began, want 3", len(s.began))
		}
		if !strings.Contains(s.log.String(), "internal error") || !strings.Contains(s.log.String(), "error=oh") {
			t.Errorf("log:\n%s", &s.log)
		}
	})
}

// Run returns only when the pass under way has ended; that one sees that it is to stop.
func TestScheduleStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tidied := false
		s := startSchedule(t, []string{"0 6 * * *"}, func(ctx context.Context, _ int) {
			<-ctx.Done()
			until(5 * time.Second)
			tidied = true
		})
		until(7 * time.Hour)
		s.stop()
		synctest.Wait()
		select {
		case <-s.ended:
			t.Error("it did not wait for the pass")
		default:
		}
		<-s.ended
		if !tidied {
			t.Error("the pass had not ended")
		}
	})
}
