package nightly

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tallyman/internal/sandbox"
)

// changes returns changes.csv without header, business date and detail, customers by reference.
func (w *world) changes(r *Report) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.Dir, "changes.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		cells := strings.Split(line, ",")
		if cells[0] != r.Summary.BusinessDate {
			w.t.Errorf("a change of %q in the report of %s", cells[0], r.Summary.BusinessDate)
		}
		lines = append(lines, strings.Join(append([]string{cells[1], cells[2]}, cells[4:10]...), " "))
	}
	return strings.Join(lines, "\n")
}

// files returns the bytes of a report's files by name.
func (w *world) files(r *Report) map[string]string {
	w.t.Helper()
	files := map[string]string{}
	for _, name := range r.Files {
		text, err := os.ReadFile(filepath.Join(r.Dir, name))
		if err != nil {
			w.t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// A late payment and a late file: the next report of the date says what they changed, and the same report again says the
// very same.
func TestChanges(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,10000,", "B,Ben,ZAR,500,")
	first := w.night("2026-03-16")
	if got := w.changes(first.Report); got != "" || first.Report.Summary.Previous != nil {
		t.Errorf("the first report has changes:\n%s\n%+v", got, first.Report.Summary.Previous)
	}
	w.clock.at(t, "2026-03-17T04:00:00Z")
	w.pay("1", w.id("A"), 4000, "2026-03-16T20:00:00Z")
	w.pay("2", w.id("B"), 100, "2026-03-17T03:00:00Z") // of the next date
	second := w.night("2026-03-16")
	want := `event A evt_1 ZAR status  applied 2026-03-17.jsonl:1
event A evt_1 ZAR amount  40.00 2026-03-17.jsonl:1
customer A  ZAR paid 0.00 40.00 
customer A  ZAR closing_balance 100.00 60.00 
customer A  ZAR status unpaid part_paid 
total   ZAR paid 0.00 40.00 
total   ZAR closing 105.00 65.00 `
	if got := w.changes(second.Report); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if p := second.Report.Summary.Previous; p == nil || p.Run != filepath.Base(first.Report.Dir) || p.SHA256 != hashFile(filepath.Join(first.Report.Dir, "summary.json")) {
		t.Errorf("previous is %+v", p)
	}
	// The same inputs, once more and again: the same bytes.
	for range 2 {
		if again := w.files(w.night("2026-03-16").Report); !maps.Equal(again, w.files(second.Report)) {
			t.Errorf("the same inputs give other bytes:\n%s\n%s", again["summary.json"], again["changes.csv"])
		}
	}
	w.clock.at(t, "2026-03-17T05:00:00Z")
	w.leave("2026-03-16", "A,Ann,ZAR,10100,", "B,Ben,ZAR,500,2026-03-01")
	third := w.night("2026-03-16")
	want = `assertion A  ZAR balance 100.00 101.00 za_sandbox_dailyfile_2026-03-16.csv:2
assertion B  ZAR due_date  2026-03-01 za_sandbox_dailyfile_2026-03-16.csv:3`
	got := strings.Split(w.changes(third.Report), "\n")
	if got := strings.Join(slices.DeleteFunc(got, func(line string) bool { return !strings.HasPrefix(line, "assertion") }), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A decision moves one event from held to applied, and closes its break.
func TestChangesByDecision(t *testing.T) {
	o, n := &placed{ref: "a.jsonl:1", status: "held", reason: "possible_duplicate", amount: "5.00"}, &placed{ref: "a.jsonl:1", status: "applied", amount: "5.00"}
	m := eventMatch{before: map[string]*placed{}, now: map[string]*placed{}}
	m.take(o, n, false)
	if got := m.finish(); len(got) != 1 || got[0].before.place() != "held possible_duplicate" || got[0].now.place() != "applied" {
		t.Errorf("%+v", got)
	}
}

// However the two journals are aligned, each line meets its counterpart, and lines that count for nothing are no change.
func TestEventMatch(t *testing.T) {
	line := func(ref, status string) *placed { return &placed{ref: ref, status: status, amount: "1.00"} }
	before := []*placed{line("a:2", "applied"), line("a:10", "applied"), line("b:1", "excluded"), line("b:2", "held"), line("c:1", "duplicate")}
	now := []*placed{line("b:2", "held"), line("b:1", "applied"), line("a:10", "applied"), line("d:1", "excluded"), line("d:2", "unapplied"), line("c:1", "excluded"), line("d:3", "duplicate")}
	for _, swapped := range []bool{false, true} {
		o, n := before, now
		if swapped {
			o, n = now, before
		}
		m := eventMatch{before: map[string]*placed{}, now: map[string]*placed{}}
		for i := range max(len(o), len(n)) {
			var a, b *placed
			if i < len(o) {
				a = o[i]
			}
			if i < len(n) {
				b = n[i]
			}
			m.take(a, b, i >= len(o))
		}
		var refs []string
		for _, change := range m.finish() {
			p := change.now
			if p == nil {
				p = change.before
			}
			refs = append(refs, p.ref)
		}
		if !slices.Equal(refs, []string{"a:2", "b:1", "d:2"}) {
			t.Errorf("swapped %v: %q", swapped, refs)
		}
	}
}

// A report of another period that ends on the same date is not the one to compare with; one that cannot be read is none.
func TestFindEarlier(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,10000,")
	first := w.night("2026-03-16")
	from, to, err := w.cfg.Reconcile.Calendar().Period("2026-03-16")
	if err != nil {
		t.Fatal(err)
	}
	q := ReportRequest{Date: "2026-03-16", From: from, To: to, Reports: w.cfg.Reports.Dir, Out: filepath.Join(w.cfg.Reports.Dir, "2026-03-16", "new")}
	if found, err := findEarlier(q); err != nil || found.same == nil || found.same.dir != first.Report.Dir || found.before != nil {
		t.Errorf("%+v, %v", found, err)
	}
	wider := q
	wider.From = from.AddDate(0, 0, -1)
	if found, err := findEarlier(wider); err != nil || found.same != nil {
		t.Errorf("%+v, %v", found, err)
	}
	itself := q
	itself.Out = first.Report.Dir
	if found, err := findEarlier(itself); err != nil || found.same != nil {
		t.Errorf("%+v, %v", found, err)
	}
	next := q
	next.Date, next.From, next.To = "2026-03-17", to, to.AddDate(0, 0, 1)
	if found, err := findEarlier(next); err != nil || found.same != nil || found.before == nil {
		t.Errorf("%+v, %v", found, err)
	}
	if err := os.WriteFile(filepath.Join(first.Report.Dir, "summary.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := findEarlier(q); err == nil || found.same != nil {
		t.Errorf("%+v, %v", found, err)
	}
}

// What nobody can read any more is no reason to go without this morning's report.
func TestEarlierReportIsSpoilt(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,10000,")
	first := w.night("2026-03-16")
	w.clock.at(t, "2026-03-17T04:00:00Z")
	w.pay("1", w.id("A"), 4000, "2026-03-16T20:00:00Z")
	if err := os.WriteFile(filepath.Join(first.Report.Dir, "balances.csv"), []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := w.night("2026-03-16")
	if got := w.changes(second.Report); got != "" || second.Report.Summary.Previous != nil {
		t.Errorf("%s, %+v", got, second.Report.Summary.Previous)
	}
}
