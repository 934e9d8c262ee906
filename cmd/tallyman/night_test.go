package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

const nightFile = `external_reference,name,email,phone,currency,balance,metadata.tariff,due_date
C-1,Zoë Ngcobo,zoe@example.com,+27821234567,ZAR,24000,home,2026-01-01
C-2,=Thabo,,,ZAR,-500,,
C-3,Bad Mail,notmail,,ZAR,1,,
C 4,Bad Reference,,,ZAR,1,,
C-5,No Balance,,,,,,
C-6,Twice,,,ZAR,100,,
C-6,Twice,,,ZAR,100,,
C-7,Conflict,,,ZAR,100,,
C-7,Conflict,,,ZAR,101,,
C-8,"Pay,er",,,,7000,,
`

// A whole night over OpenSSH: customers stand in Moment, the file is archived, results are delivered, a second run sends
// nothing, payments are matched, and the corrected rejects import as they are.
func TestNightOverOpenSSH(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	s.leave("za_acme_dailyfile_2026-03-16.csv", nightFile)
	s.leave("notes.txt", "not for us")
	r := s.run(3, "run", "--date", "2026-03-16")
	line, rest, _ := strings.Cut(r.stdout, "\n")
	if !strings.Contains(line, "read 10 = 5 created + 1 duplicate + 4 rejected") || !strings.Contains(rest, "adds up") || strings.Count(rest, "\n") > 28 {
		t.Errorf("summary: %q", r.stdout)
	}
	there := s.customers()
	if len(there) != 5 {
		t.Fatalf("%d customers, want 5: %v", len(there), there)
	}
	c := there["C-1"]
	if c.Name != "Zoë Ngcobo" || c.Email != "zoe@example.com" || c.Phone != "+27821234567" || c.Currency != "ZAR" || *c.Balance != 24000 || c.Metadata["tariff"] != "home" {
		t.Errorf("C-1 stands as %+v", c)
	}
	if there["C-5"].Balance != nil || *there["C-8"].Balance != 7000 || there["C-8"].Currency != "ZAR" {
		t.Errorf("C-5 %+v, C-8 %+v", there["C-5"], there["C-8"])
	}
	if _, err := os.Stat(filepath.Join(s.inbox, "archive", "za_acme_dailyfile_2026-03-16.csv")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(s.inbox, "notes.txt")); err != nil {
		t.Error("a file that is not ours was touched:", err)
	}
	outcome := filepath.Join(s.deliver, "za_acme_dailyfile_2026-03-16.outcome.csv")
	for _, row := range table(t, outcome) {
		if (row["outcome"] == "created") != (row["customer_id"] != "") || (row["outcome"] == "created" && there[row["external_reference"]].ID != row["customer_id"]) {
			t.Errorf("outcome %v", row)
		}
	}
	s.again(outcome)
	s.payAndReport(there)
	s.correct()
	s.noViolations()
}

// again brings the same file once more: nothing is written at Moment, and the outcome is the same to the byte.
func (s *stage) again(outcome string) {
	s.t.Helper()
	before, first := len(s.api.Writes()), read(s.t, outcome)
	s.leave("za_acme_dailyfile_2026-03-16.csv", nightFile)
	s.run(3, "run", "--date", "2026-03-16")
	if n := len(s.api.Writes()); n != before {
		s.t.Errorf("the second run sent %d writes", n-before)
	}
	if read(s.t, outcome) != first {
		s.t.Errorf("the outcome was re-issued as\n%s\nafter\n%s", read(s.t, outcome), first)
	}
}

var listening = regexp.MustCompile(`address=(\S+)`)

