package reconciler

import (
	"iter"
	"maps"
	"slices"

	"tallyman/formats"
)

// watch knows the exceptions of an earlier report, and finds out which of them are still open although their event lies
// before the period.
type watch struct {
	ids  map[string]bool // by exception id
	open map[string]bool // of them: seen again
}

func newWatch(ids []string) watch {
	w := watch{ids: map[string]bool{}, open: map[string]bool{}}
	for _, id := range ids {
		w.ids[id] = true
	}
	return w
}

// see looks at the place that an event from before the period would have if every period counted.
func (w *watch) see(e *event, v verdict) {
	if len(w.ids) == 0 {
		return
	}
	id := v.id
	if v.status == formats.StatusUnapplied {
		id = exceptionID(v.reason, eventIdentity(e))
	}
	if w.ids[id] {
		w.open[id] = true
	}
}

// seeCrossed looks at a balance that crossed payments before: it stays open until another balance is asserted.
func (w *watch) seeCrossed(lines iter.Seq[*line]) {
	if len(w.ids) == 0 {
		return
	}
	for l := range lines {
		c := l.customer
		if p := &c.points[len(c.points)-1]; p.line == l {
			if id := crossedID(c.id, l.currency, p.at); w.ids[id] {
				w.open[id] = true
			}
		}
	}
}

// Continue makes the exceptions go on from those of the report before this one, with all their columns: what was seen
// earlier keeps that time, a break of an earlier period that is still open is listed again, and a break that is open no
// more is listed once, as closed. Of the reasons that are not always looked for, unseen names those that were not this
// time: what was not looked for is not closed. Whether an event from before the period is still open is known of the
// ids in Options.Watch. A second call replaces the first.
func (r *Result) Continue(earlier []formats.ExceptionRow, unseen ...string) {
	if len(earlier) == 0 {
		r.list(r.own)
		return
	}
	byID := make(map[string]formats.ExceptionRow, len(earlier))
	for _, row := range earlier {
		byID[row.ID] = row
	}
	rows := slices.Clone(r.own)
	for i := range rows {
		before, known := byID[rows[i].ID]
		if !known {
			continue
		}
		delete(byID, rows[i].ID)
		if seen := before.FirstSeen; !seen.IsZero() && (rows[i].FirstSeen.IsZero() || seen.Before(rows[i].FirstSeen)) {
			rows[i].FirstSeen = seen
			r.age(&rows[i])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		row := byID[id]
		if row.Severity != formats.SeverityBreak {
			continue
		}
		if !r.open[id] && !slices.Contains(unseen, row.Reason) {
			row.Severity, row.Detail = formats.SeverityClosed, closedDetail(row.Detail)
		}
		comment := r.comments[id]
		row.Owner, row.Comment = comment.Owner, comment.Comment
		r.age(&row)
		rows = append(rows, row)
	}
	r.list(rows)
}

// age counts the days of an exception up to the business date.
func (r *Result) age(row *formats.ExceptionRow) {
	row.AgeDays, row.HasAge = 0, false
	if row.FirstSeen.IsZero() {
		return
	}
	days, ok := formats.DaysBetween(r.dateOf(row.FirstSeen), r.BusinessDate)
	row.AgeDays, row.HasAge = max(days, 0), ok
}

// list puts the exceptions in order and counts them.
func (r *Result) list(rows []formats.ExceptionRow) {
	sortExceptions(rows)
	r.Exceptions, r.Breaks, r.Notices = rows, 0, 0
	for _, row := range rows {
		switch row.Severity {
		case formats.SeverityBreak:
			r.Breaks++
		case formats.SeverityNotice:
			r.Notices++
		}
	}
}
