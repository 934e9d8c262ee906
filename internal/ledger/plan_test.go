package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tallyman/formats"
)

func count(t *testing.T, l *Ledger, table string) (n int) {
	t.Helper()
	must(t, l.write.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
	return n
}

func allRows(t *testing.T, l *Ledger, f File) []Row {
	t.Helper()
	rows, err := l.Rows(t.Context(), f.ID, 1, 1<<30)
	must(t, err)
	return rows
}

// TestPlanIsDropped: a row leaves its plan with its outcome, and the last one takes the plan with it.
func TestPlanIsDropped(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	first, third := planned(1, "A", ""), planned(200, "C", "")
	must(t, l.Plan(t.Context(), f, pointers(first, planned(70, "B", ""), third), nil))
	if plans, rows := count(t, l, "plans"), count(t, l, "rows"); plans != 1 || rows != 0 {
		t.Errorf("planned: %d plans, %d rows", plans, rows)
	}
	b := created(70, "B", 5, time.UnixMicro(1))
	must(t, l.Record(t.Context(), f, nil, []Finished{b}))
	if diff := cmp.Diff([]Row{first, *b.Row, third}, allRows(t, l, f)); diff != "" {
		t.Error(diff)
	}
	must(t, l.Record(t.Context(), f, []Advance{{Row: third}}, nil))
	must(t, l.Record(t.Context(), f, nil, []Finished{{Row: &third}, {Row: &third}}))
	if plans := count(t, l, "plans"); plans != 1 {
		t.Error("the first row is lost with its plan")
	}
	must(t, l.Record(t.Context(), f, nil, []Finished{created(1, "A", 5, time.UnixMicro(1))}))
	if plans, rows, packs := count(t, l, "plans"), count(t, l, "rows"), count(t, l, "finished"); plans != 0 || rows != 1 || packs != 2 {
		t.Errorf("finished: %d plans, %d rows that are not, %d values of those that are", plans, rows, packs)
	}
}

// TestPlanOfAFailedCommit: what was not written has not moved either.
func TestPlanOfAFailedCommit(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	must(t, l.Plan(t.Context(), f, pointers(planned(1, "A", ""), planned(2, "B", "")), nil))
	a, b := created(1, "A", 5, time.UnixMicro(1)), created(2, "B", 5, time.UnixMicro(1))
	broken := created(2, "B", 5, time.UnixMicro(1))
	broken.Row.Operation, broken.Row.Result.Outcome = "delete", formats.Failed
	if err := l.Record(t.Context(), f, nil, []Finished{a, broken}); err == nil {
		t.Fatal("an operation that is none was taken")
	}
	must(t, l.Record(t.Context(), f, nil, []Finished{b}))
	if rows := allRows(t, l, f); len(rows) != 2 || rows[0].Result.Outcome != "" {
		t.Errorf("the plan was lost with one of its rows: %+v", rows)
	}
}

// TestPlanOfAKilledRun: what a killed run has planned is seen by whoever only looks, and is where it belongs once
// something is written.
func TestPlanOfAKilledRun(t *testing.T) {
	dir := t.TempDir()
	killed := openTest(t, dir)
	f := begin(t, killed, "2026-03-16", "aa")
	rows := []Row{planned(1, "A", ""), planned(2, "B", "")}
	must(t, killed.Plan(t.Context(), f, pointers(rows...), nil))
	must(t, killed.Record(t.Context(), f, nil, []Finished{created(1, "A", 5, time.UnixMicro(1))}))

	l := openTest(t, dir)
	other := begin(t, l, "2026-03-17", "bb")
	doubted := func() []string {
		t.Helper()
		known, err := l.Standings(t.Context(), other, []string{"A", "B"})
		must(t, err)
		var doubted []string
		for _, reference := range []string{"A", "B"} {
			if s := known[reference]; s.Unresolved {
				doubted = append(doubted, reference)
			}
		}
		return doubted
	}
	for range 2 {
		if diff := cmp.Diff([]string{"B"}, doubted()); diff != "" {
			t.Error(diff)
		}
		if got := allRows(t, l, f); len(got) != 2 || got[0].Result.Outcome != formats.Created || !cmp.Equal(got[1], rows[1]) {
			t.Errorf("%+v", got)
		}
		must(t, l.Plan(t.Context(), other, pointers(planned(7, "C", "")), nil))
	}
	must(t, l.Record(t.Context(), other, nil, []Finished{created(8, "B", 5, time.UnixMicro(1))}))
	if got := doubted(); got != nil {
		t.Errorf("superseded, and still in doubt: %v", got)
	}
	// The file itself again: its row is planned anew, and finished once.
	must(t, l.Plan(t.Context(), f, pointers(rows[1:]...), nil))
	must(t, l.Record(t.Context(), f, nil, []Finished{created(2, "B", 5, time.UnixMicro(1))}))
	if plans := count(t, l, "plans"); plans != 0 {
		t.Errorf("%d plans are left", plans)
	}
}

// TestPackedRows: what is packed comes back, and what is damaged is an error.
func TestPackedRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringN(0, 40, 300)
		number := rapid.Int64()
		rows := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) Row {
			r := Row{
				Number: int(number.Draw(rt, "number")), Operation: text.Draw(rt, "operation"), Key: text.Draw(rt, "key"),
				Generation: rapid.Int().Draw(rt, "generation"), Refused: rapid.Bool().Draw(rt, "refused"),
				PlannedAt: fromMicros(rapid.Int64Range(0, 1<<52).Draw(rt, "planned")),
			}
			copy(r.BodySHA256[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "body"))
			r.Result = formats.OutcomeRow{
				Line: rapid.Int().Draw(rt, "line"), ExternalReference: text.Draw(rt, "reference"), Outcome: formats.Outcome(text.Draw(rt, "outcome")),
				CustomerID: text.Draw(rt, "customer"), Currency: text.Draw(rt, "currency"), Payable: text.Draw(rt, "payable"),
				Balance:    formats.Balance{Minor: number.Draw(rt, "balance"), Set: rapid.Bool().Draw(rt, "set")},
				HTTPStatus: rapid.Int().Draw(rt, "status"), Attempts: rapid.Int().Draw(rt, "attempts"), Reason: text.Draw(rt, "reason"), Detail: text.Draw(rt, "detail"),
			}
			return r
		}), 1, 3).Draw(rt, "rows")
		var packed []byte
		for i := range rows {
			packed = appendRow(packed, &rows[i])
		}
		got, err := unpackRows(string(packed))
		if err != nil || !cmp.Equal(got, rows) {
			rt.Fatalf("%v\n%s", err, cmp.Diff(rows, got))
		}
		if _, err := unpackRows(string(packed[:len(packed)-1])); !errors.Is(err, errPacked) {
			rt.Fatalf("cut off: %v", err)
		}
		want := finishedRow{Row: rows[0], asserts: rapid.Bool().Draw(rt, "asserts")}
		done := Finished{Row: &rows[0]}
		if want.asserts {
			want.sentAt, want.name, want.dueDate = rapid.Int64Range(0, 1<<52).Draw(rt, "sent"), text.Draw(rt, "name"), text.Draw(rt, "due")
			done.Assertion = &Standing{SentAt: fromMicros(want.sentAt), Asserted: formats.Customer{Name: want.name, DueDate: want.dueDate}}
		}
		packed = appendFinished(appendFinished(nil, &done), &done)
		finished, err := unpackFinished(nil, string(packed))
		if diff := cmp.Diff([]finishedRow{want, want}, finished, cmp.AllowUnexported(finishedRow{})); err != nil || diff != "" {
			rt.Fatalf("%v\n%s", err, diff)
		}
		if _, err := unpackFinished(nil, string(packed[:len(packed)-1])); !errors.Is(err, errPacked) {
			rt.Fatalf("cut off: %v", err)
		}
	})
}