// receivePayments lets customers pay through the real receiver. Every event is delivered twice.
func (s *stage) receivePayments(payments ...sandbox.Payment) {
	s.t.Helper()
	receive := s.command("receive")
	log := newWatch("receiving webhooks")
	receive.Stderr = log
	if err := receive.Start(); err != nil {
		s.t.Fatal(err)
	}
	line := log.wait(s.t)
	if err := s.api.SetWebhookURL("http://" + listening.FindStringSubmatch(line)[1] + "/webhooks/moment"); err != nil {
		s.t.Fatal(err)
	}
	for _, p := range payments {
		event, err := s.api.Pay(p)
		if err != nil {
			s.t.Fatal(err)
		}
		s.api.Redeliver(event)
	}
	if err := s.api.Flush(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if err := receive.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	if err := receive.Wait(); err != nil {
		s.t.Errorf("receive ended with %v", err)
	}
}

// payAndReport lets customers pay and checks the report to the cent.
func (s *stage) payAndReport(there map[string]sandbox.Customer) {
	s.t.Helper()
	s.receivePayments(
		sandbox.Payment{CustomerID: there["C-1"].ID, Amount: 24000, Currency: "ZAR"},
		sandbox.Payment{CustomerID: there["C-8"].ID, Amount: 2000, Currency: "ZAR"},
		sandbox.Payment{CustomerID: "bcus_NOBODY", Amount: 555, Currency: "ZAR", Unknown: true},
	)
	var report nightly.Report
	s.runJSON(3, &report, "reconcile", "--from", "2026-03-15T22:00:00Z", "--to", "2100-01-01T00:00:00Z", "--out", filepath.Join(s.dir, "report"))
	if r := report.Summary.RollForward[0]; len(report.Summary.RollForward) != 1 || r.Opening != "0.00" || r.Billed != "306.00" || r.Paid != "260.00" || r.Closing != "46.00" {
		s.t.Errorf("roll-forward %+v", report.Summary.RollForward)
	}
	want := map[string]string{"C-1": "0.00 settled", "C-2": "-5.00 in_credit", "C-6": "1.00 unpaid", "C-8": "50.00 part_paid"}
	for _, row := range table(s.t, filepath.Join(s.dir, "report", "balances.csv")) {
		ref := row["external_reference"]
		if got := row["closing_balance"] + " " + row["status"]; got != want[ref] {
			s.t.Errorf("%s: %s, want %s", ref, got, want[ref])
		}
		delete(want, ref)
		if ref == "C-2" && row["name"] != "'=Thabo" {
			s.t.Errorf("a formula stands in the report: %q", row["name"])
		}
	}
	if len(want) > 0 {
		s.t.Errorf("not in the report: %v", want)
	}
	statuses := map[string]int{}
	for _, row := range table(s.t, filepath.Join(s.dir, "report", "payments.csv")) {
		statuses[row["status"]+" "+row["reason"]+" "+row["signature"]]++
	}
	if fmt.Sprint(statuses) != "map[applied  verified:2 unapplied unknown_customer verified:1]" {
		s.t.Errorf("payments: %v", statuses)
	}
}

// correct mends the rejected records in their own file, which then imports as it is.
func (s *stage) correct() {
	s.t.Helper()
	text := read(s.t, filepath.Join(s.deliver, "za_acme_dailyfile_2026-03-16.rejects.csv"))
	r := csv.NewReader(strings.NewReader(text))
	records, err := r.ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for _, record := range records {
		switch {
		case record[0] == "C-3":
			record[2] = "ok@example.com"
		case record[0] == "C 4":
			record[0] = "C-4"
		case record[0] == "C-7" && record[5] == "100":
			continue
		}
		if err := w.Write(record); err != nil {
			s.t.Fatal(err)
		}
	}
	w.Flush()
	path := s.leave(filepath.Join(s.dir, "corrected.csv"), out.String())
	if got := s.run(0, "import", path).stdout; !strings.Contains(got, "read 3 = 3 created") {
		s.t.Errorf("corrected rejects: %s", got)
	}
	if there := s.customers(); len(there) != 8 || *there["C-7"].Balance != 101 {
		s.t.Errorf("%d customers after the correction", len(there))
	}
}

func TestBadFileStopsNothingElse(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	s.leave("za_acme_dailyfile_2026-03-15.csv", "external_reference,name\nA,\"never closed\nB,x\n")
	s.leave("za_acme_dailyfile_2026-03-16.csv", "external_reference,name\nC-1,Good\n")
	r := s.run(3, "run", "--date", "2026-03-16")
	if !strings.Contains(r.stderr, "za_acme_dailyfile_2026-03-15.csv was rejected: line 2: unclosed_quote") {
		t.Error(r.stderr)
	}
	if there := s.customers(); len(there) != 1 || len(s.api.Writes()) != 1 {
		t.Errorf("%d customers, %d writes", len(there), len(s.api.Writes()))
	}
	reason := read(t, filepath.Join(s.inbox, "rejected", "za_acme_dailyfile_2026-03-15.csv.reason.txt"))
	if !strings.Contains(reason, "unclosed_quote") {
		t.Error(reason)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "reports", "2026-03-16")); err != nil {
		t.Error("no report:", err)
	}
}

