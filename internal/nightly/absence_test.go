package nightly

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/sandbox"
)

// kinds are the absences of a run in short: kind and date, in brackets what was told before.
func kinds(absent []Absence) string {
	var parts []string
	for _, a := range absent {
		text := a.Kind + " " + a.Date
		if a.Known {
			text = "(" + text + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// A week in which things do not happen: each is told when it is new, and told as known after that.
func TestWhatDidNotHappen(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.cfg.Inbox.ExpectBy = "07:00"
	for _, day := range []struct {
		at, file, want string
		exit           int
	}{
		{"2026-03-16T06:30:00+02:00", "2026-03-16", "", ExitDone},
		{"2026-03-17T06:30:00+02:00", "2026-03-17", "", ExitDone},
		// The 18th's file is late: not missing yet at half past six, and a break of the routine on the 19th.
		{"2026-03-18T06:30:00+02:00", "", "", ExitDone},
		{"2026-03-19T06:30:00+02:00", "2026-03-19", "date_skipped 2026-03-18", ExitNeedsPerson},
		{"2026-03-20T06:30:00+02:00", "2026-03-20", "(date_skipped 2026-03-18)", ExitDone},
		// Nothing ran on the 21st; on the 22nd the file is missing at eight.
		{"2026-03-22T08:00:00+02:00", "2026-03-21", "file_missing 2026-03-22, (date_skipped 2026-03-18), no_run 2026-03-21", ExitNeedsPerson},
		// What was missing yesterday is known as skipped today.
		{"2026-03-23T06:30:00+02:00", "2026-03-23", "(date_skipped 2026-03-18), (date_skipped 2026-03-22)", ExitDone},
		// It has come after all, and the other one is a week old.
		{"2026-03-26T06:30:00+02:00", "2026-03-22", "date_skipped 2026-03-24, date_skipped 2026-03-25, no_run 2026-03-25", ExitNeedsPerson},
	} {
		w.clock.at(t, day.at)
		if day.file != "" {
			w.leave(day.file, "A,Ann,ZAR,100,"+day.file)
		}
		r := w.night("")
		if got := kinds(r.Absent); got != day.want || r.ExitCode() != day.exit {
			t.Errorf("%s: %q, exit %d; want %q, exit %d: %q", day.at, got, r.ExitCode(), day.want, day.exit, r.NeedsPerson())
		}
		if notice := r.Notice(day.exit); kinds(notice.Absent) != day.want || notice.Absent == nil {
			t.Errorf("%s: told %+v", day.at, notice.Absent)
		}
	}
}

// A report says which day file of its period has not come: in the summary, for programs, and in the overview's words.
func TestMissingFilesInTheSummary(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	files := func(r *Report) string {
		var parts []string
		for _, f := range r.Summary.Completeness.Files {
			parts = append(parts, f.Name+" "+f.Date+" "+f.State)
		}
		return strings.Join(parts, ", ")
	}
	w.clock.at(t, "2026-03-15T06:30:00+02:00")
	if got := files(w.night("2026-03-14").Report); got != "" {
		t.Errorf("before the first file: %s", got)
	}
	for _, date := range []string{"2026-03-15", "2026-03-18"} {
		w.leave(date, "A,Ann,ZAR,100,"+date)
	}
	w.clock.at(t, "2026-03-18T06:30:00+02:00")
	const missing = "za_sandbox_dailyfile_2026-03-17.csv 2026-03-17 missing"
	r := w.night("2026-03-17").Report
	if got := files(r); got != missing || r.Summary.Completeness.ExpectedFiles != 1 {
		t.Errorf("%s, %d expected", got, r.Summary.Completeness.ExpectedFiles)
	}
	if got := files(w.night("2026-03-19").Report); got != "za_sandbox_dailyfile_2026-03-19.csv 2026-03-19 missing" {
		t.Errorf("of the date asked for: %s", got)
	}
	l := openLedger(t, w.cfg.DataDir)
	from, to := time.Date(2026, 3, 13, 22, 0, 0, 0, time.UTC), time.Date(2026, 3, 20, 22, 0, 0, 0, time.UTC)
	reporter := &Reporter{Ledger: l, Calendar: w.cfg.Reconcile.Calendar(), DayFiles: w.cfg.Inbox.Pattern, Log: quiet()}
	long, err := reporter.Report(t.Context(), ReportRequest{From: from, To: to, Out: filepath.Join(w.dir, "long")})
	if err != nil {
		t.Fatal(err)
	}
	want := "za_sandbox_dailyfile_2026-03-15.csv 2026-03-15 done, za_sandbox_dailyfile_2026-03-16.csv 2026-03-16 missing, " + missing +
		", za_sandbox_dailyfile_2026-03-18.csv 2026-03-18 done"
	if got := files(long); got != want {
		t.Errorf("of a week: %s", got)
	}
	w.leave("2026-03-17", "A,Ann,ZAR,100,2026-03-17")
	if got := files(w.night("2026-03-17").Report); got != "za_sandbox_dailyfile_2026-03-17.csv 2026-03-17 done" {
		t.Errorf("when it has come: %s", got)
	}
}

// Where no time is set, only a gap between two files is worth a word; where no inbox is set, none.
func TestSkippedDatesWithoutATime(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	for _, date := range []string{"2026-03-16", "2026-03-18"} {
		w.clock.at(t, date+"T06:30:00+02:00")
		w.leave(date, "A,Ann,ZAR,100,"+date)
		w.night("")
	}
	l := openLedger(t, w.cfg.DataDir)
	look := func(at string) string {
		t.Helper()
		w.clock.at(t, at)
		absent, err := Watch{Ledger: l, Config: w.cfg, Now: w.clock.now}.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return kinds(absent)
	}
	if got := look("2026-03-19T06:30:00+02:00"); got != "(date_skipped 2026-03-17)" {
		t.Error(got)
	}
	if got := look("2026-03-21T06:30:00+02:00"); got != "(date_skipped 2026-03-17), no_run 2026-03-20" {
		t.Error(got)
	}
	// A schedule without that day expects no run on it: the 20th was a Friday.
	w.cfg.Schedule = []config.Job{{Cron: "30 6 * * 1-4"}}
	w.cfg.Inbox.Address = ""
	if got := look("2026-03-21T06:30:00+02:00"); got != "" {
		t.Error(got)
	}
}

// Before the first nightly pass nothing is expected.
func TestNothingExpectedAtFirst(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.clock.at(t, "2026-03-16T06:30:00+02:00")
	if got := kinds(w.night("").Absent); got != "" {
		t.Error(got)
	}
}

// Silence is judged by habit: events that come every day are missed after a day and a half, those of working days not
// before Monday noon.
func TestNoEventsForLongerThanUsual(t *testing.T) {
	for name, tt := range map[string]struct {
		days []string // with an event at noon
		at   string
		want string
	}{
		"too few to know":     {[]string{"2026-03-01", "2026-03-02"}, "2026-03-15T12:00:00Z", ""},
		"every day":           {[]string{"2026-03-01", "2026-03-02", "2026-03-03"}, "2026-03-04T23:59:00Z", ""},
		"every day, no more":  {[]string{"2026-03-01", "2026-03-02", "2026-03-03"}, "2026-03-05T00:01:00Z", "no_events 2026-03-03"},
		"over a weekend":      {[]string{"2026-03-05", "2026-03-06", "2026-03-09", "2026-03-13"}, "2026-03-17T23:00:00Z", ""},
		"and longer":          {[]string{"2026-03-05", "2026-03-06", "2026-03-09", "2026-03-13"}, "2026-03-18T00:30:00Z", "no_events 2026-03-13"},
		"an old gap is over":  {[]string{"2026-01-01", "2026-03-01", "2026-03-02", "2026-03-03"}, "2026-03-05T12:00:00Z", "no_events 2026-03-03"},
		"never an event":      {nil, "2026-03-18T00:30:00Z", ""},
		"the clock went back": {[]string{"2026-03-01", "2026-03-02", "2026-03-03"}, "2026-02-05T12:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Options{})
			w.clock.at(t, "2026-01-01T00:00:00Z")
			w.night("")
			for _, day := range tt.days {
				w.clock.at(t, day+"T12:00:00Z")
				w.pay(day, "bcus_1", 100, day+"T12:00:00Z")
			}
			w.clock.at(t, tt.at)
			absent, err := Watch{Ledger: openLedger(t, w.cfg.DataDir), Config: w.cfg, Now: w.clock.now}.events(t.Context())
			if err != nil || kinds(absent) != tt.want {
				t.Errorf("%q, %v; want %q", kinds(absent), err, tt.want)
			}
		})
	}
}
