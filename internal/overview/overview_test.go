package overview_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
	"tallyman/internal/overview"
	"tallyman/internal/reporttest"
)

func read(t *testing.T, dir string) *overview.Overview {
	t.Helper()
	o, err := overview.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// A report that nothing is wrong with is all right, and its ageing is all that is owed.
func TestAllRight(t *testing.T) {
	o := read(t, reporttest.Write(t, reporttest.Options{Customers: 300, Quiet: true}))
	if !o.OK() || len(o.Reasons()) != 0 || len(o.Differences) != 0 {
		t.Errorf("reasons %q, differences %q", o.Reasons(), o.Differences)
	}
	var currencies []string
	sums := map[string]*overview.Decimal{}
	for _, a := range o.Ageing {
		if sums[a.Currency] == nil {
			currencies, sums[a.Currency] = append(currencies, a.Currency), &overview.Decimal{}
		}
		owed, err := overview.ParseDecimal(a.Owed)
		if err != nil {
			t.Fatal(err)
		}
		sums[a.Currency].Add(owed)
	}
	if diff := cmp.Diff([]string{"BHD", "JPY", "ZAR"}, currencies); diff != "" {
		t.Error(diff)
	}
	for _, r := range o.Summary.RollForward {
		if sums[r.Currency].String() != r.Closing {
			t.Errorf("%s: aged %s, closing %s", r.Currency, sums[r.Currency], r.Closing)
		}
	}
	var buckets []string
	for _, a := range o.Ageing {
		if a.Currency == "JPY" {
			buckets = append(buckets, a.Bucket)
		}
	}
	if diff := cmp.Diff([]string{"current", "1-30", "31-60", "61-90", "90+"}, buckets); diff != "" {
		t.Error(diff)
	}
}

// Only the day file of a date answers for it, whatever became of it: another file of that date does not.
func TestDayFilesThatCame(t *testing.T) {
	once := formats.CompletenessFile{Name: "once.csv", Date: "2026-11-22", State: "done"}
	day := formats.CompletenessFile{Name: "day-22.csv", Date: "2026-11-22", DayFile: true, State: "done"}
	held := formats.CompletenessFile{Name: "day-23.csv", Date: "2026-11-23", DayFile: true, State: "held"}
	for _, at := range []struct {
		expected int
		files    []formats.CompletenessFile
		reasons  []string
		came     string
	}{
		{1, []formats.CompletenessFile{once, day}, nil, "1 expected, 1 came"},
		{1, []formats.CompletenessFile{once}, []string{"The customer file of this date did not come."}, "1 expected, 0 came"},
		{3, []formats.CompletenessFile{day}, []string{"Of 3 customer files expected, 1 came."}, "3 expected, 1 came"},
		{2, []formats.CompletenessFile{day, held}, []string{"The customer file day-23.csv is held, so its balances are not in the figures."}, "2 expected, 2 came, 1 held"},
	} {
		o := overview.Overview{Summary: formats.Summary{Completeness: formats.Completeness{ExpectedFiles: at.expected, Files: at.files}}}
		if diff := cmp.Diff(at.reasons, o.Reasons()); diff != "" {
			t.Errorf("%v (-want +got)\n%s", at.files, diff)
		}
		if got := o.Inputs()[0].Text; got != at.came {
			t.Errorf("%v: %q", at.files, got)
		}
	}
}

// What needs a person is the reason why it is not all right, with the money behind it in each currency.
func TestNotAllRight(t *testing.T) {
	o := read(t, reporttest.Write(t, reporttest.Options{Customers: 50}))
	want := []string{
		"Payments in another currency than the customer's balance: 1, EUR 123.45.",
		"Payments of customers that nobody knows: 2, BHD 1234.567, ZAR 123.45.",
	}
	got := o.Reasons()
	if len(got) != 2 {
		t.Fatalf("%q", got)
	}
	for _, w := range want {
		if got[0] != w && got[1] != w {
			t.Errorf("%q lacks %q", got, w)
		}
	}
	if len(o.Breaks) != 3 {
		t.Errorf("%d breaks", len(o.Breaks))
	}
}

// A row that was changed after the summary was made no longer adds up to it, and moves the hash of positions.
func TestChangedRow(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 30, Quiet: true})
	before := read(t, dir)
	path := filepath.Join(dir, "balances.csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), ",100.00,0.00,100.00,", ",100.01,0.00,100.00,", 1)
	if changed == string(text) {
		t.Fatal("nothing changed")
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	after := read(t, dir)
	if len(after.Differences) != 1 || !strings.HasPrefix(after.Differences[0], "ZAR opening: ") || after.OK() {
		t.Errorf("%q", after.Differences)
	}
	if before.Positions == after.Positions {
		t.Error("the positions have the same hash")
	}
}

func TestUnreadable(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 3})
	if err := os.WriteFile(filepath.Join(dir, "balances.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := overview.Read(dir); err == nil || !strings.Contains(err.Error(), "balances.csv: empty_file") {
		t.Errorf("%v", err)
	}
	if _, err := overview.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "summary.json") {
		t.Errorf("%v", err)
	}
}
