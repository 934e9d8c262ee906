package nightly

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/internal/sandbox"
	"tallyman/reconciler"
)

// Two business dates: what is left of the first is the opening of the second, and every day foots.
func TestTwoNights(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,10000,2026-03-01", "B,Ben,ZAR,500,")
	w.night("2026-03-16")
	w.clock.at(t, "2026-03-16T10:00:00Z")
	w.pay("1", w.id("A"), 4000, "2026-03-16T09:59:00Z")
	first := w.night("2026-03-16")
	if got := figures(w.balance(first.Report, "A")); got != "0.00 + 100.00 - 40.00 = 60.00 part_paid" {
		t.Errorf("A on the 16th: %s", got)
	}
	w.clock.at(t, "2026-03-17T04:30:00Z")
	w.leave("2026-03-17", "A,Ann,ZAR,8000,2026-03-01", "B,Ben,ZAR,500,")
	w.night("2026-03-17")
	w.clock.at(t, "2026-03-17T10:00:00Z")
	w.pay("2", w.id("A"), 8000, "2026-03-17T09:59:00Z")
	second := w.night("2026-03-17")
	row := w.balance(second.Report, "A")
	if got := figures(row); got != "60.00 + 20.00 - 80.00 = 0.00 settled" || row["age_days"] != "16" || row["ageing_bucket"] != "1-30" {
		t.Errorf("A on the 17th: %s, %s days, %s", got, row["age_days"], row["ageing_bucket"])
	}
	if got := figures(w.balance(second.Report, "B")); got != "5.00 + 0.00 - 0.00 = 5.00 unpaid" {
		t.Errorf("B on the 17th: %s", got)
	}
	want := formats.RollForward{Currency: "ZAR", Opening: "65.00", Billed: "20.00", Paid: "80.00", Closing: "5.00"}
	if got := second.Report.Summary.RollForward; len(got) != 1 || got[0] != want {
		t.Errorf("roll-forward %+v", got)
	}
	again := w.night("2026-03-16")
	for _, name := range first.Report.Files {
		a, errA := os.ReadFile(filepath.Join(first.Report.Dir, name))
		b, errB := os.ReadFile(filepath.Join(again.Report.Dir, name))
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		// The later day's payment is a line of its own in payments.csv and in the events of the summary.
		if name == "balances.csv" && string(a) != string(b) {
			t.Errorf("%s of the 16th differs when it is made again:\n%s\n%s", name, a, b)
		}
	}
}

// A payment that came after the balance was asserted makes the same balance a new statement: it is sent again.
func TestSameBalanceOverAPayment(t *testing.T) {
	w := newWorld(t, sandbox.Options{LowerBalance: true})
	w.cfg.Imports.Guards.SameContent = false
	w.leave("2026-03-16", "A,Ann,ZAR,10000,", "B,Ben,ZAR,500,")
	w.night("2026-03-16")
	w.clock.at(t, "2026-03-16T10:00:00Z")
	if _, err := w.api.Pay(sandbox.Payment{CustomerID: w.id("A"), Amount: 4000, Currency: "ZAR"}); err != nil {
		t.Fatal(err)
	}
	w.pay("1", w.id("A"), 4000, "2026-03-16T09:59:00Z")
	w.clock.at(t, "2026-03-17T04:30:00Z")
	w.leave("2026-03-17", "A,Ann,ZAR,10000,", "B,Ben,ZAR,500,")
	r := w.night("2026-03-17")
	if o := r.Files[0].Outcomes; o[formats.Updated] != 1 || o[formats.Unchanged] != 1 {
		t.Errorf("%v", o)
	}
	if c, _ := w.api.Customer(sandbox.Test, "A"); *c.Balance != 10000 {
		t.Errorf("A stands at %d", *c.Balance)
	}
	// The third day says it again and nobody has paid since: nothing is to be said.
	w.clock.at(t, "2026-03-18T04:30:00Z")
	w.leave("2026-03-18", "A,Ann,ZAR,10000,", "B,Ben,ZAR,500,")
	if o := w.night("2026-03-18").Files[0].Outcomes; o[formats.Unchanged] != 2 {
		t.Errorf("%v", o)
	}
}

