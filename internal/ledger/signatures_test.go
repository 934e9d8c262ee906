package ledger

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The last signature of each period counts, and a report is found by its period and by its directory's name.
func TestSignatures(t *testing.T) {
	l := openTest(t, t.TempDir())
	at := time.Date(2026, 3, 17, 4, 30, 0, 0, time.UTC)
	report := func(name, date, closing string) WrittenReport {
		t.Helper()
		r := WrittenReport{
			Name: name, BusinessDate: date, Period: date + "/next", Files: []ReportFile{{"balances.csv", "ab"}},
			Figures: []Figure{{"ZAR closing", closing}, {"breaks", "0"}}, WrittenAt: at,
		}
		if err := l.RecordReport(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		found, err := l.ReportsNamed(t.Context(), name)
		if err != nil || len(found) == 0 {
			t.Fatal(err)
		}
		r.ID = found[0].ID
		if diff := cmp.Diff(r, found[0]); diff != "" {
			t.Error(diff)
		}
		return r
	}
	sign := func(r WrittenReport, by string) Signature {
		t.Helper()
		s := Signature{Report: r, By: by, Note: "note", SignedAt: at.Add(time.Hour)}
		if err := l.Sign(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first, second := report("run-1", "2026-03-15", "1.00"), report("run-2", "2026-03-16", "2.00")
	sign(first, "Ann")
	newer, other := sign(first, "Ben"), sign(second, "Cy")
	again := report("run-1", "2026-03-15", "3.00")

	got, err := l.Signatures(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Signature{other, newer}, got); diff != "" {
		t.Error(diff)
	}
	if got, err = l.Signatures(t.Context(), first.Period); err != nil || len(got) != 1 || got[0].By != "Ben" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = l.Signatures(t.Context(), "another"); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	third := report("run-3", "2026-03-17", "3.00") // nobody signs it
	if names, err := l.SignedReports(t.Context()); err != nil || !slices.Equal(names, []string{"run-1", "run-2"}) {
		t.Errorf("%q, %v; %s is not signed", names, err, third.Name)
	}
	latest, ok, err := l.LatestReport(t.Context(), first.Period)
	if diff := cmp.Diff(again, latest); diff != "" || !ok || err != nil {
		t.Errorf("%v, %v\n%s", ok, err, diff)
	}
	if _, ok, err = l.LatestReport(t.Context(), "another"); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	if found, err := l.ReportsNamed(t.Context(), "run-1"); err != nil || len(found) != 2 || found[0].ID != again.ID {
		t.Errorf("%+v, %v", found, err)
	}
	if err := l.Sign(t.Context(), Signature{Report: first}); err == nil {
		t.Error("nobody has signed")
	}
	if err := l.Sign(t.Context(), Signature{Report: WrittenReport{ID: 4711}, By: "Ann"}); err == nil {
		t.Error("a report that is not there was signed")
	}
}
