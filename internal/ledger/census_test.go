package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

// dayFile records a day file with the rows given, and its end.
func dayFile(t *testing.T, l *Ledger, date, sum, state string, finished ...Finished) File {
	t.Helper()
	f, err := l.Begin(t.Context(), File{BusinessDate: date, SHA256: sum, Name: sum + ".csv", DayFile: true, FirstSeen: time.UnixMicro(1), RunID: "r"})
	must(t, err)
	must(t, l.Record(t.Context(), f, nil, finished))
	must(t, l.Conclude(t.Context(), f.ID, state, "", len(finished)))
	return f
}

// with changes the outcome of a row.
func with(f Finished, o formats.Outcome, reason string) Finished {
	f.Row.Result.Outcome, f.Row.Result.Reason = o, reason
	return f
}

// customer is one of the file that is looked at.
func customer(reference, currency string, balance int64) formats.Customer {
	return formats.Customer{ExternalReference: reference, Currency: currency, Balance: formats.BalanceOf(balance)}
}

// What a census says is what adding up by hand says: who is gone, what is owed, what was asserted.
func TestCensus(t *testing.T) {
	l, at := openTest(t, t.TempDir()), time.UnixMicro(5)
	before := dayFile(t, l, "2026-03-16", "aa", FileDone,
		created(1, "A", 100, at), created(2, "B", 200, at), created(3, "C", 400, at),
		with(created(4, "D", 8000, at), formats.Rejected, "bad_email"),
		with(created(5, "A", 100, at), formats.Duplicate, "same_row"),
		with(created(6, "E", 1600, at), formats.Rejected, "existing"))
	dir := t.TempDir()
	c, err := l.NewCensus(t.Context(), dir)
	must(t, err)
	for _, add := range []struct {
		customer formats.Customer
		good     bool
	}{
		{customer("A", "ZAR", 10000), true},
		{customer("B", "USD", 7), true},  // in another currency than before
		{customer("C", "ZAR", 1), false}, // rejected: there, and its balance unknown
		{customer("N", "ZAR", 5), true},
		{customer("N", "ZAR", 5), true}, // the same again
		{customer("M", "ZAR", 5), true},
		{customer("M", "ZAR", 6), true}, // a contradiction
		{formats.Customer{ExternalReference: "O"}, true},
	} {
		must(t, c.Add(t.Context(), &add.customer, add.good))
	}
	gone, of, err := c.Missing(t.Context(), before.ID)
	if must(t, err); gone != 1 || of != 4 { // E is gone; D and the second A were nobody
		t.Errorf("%d of %d are gone", gone, of)
	}
	was, is, err := c.Totals(t.Context(), before.ID)
	must(t, err)
	texts := func(totals map[string]formats.Sum) map[string]string {
		out := map[string]string{}
		for currency, sum := range totals {
			out[currency] = sum.String()
		}
		return out
	}
	if diff := cmp.Diff(map[string]string{"ZAR": "2300"}, texts(was)); diff != "" {
		t.Error("before:", diff)
	}
	if diff := cmp.Diff(map[string]string{"ZAR": "10005", "USD": "7"}, texts(is)); diff != "" {
		t.Error("now:", diff)
	}
	var pairs [][2]int64
	must(t, c.Balances(t.Context(), func(before, now int64) { pairs = append(pairs, [2]int64{before, now}) }))
	if diff := cmp.Diff([][2]int64{{100, 10000}}, pairs); diff != "" {
		t.Error(diff)
	}
	must(t, c.Close(t.Context()))
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	again, err := l.NewCensus(t.Context(), dir) // the connection can be used again
	must(t, err)
	must(t, again.Close(t.Context()))
}

