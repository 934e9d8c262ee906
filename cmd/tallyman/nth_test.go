package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tallyman/internal/sandbox"
	"tallyman/internal/sshdtest"
)

// smallNight is the second night of a small biller, ready to be run again and again from the same beginnings: one
// customer pays and has a new balance, one stays, one is new, and two events wait in the journal.
type smallNight struct {
	t    *testing.T
	sshd *sshdtest.Server
	base string // as it was left by the first night
}

const (
	firstDayFile  = "external_reference,name,currency,balance\nC-1,Paid,ZAR,24000\nC-2,Stays,ZAR,500\n"
	secondDayFile = "external_reference,name,currency,balance\nC-1,Paid,ZAR,14000\nC-2,Stays,ZAR,500\nC-3,New,ZAR,700\n"
	secondDay     = "2026-03-16"
	secondDayName = "za_acme_dailyfile_2026-03-16.csv"
)

func newSmallNight(t *testing.T) *smallNight {
	t.Helper()
	n := &smallNight{t: t, sshd: sshdtest.Start(t, sshdtest.Options{}), base: t.TempDir()}
	s := n.stage(n.base)
	s.leave("za_acme_dailyfile_2026-03-15.csv", firstDayFile)
	s.run(0, "run", "--date", "2026-03-15")
	there := s.customers()
	s.receivePayments(sandbox.Payment{CustomerID: there["C-1"].ID, Amount: 1000, Currency: "ZAR"},
		sandbox.Payment{CustomerID: there["C-2"].ID, Amount: 500, Currency: "ZAR"})
	if err := s.api.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// stage makes surroundings in a directory, with a directory of its own on the common sshd.
func (n *smallNight) stage(dir string) *stage {
	n.t.Helper()
	s := &stage{t: n.t, dir: dir, sshd: n.sshd, config: filepath.Join(dir, "tallyman.yaml")}
	s.startAPI(sandbox.Options{UniqueOff: true})
	s.inbox, s.deliver = filepath.Join(dir, "sftp", "outgoing"), filepath.Join(dir, "sftp", "incoming")
	for _, d := range []string{s.inbox, s.deliver} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			n.t.Fatal(err)
		}
	}
	s.writeConfig(n.sshd.HostKeyFingerprint)
	return s
}

// again makes a copy of what the first night left, with the second night's file in the inbox.
func (n *smallNight) again(t *testing.T) *stage {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(n.base)); err != nil {
		t.Fatal(err)
	}
	one := *n
	one.t = t
	s := one.stage(dir)
	s.leave(secondDayName, secondDayFile)
	return s
}

// missing returns what the night had to do and has not done.
func (n *smallNight) missing(s *stage) []string {
	var list []string
	miss := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	books := map[string][]int64{}
	for _, c := range s.api.Customers(sandbox.Test) {
		books[c.ExternalReference] = append(books[c.ExternalReference], *c.Balance)
	}
	if want := map[string][]int64{"C-1": {14000}, "C-2": {500}, "C-3": {700}}; !maps.EqualFunc(books, want, slices.Equal) {
		miss("the books say %v, want %v", books, want)
	}
	for _, v := range s.api.Violations() {
		miss("violation: %+v", v)
	}
	if _, err := os.Stat(filepath.Join(s.inbox, "archive", secondDayName)); err != nil {
		miss("%v", err)
	}
	if _, err := os.Stat(filepath.Join(s.inbox, secondDayName)); err == nil {
		miss("the file is still in the inbox")
	}
	for _, name := range []string{"za_acme_dailyfile_2026-03-16.outcome.csv", "acme_2026-03-16_balances.csv", "acme_2026-03-16_summary.json"} {
		if info, err := os.Stat(filepath.Join(s.deliver, name)); err != nil || info.Size() == 0 {
			miss("not delivered: %s", name)
		}
	}
	reports, _ := filepath.Glob(filepath.Join(s.dir, "reports", secondDay, "*", "summary.json"))
	if len(reports) == 0 {
		miss("no report of %s", secondDay)
	}
	return list
}

