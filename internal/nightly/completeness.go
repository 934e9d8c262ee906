package nightly

import (
	"context"
	"slices"
	"strings"
	"time"

	"tallyman/formats"
	"tallyman/internal/config"
)

// dates returns the first and the last business date of a period, empty where it is open, and how many they are; 0 if it
// is open at an end.
func (r *Reporter) dates(q ReportRequest) (first, last string, count int) {
	if !q.From.IsZero() {
		first = r.Calendar.DateOf(q.From)
	}
	if !q.To.IsZero() {
		last = r.Calendar.DateOf(q.To.Add(-time.Nanosecond))
	}
	if days, ok := formats.DaysBetween(first, last); ok {
		count = days + 1
	}
	return first, last, count
}

// completeness says what is known of whether everything came that should have.
func (r *Reporter) completeness(ctx context.Context, q ReportRequest, read journalRead, reported *momentReports, match *formats.MatchTotal) (formats.Completeness, error) {
	c := formats.Completeness{Journal: read.state(), MomentReport: formats.MomentReportAbsent, Match: match}
	if reported != nil {
		c.MomentReport = formats.MomentReportGiven
		if _, open := reported.gap(q); open {
			c.MomentReport = formats.MomentReportGap
		}
		c.Proven = c.MomentReport == formats.MomentReportGiven && c.Journal == formats.JournalWhole && match.ReportOnly+match.AmountDiffers == 0
	}
	if r.Ledger == nil {
		return c, nil
	}
	first, last, count := r.dates(q)
	if r.DayFiles != "" {
		c.ExpectedFiles = count
	}
	if last == "" {
		last = "9999-12-31"
	}
	files, err := r.Ledger.FilesBetween(ctx, first, last)
	if err != nil {
		return c, err
	}
	for i, f := range files {
		if !slices.ContainsFunc(files[i+1:], f.OvertakenBy) {
			c.Files = append(c.Files, formats.CompletenessFile{Name: f.Name, Date: f.BusinessDate, DayFile: f.DayFile, State: f.State})
		}
	}
	return c, r.addMissing(ctx, q, &c)
}

// addMissing adds the day files that should have come and have not: that of the report's date, and of a longer period
// those between others that came. Before the first day file ever, none was expected.
func (r *Reporter) addMissing(ctx context.Context, q ReportRequest, c *formats.Completeness) error {
	if c.ExpectedFiles == 0 {
		return nil
	}
	came, err := r.Ledger.DayFileDates(ctx, "")
	if err != nil || len(came) == 0 {
		return err
	}
	first, last, _ := r.dates(q)
	if q.Date == "" {
		last = min(last, came[len(came)-1])
	}
	day, err := config.ParseDate(max(first, came[0]))
	for date := dateOf(day); err == nil && date <= last; date = dateOf(day) {
		if _, there := slices.BinarySearch(came, date); !there {
			c.Files = append(c.Files, formats.CompletenessFile{Name: strings.ReplaceAll(r.DayFiles, "{date}", date), Date: date, DayFile: true, State: formats.FileMissing})
		}
		day = day.AddDate(0, 0, 1)
	}
	slices.SortStableFunc(c.Files, func(a, b formats.CompletenessFile) int { return strings.Compare(a.Date, b.Date) })
	return err
}

func dateOf(day time.Time) string { return day.Format(time.DateOnly) }

// state is the word for what was found of the journals: damage weighs more than a torn tail.
func (read *journalRead) state() string {
	switch {
	case read.damaged:
		return formats.JournalDamaged
	case read.torn:
		return formats.JournalTornTail
	default:
		return formats.JournalWhole
	}
}