func TestWrongHostKeyDownloadsNothing(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	s.leave("za_acme_dailyfile_2026-03-16.csv", nightFile)
	pinned := s.sshd.HostKeyFingerprint
	s.sshd.ReplaceHostKey()
	s.writeConfig(pinned)
	r := s.run(3, "run", "--date", "2026-03-16")
	if !strings.Contains(r.stderr, pinned) || !strings.Contains(r.stderr, s.sshd.HostKeyFingerprint) {
		t.Errorf("both fingerprints should be shown: %s", r.stderr)
	}
	if len(s.api.Requests()) != 0 {
		t.Error("something was sent")
	}
	if _, err := os.Stat(filepath.Join(s.dir, "reports", "2026-03-16")); err != nil {
		t.Error("no report:", err)
	}
}

func TestRevokedKeyStopsAndTheNextRunGoesOn(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	s.api.RevokeKey(sandbox.Test)
	path := s.leave(filepath.Join(s.dir, "customers.csv"), nightFile)
	var stopped nightly.Result
	s.runJSON(4, &stopped, "import", path)
	if f := stopped.Files[0]; f.Outcomes["not_attempted"] != 5 || f.Outcomes["failed"] != 0 || f.Outcomes["rejected"] != 4 {
		t.Errorf("outcomes %v", f.Outcomes)
	}
	s.api.RestoreKey(sandbox.Test)
	s.run(3, "import", path)
	if there := s.customers(); len(there) != 5 {
		t.Errorf("%d customers", len(there))
	}
	s.noViolations()
}

func TestWrongAPIIsAConfigurationError(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	text := strings.Replace(read(t, s.config), "base_url: "+s.api.APIURL(), "base_url: "+s.api.APIURL()+"/v2", 1)
	s.leave(s.config, text)
	path := s.leave(filepath.Join(s.dir, "customers.csv"), nightFile)
	if r := s.run(5, "import", path); !strings.Contains(r.stderr, "api.base_url") {
		t.Error(r.stderr)
	}
}

func TestDryRunSendsAndRecordsNothing(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	path := s.leave(filepath.Join(s.dir, "customers.csv"), nightFile)
	var dry nightly.Result
	s.runJSON(3, &dry, "import", "--dry-run", "--out", filepath.Join(s.dir, "dry"), path)
	if f := dry.Files[0]; !dry.DryRun || f.Outcomes["created"] != 5 || f.Outcomes["rejected"] != 4 {
		t.Errorf("%+v", dry)
	}
	if len(s.api.Requests()) != 0 {
		t.Error("a dry run sent something")
	}
	if _, err := os.Stat(filepath.Join(s.dir, "data", "ledger.db")); err == nil {
		t.Error("a dry run made a ledger")
	}
	s.run(3, "import", path)
	s.leave(path, strings.Replace(nightFile, "24000", "30000", 1))
	s.runJSON(3, &dry, "import", "--dry-run", "--out", filepath.Join(s.dir, "dry"), path)
	rows := table(t, filepath.Join(s.dir, "dry", "customers.outcome.csv"))
	if rows[0]["outcome"] != "updated" || !strings.Contains(rows[0]["detail"], "balance 240.00 ZAR -> 300.00 ZAR") || rows[1]["outcome"] != "unchanged" {
		t.Errorf("%v\n%v", rows[0], rows[1])
	}
}

func TestTwoRunsAtOnce(t *testing.T) {
	s := newStage(t, sandbox.Options{Faults: sandbox.Faults{Latency: 3 * time.Second}}) // long enough for the second to come
	path := s.leave(filepath.Join(s.dir, "customers.csv"), nightFile)
	first := s.command("import", path)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return len(s.api.Requests()) > 0 })
	if r := s.run(11, "import", path); !strings.Contains(r.stderr, fmt.Sprintf("process %d", first.Process.Pid)) {
		t.Error(r.stderr)
	}
	if err := s.api.SetFaults(sandbox.Faults{}); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); first.ProcessState.ExitCode() != 3 {
		t.Errorf("the first run ended with %v", err)
	}
}