// A payment that came between the beginning of the date and the import is one that the file could not know of.
func TestCrossedPayment(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.cfg.Imports.Guards.SameContent = false
	w.leave("2026-03-16", "A,Ann,ZAR,10000,")
	w.night("2026-03-16")
	w.clock.at(t, "2026-03-17T02:00:00Z")
	w.pay("1", w.id("A"), 10000, "2026-03-17T01:59:00Z")
	w.clock.at(t, "2026-03-17T04:30:00Z")
	w.leave("2026-03-17", "A,Ann,ZAR,10000,")
	r := w.night("2026-03-17")
	i := slices.IndexFunc(r.Report.Summary.Exceptions, func(e formats.ExceptionTotal) bool { return e.Reason == formats.ReasonCrossedPayment })
	if i < 0 || r.ExitCode() != ExitNeedsPerson {
		t.Errorf("exit %d, exceptions %+v", r.ExitCode(), r.Report.Summary.Exceptions)
	}
	if got := figures(w.balance(r.Report, "A")); got != "100.00 + 0.00 - 100.00 = 0.00 settled" {
		t.Errorf("A: %s", got)
	}
}

// With imports.crossed: net such a payment is taken off what is sent, and off nothing else. What is paid after that, or
// before the date, or under another id for the same money, is not.
func TestCrossedPaymentsTakenOff(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.cfg.Imports.Guards.SameContent, w.cfg.Imports.Crossed = false, "net"
	w.leave("2026-03-16", "A,Ann,ZAR,10000,", "B,Ben,ZAR,500,")
	w.night("2026-03-16")
	w.clock.at(t, "2026-03-17T02:00:00Z")
	w.pay("0", w.id("A"), 7, "2026-03-16T21:59:59Z") // the last second of the day before, in Johannesburg
	w.pay("1", w.id("A"), 2000, "2026-03-17T01:59:00Z")
	w.payAs("2", "1", w.id("A"), 2000, "2026-03-17T01:59:00Z") // the same money
	w.clock.at(t, "2026-03-17T04:30:00Z")
	rows := []string{"A,Ann,ZAR,9993,", "B,Ben,ZAR,500,"}
	dry := w.dry(rows...)
	w.leave("2026-03-17", rows...)
	r := w.night("2026-03-17")
	text := "changes balance 100.00 ZAR -> 79.93 ZAR; balance 99.93 ZAR less 20.00 ZAR paid since 2026-03-17T00:00:00+02:00"
	outcomes := w.outcomes(r)
	if !strings.Contains(outcomes, ",9993,") || !strings.Contains(outcomes, text) || !strings.Contains(dry, text) {
		t.Errorf("outcomes\n%sdry\n%s", outcomes, dry)
	}
	if c, _ := w.api.Customer(sandbox.Test, "A"); *c.Balance != 7993 {
		t.Errorf("A stands at %d", *c.Balance)
	}
	for _, e := range r.Report.Summary.Exceptions {
		if e.Reason == formats.ReasonCrossedPayment || e.Reason == formats.ReasonBalanceDrift || e.Reason == formats.ReasonTotalsDiffer {
			t.Errorf("%+v", e)
		}
	}
	if got := figures(w.balance(r.Report, "A")); got != "99.93 + 0.00 - 20.00 = 79.93 part_paid" {
		t.Errorf("A: %s", got)
	}
	// A payment after that, and the next file knows of everything.
	w.clock.at(t, "2026-03-17T10:00:00Z")
	w.pay("3", w.id("A"), 100, "2026-03-17T09:59:00Z")
	w.clock.at(t, "2026-03-18T04:30:00Z")
	w.leave("2026-03-18", "A,Ann,ZAR,7893,", "B,Ben,ZAR,500,")
	r = w.night("2026-03-18")
	if c, _ := w.api.Customer(sandbox.Test, "A"); *c.Balance != 7893 || strings.Contains(w.outcomes(r), " less ") {
		t.Errorf("A stands at %d, outcomes\n%s", *c.Balance, w.outcomes(r))
	}
}

