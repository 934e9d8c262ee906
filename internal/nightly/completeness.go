package nightly

import (
	"context"
	"time"

	"tallyman/formats"
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
	if r.DayFiles {
		c.ExpectedFiles = count
	}
	if last == "" {
		last = "9999-12-31"
	}
	files, err := r.Ledger.FilesBetween(ctx, first, last)
	for _, f := range files {
		c.Files = append(c.Files, formats.CompletenessFile{Name: f.Name, Date: f.BusinessDate, State: f.State})
	}
	return c, err
}

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