// foots requires the figures of the second night's report, to the cent.
func (n *smallNight) foots(s *stage) {
	s.t.Helper()
	got := map[string]string{}
	for _, row := range table(s.t, filepath.Join(s.deliver, "acme_2026-03-16_balances.csv")) {
		got[row["external_reference"]] = row["opening_balance"] + "+" + row["billed"] + "-" + row["paid"] + "=" + row["closing_balance"]
	}
	want := map[string]string{
		"C-1": "240.00+-100.00-0.00=140.00", "C-2": "5.00+0.00-0.00=5.00", "C-3": "0.00+7.00-0.00=7.00",
	}
	if !maps.Equal(got, want) {
		s.t.Errorf("the report says %v, want %v", got, want)
	}
}

// cutCalls is how many calls fail in the cut that is part of every run of the tests.
const cutCalls = 8

// Every call to a file or a connection fails in turn. However the night ends, it does not claim to be done when it is
// not, and the next one ends right.
func TestNthCallFails(t *testing.T) { everyCall(t, false) }

// The same with kill -9 before every call.
func TestKilledAtNthCall(t *testing.T) { everyCall(t, true) }

// What fails is told as what it is, with what to do.
func TestFailingCallsAreTold(t *testing.T) {
	night := newSmallNight(t)
	for _, test := range []struct {
		at   string
		code int
		says string
	}{
		{"mkdirat /data/spool", 4, "no space left on device: make room on that disk, then run the same command again"},
		{"fsync /data/spool/#/za_acme_dailyfile_2026-03-16.csv.part", 3, "was left in the inbox: "},
		{"fsync /data/spool/#/za_acme_dailyfile_2026-03-16.csv.part", 3, "input/output error; look at the disk of data_dir, then run again"},
		{"pwrite64 /data/spool/#/census.db", 4, "compare the file with the ledger"},
		{"openat /reports/2026-03-15/#/summary.json", 4, "look at the disk"}, // else the breaks that are open in it were left out
		{"unlinkat /data/spool/#/za_acme_dailyfile_2026-03-16.csv", 4, "empty the spool"},
	} {
		s := night.again(t)
		in := &injector{root: rootOf(t, s.dir), at: spot{test.at, 1}}
		code, said := watched(t, s.command("run", "--date", secondDay), in)
		if !in.came() || code != test.code || !strings.Contains(said, test.says) {
			t.Errorf("%s (%v): exit %d, want %d with %q\n%s", test.at, in.came(), code, test.code, test.says, said)
		}
	}
}

func everyCall(t *testing.T, kill bool) {
	night := newSmallNight(t)
	whole := night.again(t)
	census := &injector{root: rootOf(t, whole.dir)}
	code, said := watched(t, whole.command("run", "--date", secondDay), census)
	if missing := night.missing(whole); code != 0 || len(missing) > 0 {
		t.Fatalf("an undisturbed night ended with %d: %q\n%s", code, missing, said)
	}
	night.foots(whole)
	failEach(t, census.chosen(cutCalls, kill), kill, "a night", night.fails)
}

// fails runs one disturbed night and the one after it.
func (n *smallNight) fails(t *testing.T, in *injector) (code int) {
	s := n.again(t)
	in.root = rootOf(t, s.dir)
	code, said := watched(t, s.command("run", "--date", secondDay), in)
	said = fmt.Sprintf("%s: exit %d\n%s", in.at, code, said)
	sober(t, in, code, said)
	if missing := n.missing(s); code == 0 && len(missing) > 0 {
		t.Errorf("it ended with 0 and had not done all: %q\n%s", missing, said)
	}
	again, err := s.command("run", "--date", secondDay).CombinedOutput()
	if missing := n.missing(s); err != nil || len(missing) > 0 {
		t.Errorf("the night after: %v, %q\n%s\n%s", err, missing, again, said)
		return code
	}
	n.foots(s)
	if *prove && testing.Verbose() {
		t.Log(said)
	}
	return code
}