func TestOlderFileNeverOverNewer(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-17", "A,Ann,ZAR,200,")
	w.night("2026-03-17")
	w.leave("2026-03-16", "A,Ann,ZAR,100,", "B,Ben,ZAR,1,")
	r := w.night("2026-03-17")
	if f := r.Files[0]; f.Outcomes[formats.Skipped] != 1 || f.Outcomes[formats.Created] != 1 || !slices.Contains(f.Notes, "an older file: newer balances stand, 1 of 2 records skipped") {
		t.Errorf("%v, notes %q", f.Outcomes, f.Notes)
	}
	if c, _ := w.api.Customer(sandbox.Test, "A"); *c.Balance != 200 {
		t.Errorf("A stands at %d", *c.Balance)
	}
	w.leave("2026-03-15", "A,Ann,ZAR,300,")
	f := w.night("2026-03-17").Files[0]
	if !slices.Contains(f.Notes, "an older file: newer balances stand, 1 of 1 record skipped") || f.State != ledger.FileDone {
		t.Errorf("%s, notes %q", f.State, f.Notes)
	}
}

func TestExpectedFileMissing(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.cfg.Inbox.ExpectBy = "07:00"
	if r := w.night("2026-03-16"); r.Missing != "" {
		t.Error("missing before it is due, at 06:30")
	}
	w.clock.at(t, "2026-03-16T05:00:01Z")
	r := w.night("2026-03-16")
	if r.Missing != "2026-03-16" || r.ExitCode() != ExitNeedsPerson {
		t.Errorf("missing %q, exit %d", r.Missing, r.ExitCode())
	}
	w.leave("2026-03-16", "A,Ann,ZAR,100,")
	if r := w.night("2026-03-16"); r.Missing != "" || r.ExitCode() != ExitDone {
		t.Errorf("missing %q, exit %d", r.Missing, r.ExitCode())
	}
}

