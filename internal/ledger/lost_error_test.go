package ledger

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"tallyman/formats"
)

// Whichever of its calls to SQLite fails, a method says so: what was not read must not look as if it were not there, and what
// was not written as if it were.
func TestNoErrorIsLost(t *testing.T) {
	dir := t.TempDir()
	l, faults := openFaulty(t, dir)
	fill(t, l)
	at, file := time.UnixMicro(5_000_000).UTC(), File{ID: 2, BusinessDate: "2026-03-16", SHA256: "bb"}
	next := begin(t, l, "2026-03-18", "next")
	old := begin(t, l, "2026-03-14", "old")
	held := begin(t, l, "2026-03-19", "held")
	must(t, l.Conclude(t.Context(), held.ID, FileHeld, "why", 1))
	report := WrittenReport{Name: "r1", BusinessDate: "2026-03-16", Period: "p", Files: []ReportFile{{Name: "a", SHA256: "b"}}, Figures: []Figure{{Name: "a", Value: "1"}}, WrittenAt: at}
	written := 0
	calls := map[string]func(context.Context) error{
		"Approve": func(ctx context.Context) error {
			_, err := l.Approve(ctx, held.ID, Approval{ApprovedAt: at})
			return err
		},
		"ApprovalOf": func(ctx context.Context) error { _, _, err := l.ApprovalOf(ctx, 1); return err },
		"Approved":   func(ctx context.Context) error { _, err := l.Approved(ctx); return err },
		"FindFiles":  func(ctx context.Context) error { _, err := l.FindFiles(ctx, "b"); return err },
		"Assertions": func(ctx context.Context) error {
			return l.Assertions(ctx, "2026-03-20", func(Assertion) error { return nil })
		},
		"NewCensus":    func(ctx context.Context) error { return census(ctx, l, dir, faults) },
		"AnyCustomer":  func(ctx context.Context) error { _, err := l.AnyCustomer(ctx); return err },
		"Standings":    func(ctx context.Context) error { _, err := l.Standings(ctx, old, []string{"A", "B", "C"}); return err },
		"DayFileDates": func(ctx context.Context) error { _, err := l.DayFileDates(ctx, "2026-01-01"); return err },
		"RanBetween": func(ctx context.Context) error {
			_, err := l.RanBetween(ctx, "run", time.UnixMicro(1), at)
			return err
		},
		"Started":       func(ctx context.Context) error { _, err := l.Started(ctx, 1); return err },
		"FirstEver":     func(ctx context.Context) error { _, err := l.FirstEver(ctx, 1); return err },
		"IsNeeded":      func(ctx context.Context) error { _, err := l.IsNeeded(ctx, "bb"); return err },
		"DayFileBefore": func(ctx context.Context) error { _, _, err := l.DayFileBefore(ctx, next); return err },
		"SameContent":   func(ctx context.Context) error { _, _, err := l.SameContent(ctx, next); return err },
		"Corrected":     func(ctx context.Context) error { _, _, err := l.Corrected(ctx, next); return err },
		"CountRuns":     func(ctx context.Context) error { _, err := l.CountRuns(ctx); return err },
		"LastEnded":     func(ctx context.Context) error { _, _, err := l.LastEnded(ctx, "run"); return err },
		"CountFiles":    func(ctx context.Context) error { _, err := l.CountFiles(ctx); return err },
		"Begin": func(ctx context.Context) error {
			_, err := l.Begin(ctx, File{BusinessDate: "2026-04-01", SHA256: "x", RunID: "r", FirstSeen: at})
			return err
		},
		"Conclude":     func(ctx context.Context) error { return l.Conclude(ctx, 2, FileDone, "", 3) },
		"Files":        func(ctx context.Context) error { _, err := l.Files(ctx, 9); return err },
		"FilesOf":      func(ctx context.Context) error { _, err := l.FilesOf(ctx, "r"); return err },
		"FilesBetween": func(ctx context.Context) error { _, err := l.FilesBetween(ctx, "2026-01-01", "2026-12-31"); return err },
		"FindFile":     func(ctx context.Context) error { _, _, err := l.FindFile(ctx, "2026-03-16", "bb"); return err },
		"HasDayFile":   func(ctx context.Context) error { _, err := l.HasDayFile(ctx, "2026-03-16"); return err },
		"LastRun":      func(ctx context.Context) error { _, _, err := l.LastRun(ctx, "run", at, 0, 3); return err },
		"Bind":         func(ctx context.Context) error { return l.Bind(ctx, Binding{"acme", "test", "host"}) },
		"CheckBinding": func(ctx context.Context) error { return l.CheckBinding(ctx, Binding{"acme", "test", "host"}) },
		"PaymentsUpTo": func(ctx context.Context) error { _, err := l.PaymentsUpTo(ctx); return err },
		"AddPayments": func(ctx context.Context) error {
			return l.AddPayments(ctx, []Payment{{EventID: "e9", CustomerID: "bcus_A", ReceivedAt: at, Currency: "ZAR", Amount: 1}, {EventID: "e10", CustomerID: "bcus_A", ReceivedAt: at, Currency: "ZAR", Amount: 1}}, 9)
		},
		"Plan": func(ctx context.Context) error {
			written += 10
			return l.Plan(ctx, next, pointers(planned(written, "A", ""), planned(written+1, "B", "")), []Finished{created(written+2, "E", 5, at)})
		},
		"Rows": func(ctx context.Context) error { _, err := l.Rows(ctx, 2, 1, 9); return err },
		"Record": func(ctx context.Context) error {
			advanced := planned(2, "B", "")
			advanced.Generation = 1
			return l.Record(ctx, file, []Advance{{Row: advanced}}, []Finished{created(3, "C", 7, at)})
		},
		"StartRun": func(ctx context.Context) error { return l.StartRun(ctx, Run{ID: "r9", Command: "run", StartedAt: at}) },
		"EndRun":   func(ctx context.Context) error { return l.EndRun(ctx, Run{ID: "r1", EndedAt: at}) },
		"Runs":     func(ctx context.Context) error { _, err := l.Runs(ctx, 9); return err },
		"FindRun":  func(ctx context.Context) error { _, _, err := l.FindRun(ctx, "r1"); return err },
		"Decide": func(ctx context.Context) error {
			return l.Decide(ctx, Decision{ExceptionID: "ex_1", Decision: "drop", Reason: "why", DecidedAt: at})
		},
		"Decisions": func(ctx context.Context) error { _, err := l.Decisions(ctx); return err },
		"SeenWithoutBalance": func(ctx context.Context) (err error) {
			for _, e := range l.SeenWithoutBalance(ctx, "2026-01-01", "2026-12-31") {
				err = errors.Join(err, e)
			}
			return err
		},
		"RecordReport": func(ctx context.Context) error { return l.RecordReport(ctx, report) },
		"ReportsNamed": func(ctx context.Context) error { _, err := l.ReportsNamed(ctx, "r0"); return err },
		"LatestReport": func(ctx context.Context) error { _, _, err := l.LatestReport(ctx, "p"); return err },
		"Sign": func(ctx context.Context) error {
			return l.Sign(ctx, Signature{Report: WrittenReport{ID: 1}, By: "me", SignedAt: at})
		},
		"Signatures":    func(ctx context.Context) error { _, err := l.Signatures(ctx, "p"); return err },
		"SignedReports": func(ctx context.Context) error { _, err := l.SignedReports(ctx); return err },
		"Snapshot": func(ctx context.Context) error {
			written++
			return l.Snapshot(ctx, filepath.Join(dir, fmt.Sprintf("copy%d", written)))
		},
		"PaidOn": func(ctx context.Context) error {
			_, err := l.PaidOn(ctx, time.UnixMicro(1), []string{"A", "B"})
			return err
		},
		"Unsettled": func(ctx context.Context) error { _, err := l.Unsettled(ctx); return err },
		"Close":     nil, // has nothing to do with what is asked
	}
	for i := range reflect.TypeFor[*Ledger]().NumMethod() {
		name := reflect.TypeFor[*Ledger]().Method(i).Name
		call, listed := calls[name]
		if !listed {
			t.Errorf("%s is not tried: give it a call here", name)
		}
		if call == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for n := 1; ; n++ {
				faults.arm(n)
				err := call(t.Context())
				reached := faults.disarm() >= n
				switch {
				case !reached && err != nil:
					t.Fatalf("without a fault: %v", err)
				case !reached && n == 1:
					t.Fatal("nothing was asked of SQLite")
				case reached && !errors.Is(err, errInjected):
					t.Fatalf("call %d failed, and it said: %v", n, err)
				case !reached:
					return
				}
			}
		})
	}
}