// FuzzUnpackRows: no bytes make the ledger fail in another way than by saying so.
func FuzzUnpackRows(f *testing.F) {
	row := planned(1, "A", "")
	f.Add(string(appendRow(nil, &row)))
	done := created(1, "A", 5, time.UnixMicro(1))
	f.Add(string(appendFinished(nil, &done)))
	f.Add("\x80")
	f.Add("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02")
	f.Fuzz(func(t *testing.T, packed string) {
		_, err := unpackRows(packed)
		_, more := unpackFinished(nil, packed)
		for _, err := range []error{err, more} {
			if err != nil && !errors.Is(err, errPacked) {
				t.Error(err)
			}
		}
	})
}

// TestMigrationKeepsWhatIsOnRecord takes a ledger of the first version to the present one and back.
func TestMigrationKeepsWhatIsOnRecord(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir)
	f := begin(t, l, "2026-03-16", "aa")
	want := created(1, "A", 5, time.UnixMicro(9).UTC())
	must(t, l.Record(t.Context(), f, nil, []Finished{want}))
	provider, err := newMigrator(l.write)
	must(t, err)
	for _, migrate := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := provider.DownTo(ctx, 1); return err },
		func(ctx context.Context) error { _, err := provider.UpTo(ctx, 2); return err },
	} {
		must(t, migrate(t.Context()))
	}
	again := openTest(t, dir)
	if diff := cmp.Diff([]Row{*want.Row}, allRows(t, again, f)); diff != "" {
		t.Error(diff)
	}
	known, err := again.Standings(t.Context(), f, []string{"A"})
	must(t, err)
	if diff := cmp.Diff(want.Assertion.Asserted, known["A"].Asserted); diff != "" {
		t.Error(diff)
	}
	n := 0
	must(t, again.Assertions(t.Context(), "9999-12-31", func(a Assertion) error {
		n++
		if a.Name != "Name" || a.DueDate != "2026-12-01" || !a.SentAt.Equal(time.UnixMicro(9)) || a.Balance != 5 {
			t.Errorf("%+v", a)
		}
		return nil
	}))
	if n != 1 {
		t.Errorf("%d assertions", n)
	}
}
