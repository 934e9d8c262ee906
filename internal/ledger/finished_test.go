package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

// TestFinishedRows: rows that are finished are found by their numbers and told in order, whatever was committed together and
// wherever they were before.
func TestFinishedRows(t *testing.T) {
	l := openTest(t, t.TempDir())
	f, other := begin(t, l, "2026-03-16", "aa"), begin(t, l, "2026-03-16", "bb")
	at := time.UnixMicro(7).UTC()
	must(t, l.Record(t.Context(), other, nil, []Finished{created(1, "Z", 5, at)}))
	var want []Row
	for _, number := range []int{1, stretch, stretch + 1, 3 * stretch, 3*stretch + 1} {
		want = append(want, *created(number, "C", int64(number), at).Row)
	}
	failed := planned(stretch+1, "C", string(formats.Failed))
	open := planned(5, "D", string(formats.Failed))
	must(t, l.Record(t.Context(), f, nil, []Finished{{Row: &failed}, {Row: &open}}))
	for _, batch := range [][]int{{4, 2}, {1}, {3, 0}} {
		var finished []Finished
		for _, i := range batch {
			finished = append(finished, created(want[i].Number, "C", want[i].Result.Balance.Minor, at))
		}
		must(t, l.Record(t.Context(), f, nil, finished))
	}
	if n := count(t, l, "rows"); n != 1 {
		t.Errorf("%d rows are not finished, want 1", n)
	}
	for _, tt := range []struct {
		from, to int
		want     []Row
	}{
		{6, 4 * stretch, want[1:]}, {2, stretch, []Row{open, want[1]}}, {stretch, stretch + 1, want[1:3]}, {stretch + 2, 3*stretch - 1, []Row{}}, {1, 4, want[:1]},
	} {
		got, err := l.Rows(t.Context(), f.ID, tt.from, tt.to)
		must(t, err)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("[%d, %d]: %s", tt.from, tt.to, diff)
		}
	}
	var told []int
	must(t, l.Assertions(t.Context(), "2026-03-16", func(a Assertion) error {
		told = append(told, a.Line-1)
		return nil
	}))
	if diff := cmp.Diff([]int{1, stretch, stretch + 1, 3 * stretch, 3*stretch + 1, 1}, told); diff != "" {
		t.Error(diff)
	}
}

// TestFinishedStays: a row that is finished is not undone by a plan that comes too late.
func TestFinishedStays(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	done := created(1, "A", 5, time.UnixMicro(7).UTC())
	must(t, l.Record(t.Context(), f, nil, []Finished{done}))
	must(t, l.Plan(t.Context(), f, pointers(planned(1, "A", ""), planned(2, "B", "")), nil))
	if diff := cmp.Diff([]Row{*done.Row, planned(2, "B", "")}, allRows(t, l, f)); diff != "" {
		t.Error(diff)
	}
}

// TestDamagedFinished: what is no row is no row of zeros.
func TestDamagedFinished(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	must(t, l.Record(t.Context(), f, nil, []Finished{created(1, "A", 5, time.UnixMicro(7))}))
	_, err := l.write.ExecContext(t.Context(), `UPDATE finished SET packed = substr(packed, 1, 20)`)
	must(t, err)
	_, rows := l.Rows(t.Context(), f.ID, 1, 1)
	assertions := l.Assertions(t.Context(), "9999-12-31", func(Assertion) error { return nil })
	for _, err := range []error{rows, assertions} {
		if !errors.Is(err, errPacked) {
			t.Errorf("%v", err)
		}
	}
}