// census counts a file of two customers, one by one and with all that can be asked.
func census(ctx context.Context, l *Ledger, dir string, f *faults) error {
	c, err := l.NewCensus(ctx, dir)
	if err != nil {
		return err
	}
	for i := range censusBatch + 1 {
		err = errors.Join(err, c.Add(ctx, &formats.Customer{ExternalReference: fmt.Sprintf("A%d", i), Currency: "ZAR", Balance: formats.BalanceOf(3)}, true))
	}
	if err == nil {
		_, _, err = c.Missing(ctx, 2)
	}
	if err == nil {
		_, _, err = c.Totals(ctx, 2)
	}
	if err == nil {
		err = c.Balances(ctx, func(_, _ int64) {})
	}
	f.disarm() // what ends it may fail: its file is removed all the same
	return errors.Join(err, c.Close(ctx))
}

// fill gives every table something to read.
func fill(t *testing.T, l *Ledger) {
	t.Helper()
	ctx, sent := t.Context(), time.UnixMicro(1_000_000).UTC()
	must(t, l.Bind(ctx, Binding{"acme", "test", "host"}))
	for _, id := range []string{"r1", "r2"} {
		must(t, l.StartRun(ctx, Run{ID: id, Command: "run", StartedAt: sent}))
		must(t, l.EndRun(ctx, Run{ID: id, EndedAt: sent.Add(1), ExitCode: 3, Summary: "{}"}))
	}
	for i, f := range []File{{BusinessDate: "2026-03-15", SHA256: "aa", Name: "a.csv"}, {BusinessDate: "2026-03-16", SHA256: "bb", Name: "b.csv"}} {
		f.DayFile, f.RunID, f.FirstSeen = true, "r", sent
		file, err := l.Begin(ctx, f)
		must(t, err)
		must(t, l.Plan(ctx, file, pointers(planned(1, "A", ""), planned(2, "B", ""), planned(3, "C", ""), planned(4, "D", "")), nil))
		rejected := created(4, "D", 9, sent)
		rejected.Assertion, rejected.Row.Result.Outcome, rejected.Row.Result.CustomerID = nil, formats.Rejected, ""
		must(t, l.Record(ctx, file, nil, []Finished{created(1, "A", int64(100+i), sent), rejected}))
	}
	must(t, l.AddPayments(ctx, []Payment{
		{EventID: "e1", CustomerID: "bcus_A", ReceivedAt: sent.Add(time.Second), Currency: "ZAR", Amount: 5},
		{EventID: "e2", CustomerID: "bcus_A", ReceivedAt: sent.Add(time.Second), Currency: "ZAR", Amount: 6},
	}, 5))
	must(t, l.Decide(ctx, Decision{ExceptionID: "ex_0", Decision: "apply", Reason: "why", DecidedAt: sent}))
	must(t, l.Conclude(ctx, 1, FileHeld, "why", 4))
	_, err := l.Approve(ctx, 1, Approval{HeldFor: "why", Reason: "right", By: "me", ApprovedAt: sent})
	must(t, err)
	must(t, l.RecordReport(ctx, WrittenReport{Name: "r0", BusinessDate: "2026-03-16", Period: "p", WrittenAt: sent}))
	must(t, l.Sign(ctx, Signature{Report: WrittenReport{ID: 1}, By: "me", SignedAt: sent}))
}
