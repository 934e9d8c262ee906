package nightly

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tallyman/internal/ledger"
	"tallyman/internal/sandbox"
)

// tree lists what stands below a directory, but not the spool and the ledger, which change by themselves.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(path, "ledger.db") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func (w *world) sweep(dryRun bool) *Swept {
	w.t.Helper()
	swept, err := Sweep(w.t.Context(), w.cfg, w.clock.Now(), dryRun)
	if err != nil {
		w.t.Fatal(err)
	}
	return swept
}

func paths(items []SweptItem) []string {
	var list []string
	for _, item := range items {
		list = append(list, filepath.Base(item.Path))
	}
	return list
}

func TestSweep(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,100,")
	first := w.night("2026-03-16")
	w.clock.at(t, "2026-03-16T04:31:00Z")
	second := w.night("2026-03-16")
	// Nothing can be sent for this one: it stays unfinished.
	w.clock.at(t, "2026-03-17T04:30:00Z")
	w.leave("2026-03-17", "A,Ann,ZAR,120,")
	w.api.RevokeKey(sandbox.Test)
	unfinished := w.night("2026-03-17")
	if unfinished.Files[0].State != ledger.FileOpen {
		t.Fatalf("state %s", unfinished.Files[0].State)
	}
	if err := os.Remove(filepath.Join(w.api.InboxDir(), "za_sandbox_dailyfile_2026-03-17.csv")); err != nil {
		t.Fatal(err) // the next night would take it up
	}
	w.clock.at(t, "2026-03-20T04:30:00Z")
	recent := w.night("2026-03-16")
	w.clock.at(t, "2026-03-25T04:30:00Z")
	w.cfg.Keep.Runs, w.cfg.Keep.Reports = 6, 6

	runs, reports := filepath.Join(w.cfg.DataDir, "runs"), w.cfg.Reports.Dir
	foreign := filepath.Join(runs, "notes")
	torn := filepath.Join(runs, recent.RunID, ".x.outcome.csv123")
	young := filepath.Join(runs, recent.RunID, ".y.outcome.csv123")
	for path, at := range map[string]time.Time{foreign: w.clock.Now().AddDate(-1, 0, 0), torn: w.clock.Now().Add(-25 * time.Hour), young: w.clock.Now().Add(-time.Hour)} {
		if err := errors.Join(os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}

	before := append(tree(t, w.cfg.DataDir), tree(t, reports)...)
	dry := w.sweep(true)
	if after := append(tree(t, w.cfg.DataDir), tree(t, reports)...); !slices.Equal(before, after) {
		t.Errorf("a dry run changed\n%q to\n%q", before, after)
	}
	swept := w.sweep(false)
	for _, s := range []*Swept{dry, swept} {
		if got, want := paths(s.Runs), []string{first.RunID, second.RunID}; !slices.Equal(got, want) {
			t.Errorf("dry %v: runs %q, want %q", s.DryRun, got, want)
		}
		if got, want := paths(s.Reports), []string{first.RunID, second.RunID}; !slices.Equal(got, want) {
			t.Errorf("dry %v: reports %q, want %q", s.DryRun, got, want)
		}
		if got, want := paths(s.Torn), []string{filepath.Base(torn)}; !slices.Equal(got, want) {
			t.Errorf("dry %v: torn %q, want %q", s.DryRun, got, want)
		}
		if len(s.Needed) != 2 || !strings.Contains(s.Needed[0], unfinished.RunID+": za_") || !strings.Contains(s.Needed[1], "last report of 2026-03-17") || s.Bytes() < 500 {
			t.Errorf("dry %v: needed %q, %d bytes", s.DryRun, s.Needed, s.Bytes())
		}
	}
	gone := func(path string) bool {
		return strings.Contains(path, first.RunID) || strings.Contains(path, second.RunID) || path == torn
	}
	want := slices.DeleteFunc(slices.Clone(before), gone)
	if after := append(tree(t, w.cfg.DataDir), tree(t, reports)...); !slices.Equal(after, want) {
		t.Errorf("left\n%q, want\n%q", after, want)
	}

	// Ever so old, the last report of a date stays.
	w.clock.at(t, "2027-03-25T04:30:00Z")
	if swept := w.sweep(false); len(swept.Reports) != 0 || !exists(filepath.Join(reports, "2026-03-16", recent.RunID, "summary.json")) {
		t.Errorf("reports %q were swept", paths(swept.Reports))
	}
}

// What somebody may still ask for is never swept, however old it is and whatever keep says.
func TestSweepKeepsWhatIsNeeded(t *testing.T) {
	// Two reports of one date, so that the first is not the last of it; many customers, so that a file can miss them.
	prepared := func(t *testing.T) (w *world, first *Result) {
		w = newWorld(t, sandbox.Options{})
		w.leave("2026-03-16", manyRows(20, 100)...)
		first = w.night("2026-03-16")
		w.clock.at(t, "2026-03-17T04:30:00Z")
		w.night("2026-03-16")
		w.clock.at(t, "2026-03-17T04:31:00Z") // ids of runs sort by time
		return w, first
	}
	file := func(w *world, date string) string {
		t.Helper()
		return filepath.Join(w.api.InboxDir(), "za_sandbox_dailyfile_"+date+".csv")
	}
	for name, tt := range map[string]struct {
		// need makes something that is needed, and returns where it stands.
		need func(t *testing.T, w *world, first *Result) string
		says string // why it stays; empty: a sweep does not even look there
	}{
		"a held file's bytes": {func(t *testing.T, w *world, _ *Result) string {
			w.leave("2026-03-17", manyRows(1, 100)...)
			held := w.night("2026-03-16").Files[0]
			if held.State != ledger.FileHeld {
				t.Fatalf("%+v", held)
			}
			return filepath.Join(w.cfg.DataDir, "files", held.SHA256)
		}, ""},
		"a held file's results": {func(t *testing.T, w *world, _ *Result) string {
			w.leave("2026-03-17", manyRows(1, 100)...)
			r := w.night("2026-03-16")
			if err := os.Remove(file(w, "2026-03-17")); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(w.cfg.DataDir, "runs", r.RunID)
		}, "za_sandbox_dailyfile_2026-03-17.csv is not finished"},
		"an unfinished file's bytes": {func(t *testing.T, w *world, _ *Result) string {
			w.leave("2026-03-17", manyRows(20, 101)...)
			w.api.RevokeKey(sandbox.Test)
			return filepath.Join(w.cfg.DataDir, "files", w.night("2026-03-16").Files[0].SHA256)
		}, ""},
		"the last report of a date": {func(t *testing.T, w *world, _ *Result) string {
			return w.night("2026-03-16").Report.Dir
		}, "it is the last report of 2026-03-16"},
		"a signed report": {func(t *testing.T, w *world, first *Result) string {
			l := openLedger(t, w.cfg.DataDir)
			written, err := FindWritten(t.Context(), l, first.Report.Dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Sign(t.Context(), ledger.Signature{Report: written, By: "nomsa", SignedAt: w.clock.Now()}); err != nil {
				t.Fatal(err)
			}
			return first.Report.Dir
		}, "it is signed"},
		"a report that is still to be mailed": {func(t *testing.T, w *world, first *Result) string {
			n := w.open("run")
			if err := errors.Join(n.writeLetter(first.Report), n.Close()); err != nil {
				t.Fatal(err)
			}
			return first.Report.Dir
		}, "it is still to be sent by mail"},
		"a result that is not delivered": {func(t *testing.T, w *world, first *Result) string {
			n := w.open("run")
			if err := errors.Join(n.post(first.Files[0].Outcome, "late.outcome.csv"), n.Close()); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(n.outbox(), "late.outcome.csv")
		}, ""},
		"the journal": {func(t *testing.T, w *world, _ *Result) string {
			w.pay("1", w.id("C-1"), 5, "2026-03-16T05:00:00Z")
			return filepath.Join(w.cfg.DataDir, "journal", "2026-03-17.jsonl")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, first := prepared(t)
			w.cfg.Keep.Runs, w.cfg.Keep.Reports = 1, 1
			needed := tt.need(t, w, first)
			at := w.clock.Now().AddDate(-1, 0, 0)
			if err := os.Chtimes(needed, at, at); err != nil {
				t.Fatal(err)
			}
			w.clock.at(t, "2027-03-17T04:30:00Z")
			swept := w.sweep(false)
			if len(swept.Runs) == 0 {
				t.Error("nothing at all was swept")
			}
			if !exists(needed) {
				t.Errorf("%s was swept: %+v", needed, swept)
			}
			if tt.says != "" && !slices.Contains(swept.Needed, needed+": "+tt.says) {
				t.Errorf("%q does not say that %s stays: %s", swept.Needed, needed, tt.says)
			}
		})
	}
}

// manyRows are so many rows of a day file, with one balance.
func manyRows(n, balance int) []string {
	var rows []string
	for i := range n {
		rows = append(rows, fmt.Sprintf("C-%d,Customer,ZAR,%d,", i, balance))
	}
	return rows
}

// A report that a kill has cut short does not stand in for the last whole one.
func TestSweepKeepsTheLastWholeReport(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,100,")
	whole := w.night("2026-03-16")
	w.clock.at(t, "2026-03-17T04:30:00Z")
	half := w.night("2026-03-16")
	if err := os.Remove(filepath.Join(half.Report.Dir, "summary.json")); err != nil {
		t.Fatal(err)
	}
	w.clock.at(t, "2026-05-17T04:30:00Z")
	w.cfg.Keep.Reports = 1
	if swept := w.sweep(false); len(swept.Reports) != 0 || !exists(whole.Report.Dir) {
		t.Errorf("swept %q", paths(swept.Reports))
	}
}

func TestSweepNeedsTheLockAndTheLedger(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	n := w.open("run")
	_, err := Sweep(t.Context(), w.cfg, w.clock.Now(), false)
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Errorf("while a run is at work: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	w.night("2026-03-16")
	if err := os.Remove(filepath.Join(w.cfg.DataDir, ledger.FileName)); err != nil {
		t.Fatal(err)
	}
	var input *InputError
	if _, err := Sweep(t.Context(), w.cfg, w.clock.Now().AddDate(9, 0, 0), false); !errors.As(err, &input) {
		t.Errorf("without a ledger: %v", err)
	}
}

func TestRunTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 30, 0, 123e6, time.UTC)
	id, err := NewRunID(now)
	if at, ok := runTime(id); err != nil || !ok || !at.Equal(now) {
		t.Errorf("%s is %s %v %v", id, at, ok, err)
	}
	for _, id := range []string{"", "notes", "20261122T043000123Z", "20261122T043000123Z-1f3", "20261122T043000123Z-1F3c", "20261322T043000123Z-1f3c", "2026-11-22", "20261122T043000Z-1f3c"} {
		if _, ok := runTime(id); ok {
			t.Errorf("%q is no id of a run", id)
		}
	}
}