// A report knows of a file that was refused until another one is imported in its place.
func TestCompletenessAfterCorrection(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,100,,one cell too many", `B,"not closed,ZAR,100,`)
	if files := w.night("2026-03-16").Report.Summary.Completeness.Files; len(files) != 1 || files[0].State != ledger.FileRejected || !files[0].DayFile {
		t.Errorf("%+v", files)
	}
	w.leave("2026-03-16", "A,Ann,ZAR,100,")
	if files := w.night("2026-03-16").Report.Summary.Completeness.Files; len(files) != 1 || files[0].State != ledger.FileDone {
		t.Errorf("%+v", files)
	}
}

// An import of a file in the inbox of another server, or of none, is for a person to look at.
func TestImportFromWrongMailbox(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,100,")
	w.cfg.Inbox.HostKeys = []string{"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
	n, err := Open(t.Context(), Options{Config: w.cfg, Command: "import", Log: quiet(), Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	var inbox *InboxError
	if _, err := n.Import(t.Context(), ImportRequest{Sources: []string{"sftp:za_sandbox_dailyfile_2026-03-16.csv"}}); !errors.As(err, &inbox) {
		t.Errorf("%v", err)
	}
}

// What cannot be delivered tonight is delivered by the next run.
func TestUndeliveredIsDeliveredNextTime(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	if err := os.RemoveAll(w.api.DeliverDir()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.api.DeliverDir(), nil, 0o600); err != nil { // a file where the directory should be
		t.Fatal(err)
	}
	w.leave("2026-03-16", "A,Ann,ZAR,100,")
	if r := w.night("2026-03-16"); r.ExitCode() != ExitNeedsPerson || len(r.Faults) == 0 {
		t.Fatalf("exit %d, faults %v", r.ExitCode(), r.Faults)
	} else {
		t.Log(r.Faults)
	}
	if err := os.Remove(w.api.DeliverDir()); err != nil {
		t.Fatal(err)
	}
	if r := w.night("2026-03-16"); r.ExitCode() != ExitDone {
		t.Fatalf("%v", r.NeedsPerson())
	}
	if _, err := os.Stat(filepath.Join(w.api.DeliverDir(), "za_sandbox_dailyfile_2026-03-16.outcome.csv")); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(w.cfg.DataDir, "outbox")); err != nil || len(left) > 0 {
		t.Errorf("the outbox holds %v, %v", left, err)
	}
}

func TestCommentsComeBack(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,100,")
	w.night("2026-03-16")
	w.clock.at(t, "2026-03-16T10:00:00Z")
	w.pay("1", "bcus_NOBODY", 100, "2026-03-16T10:00:00Z")
	r := w.night("2026-03-16")
	path := filepath.Join(r.Report.Dir, "exceptions.csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[1] = strings.TrimSuffix(strings.TrimSuffix(lines[1], "\n"), ",,") + ",nomsa,asked the bank\n"
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	w.clock.at(t, "2026-03-16T11:00:00Z")
	text, err = os.ReadFile(filepath.Join(w.night("2026-03-16").Report.Dir, "exceptions.csv"))
	if err != nil || !strings.Contains(string(text), ",nomsa,asked the bank") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestDecisionCounts(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,1000,")
	w.night("2026-03-16")
	w.pay("1", w.id("A"), 100, "2026-03-16T10:00:00Z")
	body := `{"id":"evt_2","type":"obligation.amount_applied","data":{"id":"ob_1","amount":100,"currency":"ZAR","payment_id":"pay_1","customer_id":"` + w.id("A") + `","created_at":"2026-03-16T10:00:00Z"}}`
	bare := filepath.Join(w.dir, "bare.jsonl")
	if err := os.WriteFile(bare, []byte(body+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := openLedger(t, w.cfg.DataDir)
	reporter := &Reporter{Ledger: l, Calendar: w.cfg.Reconcile.Calendar(), Log: quiet()}
	report := func(out string) *Report {
		t.Helper()
		r, err := reporter.Report(t.Context(), ReportRequest{
			Date: "2026-03-16", Journals: []string{filepath.Join(w.cfg.DataDir, "journal"), bare}, Out: filepath.Join(w.dir, out),
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	held := report("held")
	if held.Breaks != 1 || w.balance(held, "A")["paid"] != "1.00" {
		t.Fatalf("%d breaks, %v", held.Breaks, w.balance(held, "A"))
	}
	text, err := os.ReadFile(filepath.Join(held.Dir, "exceptions.csv"))
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(strings.Split(string(text), "\n")[1], ",")
	if err := l.Decide(t.Context(), ledger.Decision{ExceptionID: id, Decision: string(reconciler.Apply), Reason: "two meters", DecidedAt: w.clock.now}); err != nil {
		t.Fatal(err)
	}
	applied := report("applied")
	if applied.Breaks != 0 || w.balance(applied, "A")["paid"] != "2.00" {
		t.Errorf("%d breaks, %v", applied.Breaks, w.balance(applied, "A"))
	}
}

func TestLedgerOfSomebodyElse(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,100,")
	w.night("2026-03-16")
	w.cfg.Merchant = "other"
	_, err := Open(t.Context(), Options{Config: w.cfg, Command: "run", Log: quiet(), Now: w.clock.Now})
	var binding *ledger.BindingError
	if !errors.As(err, &binding) || binding.Name != "merchant" {
		t.Errorf("%v", err)
	}
}

// Two files of one name in one import keep their results apart.
func TestSameNameTwice(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	var sources []string
	for _, name := range []string{"one", "two"} {
		dir := filepath.Join(w.dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "c.csv"), []byte("external_reference\n"+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, dir)
	}
	n := w.open("import")
	r, err := n.Import(t.Context(), ImportRequest{Sources: sources})
	if err := errors.Join(err, n.Close()); err != nil {
		t.Fatal(err)
	}
	if len(r.Files) != 2 || r.Files[0].Outcome == r.Files[1].Outcome || len(w.api.Customers(sandbox.Test)) != 2 {
		t.Errorf("%+v", r.Files)
	}
}

func TestIdentify(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	n := &Night{config: w.cfg, started: w.clock.now}
	for _, c := range []struct {
		name, asked, date string
		day               bool
	}{
		{"za_sandbox_dailyfile_2026-01-02.csv", "", "2026-01-02", true},
		{"za_sandbox_dailyfile_2026-01-02.csv", "2026-01-03", "2026-01-03", true},
		{"other.csv", "", "2026-03-16", false},
		{"other.csv", "2026-01-03", "2026-01-03", false},
	} {
		if f := n.identify(customerFile{name: c.name}, c.asked); f.date != c.date || f.dayFile != c.day {
			t.Errorf("%s asked %q: %s, %v", c.name, c.asked, f.date, f.dayFile)
		}
	}
	const full = "za_acme_moment_all-customers_2026-01-02.csv.gz"
	if f := n.identify(customerFile{name: full}, ""); f.date != "2026-03-16" {
		t.Errorf("in another format: %s", f.date)
	}
	w.cfg.Files.Format = string(formats.FormatMomentBillingFile)
	for name, date := range map[string]string{full: "2026-01-02", "za_acme_moment_all-customers_2026-02-30.csv": "2026-03-16", "za_acme_moment_all-customers.csv": "2026-03-16"} {
		if f := n.identify(customerFile{name: name}, ""); f.date != date || f.dayFile {
			t.Errorf("%s: %s, %v", name, f.date, f.dayFile)
		}
	}
	if f := n.identify(customerFile{name: full}, "2026-01-03"); f.date != "2026-01-03" {
		t.Errorf("asked: %s", f.date)
	}
}

func TestExitCodes(t *testing.T) {
	for want, r := range map[int]*Result{
		ExitDone:        {Files: []FileResult{{Read: 1, Outcomes: map[formats.Outcome]int{formats.Created: 1}}}},
		ExitNeedsPerson: {Files: []FileResult{{Read: 1, Outcomes: map[formats.Outcome]int{formats.Failed: 1}}}},
		ExitFailed:      {stop: &importer.StopError{Reason: "internal_error", Err: errors.New("x")}},
		ExitStopped:     {stop: &importer.StopError{Reason: "x", Err: errors.New("x")}, Missing: "2026-03-16"},
	} {
		if got := r.ExitCode(); got != want {
			t.Errorf("%+v: exit %d, want %d", r, got, want)
		}
	}
	for _, r := range []*Result{{Missing: "2026-03-16"}, {Faults: []string{"x"}}, {Files: []FileResult{{Fault: "x"}}}, {Report: &Report{Breaks: 1}}} {
		if r.ExitCode() != ExitNeedsPerson || len(r.NeedsPerson()) != 1 {
			t.Errorf("%+v: exit %d, %v", r, r.ExitCode(), r.NeedsPerson())
		}
	}
	// A record of any outcome but these needs nobody.
	needs := map[formats.Outcome]bool{formats.Rejected: true, formats.Failed: true, formats.InDoubt: true, formats.NotAttempted: true}
	for _, o := range formats.Outcomes {
		r := &Result{Files: []FileResult{{Name: "a.csv", Read: 3, Outcomes: map[formats.Outcome]int{o: 2, formats.Created: 1}}}}
		if o == formats.Created {
			r.Files[0].Outcomes[o] = 3
		}
		want := map[bool]string{true: fmt.Sprintf("a.csv: 2 %s of 3", o)}[needs[o]]
		if got := strings.Join(r.NeedsPerson(), "; "); got != want {
			t.Errorf("%s: %q, want %q", o, got, want)
		}
	}
	quietly := &Result{Report: &Report{Notices: 1}, Absent: []Absence{{Kind: AbsentDate, Known: true}, {Kind: AbsentFile}, {Kind: AbsentRun}}}
	if quietly.ExitCode() != ExitDone {
		t.Errorf("exit %d, %q", quietly.ExitCode(), quietly.NeedsPerson())
	}
	for _, loud := range []*Result{
		{Absent: []Absence{{Kind: AbsentDate, Detail: "x"}}},
		{Files: []FileResult{{Held: []Hold{{Guard: guardMissing, Limit: "20%", Detail: "x"}}}}},
	} {
		if loud.ExitCode() != ExitNeedsPerson || len(loud.NeedsPerson()) != 1 {
			t.Errorf("%+v: exit %d, %q", loud, loud.ExitCode(), loud.NeedsPerson())
		}
	}
}

func TestPeriodOfAnUnknownDate(t *testing.T) {
	r := &Reporter{Calendar: config.Calendar{}, Log: quiet()}
	_, err := r.Report(t.Context(), ReportRequest{Date: "2026-02-30", Out: t.TempDir()})
	var input *InputError
	if !errors.As(err, &input) {
		t.Errorf("%v", err)
	}
}

// A run that stopped can be taken up by its id alone, and leaves no copy of the file behind once it is done.
func TestRetry(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	path := filepath.Join(w.dir, "c.csv")
	if err := os.WriteFile(path, []byte("external_reference,name\nA,Ann\nB,Ben\n,nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.api.RevokeKey(sandbox.Test)
	n := w.open("import")
	stopped, err := n.Import(t.Context(), ImportRequest{Sources: []string{path}})
	if err := errors.Join(err, n.Close(), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
	if o := stopped.Files[0].Outcomes; stopped.ExitCode() != ExitStopped || o[formats.NotAttempted] != 2 || o[formats.Rejected] != 1 {
		t.Fatalf("exit %d, %v", stopped.ExitCode(), o)
	}
	w.api.RestoreKey(sandbox.Test)
	retry := func() (*Result, error) {
		n := w.open("import")
		r, err := n.Retry(t.Context(), stopped.RunID, "")
		return r, errors.Join(err, n.Close())
	}
	r, err := retry()
	if err != nil {
		t.Fatal(err)
	}
	if o := r.Files[0].Outcomes; r.Files[0].State != ledger.FileDone || o[formats.Created] != 2 || o[formats.Rejected] != 1 || r.Retry != stopped.RunID {
		t.Errorf("%s %v", r.Files[0].State, o)
	}
	if left, err := os.ReadDir(filepath.Join(w.cfg.DataDir, "files")); err != nil || len(left) > 0 {
		t.Errorf("kept: %v, %v", left, err)
	}
	var input *InputError
	if _, err := retry(); !errors.As(err, &input) {
		t.Errorf("a second retry: %v", err)
	}
}

// A run that fails on the way is over, not killed.
func TestFailedRunHasAnEnd(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	n := w.open("import")
	_, err := n.Import(t.Context(), ImportRequest{Sources: []string{filepath.Join(w.dir, "nope.csv")}})
	var input *InputError
	if !errors.As(err, &input) {
		t.Errorf("%v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	run, ok, err := openLedger(t, w.cfg.DataDir).FindRun(t.Context(), n.ID())
	if err != nil || !ok || run.EndedAt.IsZero() || run.ExitCode == 0 {
		t.Errorf("%+v, %v, %v", run, ok, err)
	}
}

// A panic while a record is worked on ends the run with its results and its end on record, and the next one goes on.
func TestPanicHasResults(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	file := filepath.Join(w.dir, "customers.csv")
	if err := os.WriteFile(file, []byte("external_reference,name\nA-1,Ada\nB-1,Ben\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(now func() time.Time) *Result {
		t.Helper()
		n, err := Open(t.Context(), Options{Config: w.cfg, Command: "import", Version: "test", Log: quiet(), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		r, err := n.Import(t.Context(), ImportRequest{Sources: []string{file}})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		return r
	}
	// Once a request has arrived, nobody but its worker asks for the time.
	var panicked atomic.Bool
	r := run(func() time.Time {
		if len(w.api.Writes()) > 0 && panicked.CompareAndSwap(false, true) {
			panic("a fault of ours")
		}
		return w.clock.Now()
	})
	if !panicked.Load() || r.ExitCode() != ExitFailed || len(r.Files) != 1 || r.Files[0].Outcomes[formats.InDoubt] != 1 {
		t.Fatalf("exit %d, %+v", r.ExitCode(), r.Files)
	}
	if text, err := os.ReadFile(r.Files[0].Outcome); err != nil || !strings.Contains(string(text), "internal_error") {
		t.Errorf("%s, %v", text, err)
	}
	known, ok, err := openLedger(t, w.cfg.DataDir).FindRun(t.Context(), r.RunID)
	if err != nil || !ok || known.EndedAt.IsZero() || known.ExitCode != ExitFailed {
		t.Errorf("%+v, %v, %v", known, ok, err)
	}
	if r := run(w.clock.Now); r.ExitCode() != ExitDone || r.Files[0].Outcomes[formats.Created] != 2 {
		t.Errorf("the next run: exit %d, %v", r.ExitCode(), r.Files[0].Outcomes)
	}
}