// More customers than are written together are all counted, and the file is private.
func TestCensusOfMany(t *testing.T) {
	l, dir := openTest(t, t.TempDir()), t.TempDir()
	var rows []Finished
	for i := range 2*stretch + 3*censusBatch + 7 {
		row := created(i+1, fmt.Sprintf("C-%d", i), 1, time.UnixMicro(5))
		if i%2 == 0 {
			row = with(row, formats.Failed, "server_error")
		}
		rows = append(rows, row)
	}
	before := dayFile(t, l, "2026-03-16", "aa", FileDone, rows...)
	c, err := l.NewCensus(t.Context(), dir)
	must(t, err)
	info, err := os.Stat(filepath.Join(dir, censusName))
	if must(t, err); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	for i := range len(rows) - 100 {
		one := customer(fmt.Sprintf("C-%d", i), "ZAR", 2)
		must(t, c.Add(t.Context(), &one, true))
	}
	gone, of, err := c.Missing(t.Context(), before.ID)
	if must(t, err); gone != 100 || of != int64(len(rows)) {
		t.Errorf("%d of %d", gone, of)
	}
	must(t, c.Close(t.Context()))
}

// What a file is compared with: the last whole one of an earlier date, else one of its own date.
func TestDayFileBefore(t *testing.T) {
	l, at := openTest(t, t.TempDir()), time.UnixMicro(5)
	one := func(n int) Finished { return created(n, fmt.Sprintf("A-%d", n), 1, at) }
	first := dayFile(t, l, "2026-03-16", "aa", FileDone, one(1))
	second := dayFile(t, l, "2026-03-17", "bb", FileOpen, one(2), with(one(3), formats.Failed, "server_error"))
	held := dayFile(t, l, "2026-03-18", "cc", FileHeld)
	cut := dayFile(t, l, "2026-03-18", "dd", FileOpen, one(4))
	must(t, l.Conclude(t.Context(), cut.ID, FileOpen, "", 9)) // most of it is not on record
	must(t, l.Conclude(t.Context(), dayFile(t, l, "2026-03-18", "ee", FileRejected).ID, FileRejected, "", 0))
	oneOff := begin(t, l, "2026-03-18", "ff")
	must(t, l.Record(t.Context(), oneOff, nil, []Finished{one(5)}))
	must(t, l.Conclude(t.Context(), oneOff.ID, FileDone, "", 1))
	for _, tt := range []struct {
		file File
		want int64
	}{
		{File{ID: 99, BusinessDate: "2026-03-20"}, second.ID},
		{File{ID: 99, BusinessDate: "2026-03-17"}, first.ID}, // a correction is compared with the day before
		{File{ID: 99, BusinessDate: "2026-03-16"}, first.ID}, // of the first date ever, with what it corrects
		{File{ID: first.ID, BusinessDate: "2026-03-16"}, 0},
		{File{ID: 99, BusinessDate: "2026-03-01"}, 0},
	} {
		got, ok, err := l.DayFileBefore(t.Context(), tt.file)
		if must(t, err); got.ID != tt.want || ok != (tt.want != 0) {
			t.Errorf("%+v is compared with %+v", tt.file, got)
		}
	}
	if got, ok, err := l.Corrected(t.Context(), cut); err != nil || !ok || got.ID != held.ID {
		t.Errorf("%+v, %v", got, err)
	}
	if _, ok, err := l.SameContent(t.Context(), File{SHA256: "aa", BusinessDate: "2026-03-16"}); ok || err != nil {
		t.Errorf("the same date: %v, %v", ok, err)
	}
	if got, ok, err := l.SameContent(t.Context(), File{SHA256: "aa", BusinessDate: "2026-03-17"}); err != nil || !ok || got.ID != first.ID {
		t.Errorf("%+v, %v", got, err)
	}
	if dates, err := l.DayFileDates(t.Context(), "2026-03-17"); err != nil || !cmp.Equal(dates, []string{"2026-03-17", "2026-03-18"}) {
		t.Errorf("%q, %v", dates, err)
	}
}

