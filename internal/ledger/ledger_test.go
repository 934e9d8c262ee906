package ledger

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tallyman/formats"
	"tallyman/internal/syscalltest"
)

func TestMain(m *testing.M) {
	syscalltest.Main()
	if dir := os.Getenv("TALLYMAN_TEST_FAIL_ONE_SYNC"); dir != "" {
		failOneSync(dir)
	}
	if dir := os.Getenv("TALLYMAN_TEST_COMMIT_AND_WAIT"); dir != "" {
		commitAndWait(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func openTest(t *testing.T, dir string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, l *Ledger, date, sum string) File {
	t.Helper()
	f, err := l.Begin(t.Context(), File{BusinessDate: date, SHA256: sum, Name: sum + ".csv", FirstSeen: time.UnixMicro(1), RunID: "r"})
	must(t, err)
	return f
}

// created makes a row that was created with a balance, and what it asserts.
func created(number int, reference string, balance int64, at time.Time) Finished {
	c := formats.Customer{ExternalReference: reference, Name: "Name", Currency: "ZAR", Balance: formats.BalanceOf(balance), DueDate: "2026-12-01"}
	row := planned(number, reference, "")
	row.Result = formats.OutcomeRow{Line: number + 1, ExternalReference: reference, Outcome: formats.Created, CustomerID: "bcus_" + reference, Currency: "ZAR", Balance: c.Balance, Payable: "yes", HTTPStatus: 201, Attempts: 1}
	return Finished{Row: &row, Assertion: &Standing{CustomerID: "bcus_" + reference, Asserted: c, SentAt: at, Payable: "yes"}}
}

// pointers are rows as Plan takes them.
func pointers(rows ...Row) []*Row {
	var out []*Row
	for i := range rows {
		out = append(out, &rows[i])
	}
	return out
}

func planned(number int, reference, outcome string) Row {
	return Row{
		Number: number, Operation: OperationCreate, Key: "key-" + reference, BodySHA256: [32]byte{1, 2, byte(number)}, PlannedAt: time.UnixMicro(1000).UTC(),
		Result: formats.OutcomeRow{Line: number + 1, ExternalReference: reference, Outcome: formats.Outcome(outcome), Currency: "ZAR", Balance: formats.BalanceOf(5)},
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	l := openTest(t, dir)
	begin(t, l, "2026-03-16", "aa")
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	}))
}

func TestOpenExistingMakesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenExisting(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestBinding(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir)
	ours := Binding{Merchant: "acme", Mode: "test", Host: "api.example"}
	must(t, l.CheckBinding(t.Context(), Binding{Merchant: "whoever"})) // a new ledger belongs to nobody
	must(t, l.Bind(t.Context(), ours))
	must(t, l.Bind(t.Context(), ours))
	for name, b := range map[string]Binding{
		"merchant": {Merchant: "other", Mode: "test", Host: "api.example"},
		"api.mode": {Merchant: "acme", Mode: "live", Host: "api.example"},
		"host of api.base_url": {
			Merchant: "acme", Mode: "test", Host: "else.example",
		},
	} {
		var wrong *BindingError
		if err := l.Bind(t.Context(), b); !errors.As(err, &wrong) || wrong.Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFileLife(t *testing.T) {
	l := openTest(t, t.TempDir())
	a := begin(t, l, "2026-03-16", "aa")
	must(t, l.Conclude(t.Context(), a.ID, FileDone, "", 7))
	again, err := l.Begin(t.Context(), File{BusinessDate: "2026-03-16", SHA256: "aa", Name: "other name", DayFile: true, FirstSeen: time.UnixMicro(9), RunID: "r2"})
	must(t, err)
	want := File{ID: a.ID, BusinessDate: "2026-03-16", SHA256: "aa", Name: "aa.csv", DayFile: true, Records: 7, State: FileDone, FirstSeen: time.UnixMicro(1).UTC(), RunID: "r2"}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Error(diff)
	}
	if other := begin(t, l, "2026-03-17", "aa"); other.ID == a.ID {
		t.Error("the same bytes of another date are another file")
	}
	for _, c := range []struct {
		date string
		came bool
	}{{"2026-03-16", true}, {"2026-03-17", false}} {
		if came, err := l.HasDayFile(t.Context(), c.date); err != nil || came != c.came {
			t.Errorf("%s: %v, %v", c.date, came, err)
		}
	}
	if files, err := l.FilesOf(t.Context(), "r2"); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	if needed, err := l.IsNeeded(t.Context(), "aa"); err != nil || !needed {
		t.Errorf("the file of the 17th is open: %v, %v", needed, err)
	}
}

func TestRowsComeBackAsTheyWere(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	rows := []Row{planned(1, "A", ""), planned(2, "B", ""), planned(3, "C", "")}
	rows[1].Generation, rows[1].Refused, rows[1].Result.Attempts = 2, true, 3
	rows[2] = Row{Number: 3, PlannedAt: time.UnixMicro(5).UTC(), Result: formats.OutcomeRow{Line: 4, ExternalReference: "bad ref", Outcome: formats.Rejected, Reason: "bad_reference", Detail: "d"}}
	must(t, l.Plan(t.Context(), f, pointers(rows...), nil))
	got, err := l.Rows(t.Context(), f.ID, 1, 3)
	must(t, err)
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Error(diff)
	}
	if got, err := l.Rows(t.Context(), f.ID, 2, 2); err != nil || len(got) != 1 || got[0].Number != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

// What a batch holds is on record as a whole or not at all.
func TestRecordIsAtomic(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	must(t, l.Plan(t.Context(), f, pointers(planned(1, "A", ""), planned(2, "B", "")), nil))
	impossible := created(2, "B", 1, time.UnixMicro(1))
	impossible.Row.Operation, impossible.Row.Result.Outcome = "delete", formats.Failed
	if err := l.Record(t.Context(), f, nil, []Finished{created(1, "A", 1, time.UnixMicro(1)), impossible}); err == nil {
		t.Fatal("an operation that is none was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Record(ctx, f, nil, []Finished{created(1, "A", 1, time.UnixMicro(1))}); err == nil {
		t.Fatal("a cancelled record was taken")
	}
	rows, err := l.Rows(t.Context(), f.ID, 1, 2)
	must(t, err)
	known, err := l.Standings(t.Context(), begin(t, l, "2026-03-17", "bb"), []string{"A"})
	must(t, err)
	if rows[0].Result.Outcome != "" || known["A"].CustomerID != "" {
		t.Errorf("%+v, %+v", rows[0], known["A"])
	}
}

func TestStandings(t *testing.T) {
	l := openTest(t, t.TempDir())
	old, now, next := begin(t, l, "2026-03-15", "old"), begin(t, l, "2026-03-16", "now"), begin(t, l, "2026-03-17", "next")
	sent := time.UnixMicro(1_000_000).UTC()
	must(t, l.Plan(t.Context(), now, pointers(planned(1, "A", ""), planned(2, "B", "")), nil))
	must(t, l.Record(t.Context(), now, nil, []Finished{created(1, "A", 100, sent)}))
	pay := func(id, currency string, amount int64, at time.Time) Payment {
		return Payment{EventID: id, CustomerID: "bcus_A", ReceivedAt: at, Currency: currency, Amount: amount}
	}
	must(t, l.AddPayments(t.Context(), []Payment{
		pay("before", "ZAR", 7, sent.Add(-time.Second)), pay("at that instant", "ZAR", 9, sent), pay("one", "ZAR", math.MaxInt64, sent.Add(time.Second)), pay("two", "ZAR", 1, sent.Add(time.Second)),
		pay("one", "ZAR", 5, sent.Add(time.Second)), pay("dollars", "USD", 3, sent.Add(time.Second)),
	}, 5))
	look := func(f File) (Standing, Standing) {
		t.Helper()
		known, err := l.Standings(t.Context(), f, []string{"A", "B", "nobody"})
		must(t, err)
		if _, there := known["nobody"]; there {
			t.Error("nobody is known")
		}
		return known["A"], known["B"]
	}
	a, b := look(next)
	if a.CustomerID != "bcus_A" || a.Asserted.Balance != formats.BalanceOf(100) || !a.SentAt.Equal(sent) || a.Newer || !a.Paid || a.PaidSince != formats.SumOf(math.MaxInt64).Add(1) {
		t.Errorf("%+v", a)
	}
	if b.CustomerID != "" || !b.Unresolved || b.NewerOpen {
		t.Errorf("B has a request without an answer in an older file: %+v", b)
	}
	if a, b := look(old); !a.Newer || !b.Unresolved || !b.NewerOpen {
		t.Errorf("for the older file: %+v, %+v", a, b)
	}
	if a, b := look(now); a.Newer || b.Unresolved {
		t.Errorf("for the file itself: %+v, %+v", a, b)
	}
	// Once another file has asserted B, its old request is nobody's doubt any more.
	must(t, l.Plan(t.Context(), next, pointers(planned(1, "B", "")), nil))
	must(t, l.Record(t.Context(), next, nil, []Finished{created(1, "B", 1, sent)}))
	if _, b := look(begin(t, l, "2026-03-18", "later")); b.Unresolved || b.CustomerID != "bcus_B" {
		t.Errorf("%+v", b)
	}
	if upTo, err := l.PaymentsUpTo(t.Context()); err != nil || upTo != 5 {
		t.Errorf("%d, %v", upTo, err)
	}
}

func TestFilesComeInOrder(t *testing.T) {
	f := File{ID: 7, BusinessDate: "2026-03-16"}
	for _, c := range []struct {
		date string
		id   int64
		want bool
	}{
		{"2026-03-15", 8, false},
		{"2026-03-16", 6, false},
		{"2026-03-16", 7, false}, // itself
		{"2026-03-16", 8, true},
		{"2026-03-17", 6, true},
	} {
		if got := f.before(c.date, c.id); got != c.want {
			t.Errorf("file 7 of 2026-03-16 before file %d of %s: %t", c.id, c.date, got)
		}
	}
}

func TestAdvance(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	row := planned(1, "A", "")
	row.Refused = true
	must(t, l.Plan(t.Context(), f, pointers(row), nil))
	row.Key, row.BodySHA256, row.Generation, row.Refused, row.PlannedAt = "second", [32]byte{9}, 1, false, time.UnixMicro(2000).UTC()
	must(t, l.Record(t.Context(), f, []Advance{{Row: row}}, nil))
	rows, err := l.Rows(t.Context(), f.ID, 1, 1)
	must(t, err)
	if diff := cmp.Diff([]Row{row}, rows); diff != "" {
		t.Error(diff)
	}
}

func TestAssertionsInOrder(t *testing.T) {
	l := openTest(t, t.TempDir())
	for _, c := range []struct {
		date    string
		balance int64
		at      int64
	}{{"2026-03-17", 3, 30}, {"2026-03-16", 2, 20}, {"2026-03-15", 1, 40}} {
		f := begin(t, l, c.date, c.date)
		must(t, l.Plan(t.Context(), f, pointers(planned(1, "A", "")), nil))
		must(t, l.Record(t.Context(), f, nil, []Finished{created(1, "A", c.balance, time.UnixMicro(c.at))}))
	}
	var balances []int64
	must(t, l.Assertions(t.Context(), "2026-03-16", func(a Assertion) error {
		balances = append(balances, a.Balance)
		if a.CustomerID != "bcus_A" || a.ExternalReference != "A" || a.Name != "Name" || a.DueDate != "2026-12-01" || a.Payable != "yes" || a.Line != 2 {
			t.Errorf("%+v", a)
		}
		return nil
	}))
	if diff := cmp.Diff([]int64{1, 2}, balances); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("stop")
	if err := l.Assertions(t.Context(), "9999-12-31", func(Assertion) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

func TestRunsAndDecisions(t *testing.T) {
	l := openTest(t, t.TempDir())
	start := time.UnixMicro(1000).UTC()
	must(t, l.StartRun(t.Context(), Run{ID: "one", Command: "run", StartedAt: start}))
	must(t, l.StartRun(t.Context(), Run{ID: "two", Command: "import", StartedAt: start.Add(time.Second)}))
	ended := Run{ID: "one", Command: "run", BusinessDate: "2026-03-16", StartedAt: start, EndedAt: start.Add(time.Minute), ExitCode: 3, Summary: "{}"}
	must(t, l.EndRun(t.Context(), ended))
	runs, err := l.Runs(t.Context(), 10)
	must(t, err)
	if len(runs) != 2 || runs[0].ID != "two" || !runs[0].EndedAt.IsZero() || cmp.Diff(ended, runs[1]) != "" {
		t.Errorf("%+v", runs)
	}
	must(t, l.StartRun(t.Context(), Run{ID: "zero", Command: "run", StartedAt: start.Add(-time.Second)})) // from before a clock was set back
	if runs, err := l.Runs(t.Context(), 2); err != nil || len(runs) != 2 || runs[0].ID != "two" || runs[1].ID != "one" {
		t.Errorf("the last two: %+v, %v", runs, err)
	}
	must(t, l.EndRun(t.Context(), Run{ID: "zero", EndedAt: start.Add(2 * time.Minute)}))
	if r, ok, err := l.LastEnded(t.Context(), "run"); err != nil || !ok || r.ID != "zero" {
		t.Errorf("it ended last: %+v, %v", r, err)
	}
	if _, ok, err := l.FindRun(t.Context(), "three"); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	for _, word := range []string{"drop", "apply"} {
		must(t, l.Decide(t.Context(), Decision{ExceptionID: "ex_1", Decision: word, Reason: "because", DecidedAt: start}))
	}
	decisions, err := l.Decisions(t.Context())
	must(t, err)
	if d := decisions["ex_1"]; len(decisions) != 1 || d.Decision != "apply" || d.Reason != "because" || !d.DecidedAt.Equal(start) {
		t.Errorf("%+v", decisions)
	}
	if err := l.Decide(t.Context(), Decision{ExceptionID: "ex_2", Decision: "perhaps"}); err == nil {
		t.Error("a decision that is none was taken")
	}
}

// A process that is killed right after a commit leaves what it committed.
func TestCommittedSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TALLYMAN_TEST_COMMIT_AND_WAIT="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	l := openTest(t, dir)
	if f, ok, err := l.FindFile(t.Context(), "2026-03-16", "killed"); err != nil || !ok || f.State != FileOpen {
		t.Errorf("%+v, %v, %v", f, ok, err)
	}
}

// commitAndWait is the other process of TestCommittedSurvivesAKill.
func commitAndWait(dir string) {
	ctx := context.Background()
	l, err := Open(ctx, dir)
	if err == nil {
		_, err = l.Begin(ctx, File{BusinessDate: "2026-03-16", SHA256: "killed", Name: "k.csv", RunID: "r"})
	}
	if err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("c")
	select {}
}
