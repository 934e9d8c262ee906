package ledger

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

// TestDoubted: every balance that an unanswered row of another file may have set is told, until the row is superseded.
func TestDoubted(t *testing.T) {
	l := openTest(t, t.TempDir())
	first, second, third := begin(t, l, "2026-03-15", "1"), begin(t, l, "2026-03-16", "2"), begin(t, l, "2026-03-17", "3")
	silent := planned(1, "A", "in_doubt")
	silent.Result.Balance = formats.BalanceOf(-7)
	nothing := planned(1, "A", "")
	nothing.Result.Balance, nothing.Result.Currency = formats.Balance{}, ""
	done := planned(2, "A", "failed")
	must(t, l.Record(t.Context(), first, nil, []Finished{{Row: &silent}, {Row: &done}}))
	must(t, l.Plan(t.Context(), second, pointers(nothing), nil))
	look := func() []formats.Customer {
		t.Helper()
		known, err := l.Standings(t.Context(), third, []string{"A"})
		must(t, err)
		return known["A"].Doubted
	}
	if diff := cmp.Diff([]formats.Customer{{Currency: "ZAR", Balance: formats.BalanceOf(-7)}, {}}, look()); diff != "" {
		t.Error(diff)
	}
	must(t, l.Plan(t.Context(), third, pointers(planned(1, "A", "")), nil))
	must(t, l.Record(t.Context(), third, nil, []Finished{created(1, "A", 1, time.UnixMicro(1))}))
	if got := look(); len(got) != 0 {
		t.Errorf("superseded, and still doubted: %v", got)
	}
	// A row that is planned again is a new request.
	silent.Result.Outcome = ""
	must(t, l.Plan(t.Context(), first, pointers(silent), nil))
	if got := look(); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// TestFoundIsOnRecord: a customer that was found is what stands from then on, before any outcome.
func TestFoundIsOnRecord(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	must(t, l.Plan(t.Context(), f, pointers(planned(1, "A", "")), nil))
	found := formats.Customer{ExternalReference: "A", Name: "There before", Currency: "ZAR", Balance: formats.BalanceOf(9), Metadata: []formats.Metadatum{{Key: "k", Value: "v"}}}
	at := time.UnixMicro(5000).UTC()
	next := planned(1, "A", "")
	next.Operation, next.Key, next.BodySHA256, next.PlannedAt = OperationUpdate, "", [32]byte{7}, at
	must(t, l.Record(t.Context(), f, []Advance{{Row: next, CustomerID: "bcus_old", Found: found, Payable: "no"}}, nil))
	known, err := l.Standings(t.Context(), begin(t, l, "2026-03-17", "bb"), []string{"A"})
	must(t, err)
	want := Standing{
		CustomerID: "bcus_old", Asserted: found, SentAt: at, Payable: "no", Unresolved: true,
		Doubted: []formats.Customer{{Currency: "ZAR", Balance: formats.BalanceOf(5)}},
	}
	if diff := cmp.Diff(want, known["A"], cmp.Comparer(func(a, b formats.Sum) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	rows, err := l.Rows(t.Context(), f.ID, 1, 1)
	must(t, err)
	if r := rows[0]; r.Operation != OperationUpdate || r.Key != "" || r.BodySHA256 != [32]byte{7} {
		t.Errorf("%+v", r)
	}
	// It asserts nothing for reports: no row has said it.
	must(t, l.Assertions(t.Context(), "9999-12-31", func(a Assertion) error {
		t.Errorf("%+v", a)
		return nil
	}))
}

// TestManyReferences asks for as many as a chunk of a file has.
func TestManyReferences(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	var rows []Row
	var finished []Finished
	var references []string
	for i := range 1001 {
		reference := strings.Repeat("x", i%7) + string(rune('A'+i%26)) + time.Duration(i).String()
		references = append(references, reference)
		rows = append(rows, planned(i+1, reference, ""))
		finished = append(finished, created(i+1, reference, int64(i), time.UnixMicro(1)))
	}
	must(t, l.Plan(t.Context(), f, pointers(rows...), nil))
	must(t, l.Record(t.Context(), f, nil, finished))
	known, err := l.Standings(t.Context(), f, references)
	must(t, err)
	for i, reference := range references {
		if known[reference].Asserted.Balance != formats.BalanceOf(int64(i)) {
			t.Fatalf("%s: %+v", reference, known[reference])
		}
	}
	if got, err := l.Rows(t.Context(), f.ID, 1, len(rows)); err != nil || len(got) != len(rows) {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

// TestAnyPath: a data directory may have any name.
func TestAnyPath(t *testing.T) {
	for _, name := range []string{"plain", "a b", "what?mode=ro", "50%41", "hash#tag", "Zoë & co"} {
		dir := filepath.Join(t.TempDir(), name)
		l := openTest(t, dir)
		begin(t, l, "2026-03-16", "aa")
		again := openTest(t, dir)
		if _, ok, err := again.FindFile(t.Context(), "2026-03-16", "aa"); err != nil || !ok {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

// TestDurability holds the connection to what the package promises.
func TestDurability(t *testing.T) {
	l := openTest(t, t.TempDir())
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		must(t, l.write.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

// TestIndexes: what is asked for each row must not read a table that grows with the years.
func TestIndexes(t *testing.T) {
	l := openTest(t, t.TempDir())
	for _, test := range []struct{ query, index string }{
		{selectUnresolved, "rows_unresolved (reference=?)"},
		{selectCustomers, "PRIMARY KEY (reference=?)"},
		{selectPaid, "payments_by_customer (customer_id=?"},
		{`UPDATE rows SET superseded = 1 WHERE ` + unanswered + ` AND reference = 'a' AND file_id <> 1`, "rows_unresolved"},
		{selectSome, "rows_unresolved"},
		{selectFinished, "finished_by_stretch (file_id=? AND stretch>? AND stretch<?)"},
		{selectNextStretch, "finished_by_stretch (file_id=? AND stretch>?)"},
	} {
		plan := explain(t, l, strings.ReplaceAll(test.query, "?", "1"))
		if !strings.Contains(plan, test.index) {
			t.Errorf("%s\nis done by %s", test.query, plan)
		}
	}
}

// explain returns how SQLite would do a query, step by step.
func explain(t *testing.T, l *Ledger, query string) string {
	t.Helper()
	steps, err := l.write.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
	must(t, err)
	defer steps.Close()
	var plan strings.Builder
	for steps.Next() {
		var id, parent, unused int
		var step string
		must(t, steps.Scan(&id, &parent, &unused, &step))
		plan.WriteString(step + "\n")
	}
	must(t, steps.Err())
	return plan.String()
}