// Only a held file can be approved, and only once; its word stays.
func TestApprove(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := dayFile(t, l, "2026-03-16", "abc1", FileHeld)
	dayFile(t, l, "2026-03-17", "abd2", FileDone)
	if needed, err := l.IsNeeded(t.Context(), "abc1"); err != nil || !needed {
		t.Errorf("a held file's bytes: %v, %v", needed, err)
	}
	word := Approval{HeldFor: "half", Reason: "a move", By: "nomsa", ApprovedAt: time.UnixMicro(7).UTC()}
	for _, want := range []bool{true, false} {
		if ok, err := l.Approve(t.Context(), f.ID, word); err != nil || ok != want {
			t.Errorf("%v, %v", ok, err)
		}
	}
	got, ok, err := l.ApprovalOf(t.Context(), f.ID)
	if must(t, err); !ok || got != word {
		t.Errorf("%+v", got)
	}
	if files, err := l.Approved(t.Context()); err != nil || len(files) != 1 || files[0].ID != f.ID || files[0].State != FileOpen {
		t.Errorf("%+v, %v", files, err)
	}
	for piece, want := range map[string]int{"ab": 2, "abc": 1, "abc1": 1, "b": 0, "abc12": 0, "%": 0} {
		if files, err := l.FindFiles(t.Context(), piece); err != nil || len(files) != want {
			t.Errorf("%q: %d files, %v", piece, len(files), err)
		}
	}
}

// A held file's bytes are not needed any more once its date has another day file that is done. A file has begun with its
// plan.
func TestNeededAndStarted(t *testing.T) {
	l := openTest(t, t.TempDir())
	dayFile(t, l, "2026-03-16", "aa", FileHeld)
	dayFile(t, l, "2026-03-16", "bb", FileDone)
	if needed, err := l.IsNeeded(t.Context(), "aa"); err != nil || needed {
		t.Errorf("%v, %v", needed, err)
	}
	f := begin(t, l, "2026-03-17", "cc")
	for _, want := range []bool{false, true} {
		if started, err := l.Started(t.Context(), f.ID); err != nil || started != want {
			t.Errorf("started: %v, %v", started, err)
		}
		must(t, l.Plan(t.Context(), f, pointers(planned(1, "A", "")), nil))
	}
}

// The last run is found by how it ended, and one of the future does not count.
func TestLastRun(t *testing.T) {
	l := openTest(t, t.TempDir())
	for i, code := range []int{0, 3, 4, 1, -1} {
		r := Run{ID: fmt.Sprint("r", i), Command: "run", StartedAt: time.UnixMicro(int64(100 * (i + 1)))}
		must(t, l.StartRun(t.Context(), r))
		if r.EndedAt, r.ExitCode = r.StartedAt, code; code >= 0 {
			must(t, l.EndRun(t.Context(), r))
		}
	}
	must(t, l.StartRun(t.Context(), Run{ID: "i", Command: "import", StartedAt: time.UnixMicro(450)}))
	for _, tt := range []struct {
		before int64
		codes  []int
		want   string
	}{{1000, []int{0, 3}, "r1"}, {200, []int{0, 3}, "r0"}, {1000, nil, "r4"}, {500, nil, "r3"}, {100, nil, ""}, {1000, []int{11}, ""}} {
		r, ok, err := l.LastRun(t.Context(), "run", time.UnixMicro(tt.before), tt.codes...)
		if must(t, err); r.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("before %d with %v: %q", tt.before, tt.codes, r.ID)
		}
	}
	if ran, err := l.RanBetween(t.Context(), "run", time.UnixMicro(101), time.UnixMicro(200)); err != nil || ran {
		t.Errorf("%v, %v", ran, err)
	}
	if ran, err := l.RanBetween(t.Context(), "run", time.UnixMicro(100), time.UnixMicro(101)); err != nil || !ran {
		t.Errorf("%v, %v", ran, err)
	}
}

// A census whose database cannot be written is an error, and leaves nothing behind.
func TestCensusOnABrokenDatabase(t *testing.T) {
	l, dir := openTest(t, t.TempDir()), t.TempDir()
	path := filepath.Join(dir, censusName)
	must(t, os.WriteFile(path, []byte(strings.Repeat("this is no database ", 500)), 0o600))
	if c, err := l.NewCensus(t.Context(), dir); err == nil || c != nil {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the broken database was left behind")
	}
	c, err := l.NewCensus(t.Context(), dir) // the connection can be used again
	must(t, err)
	must(t, c.Close(t.Context()))
}
