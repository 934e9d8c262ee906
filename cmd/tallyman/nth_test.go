package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tallyman/internal/sandbox"
	"tallyman/internal/sshdtest"
	"tallyman/internal/syscalltest"
)

// prove lengthens the proofs that are part of every run of the tests; make prove sets it.
var prove = flag.Bool("prove", false, "run the proofs at full length")

// smallNight is the second night of a small biller, ready to be run again and again from the same beginnings: one
// customer pays and has a new balance, one stays, one is new, and two events wait in the journal.
type smallNight struct {
	t    *testing.T
	sshd *sshdtest.Server
	base string            // as it was left by the first night
	want map[string]string // reference: closing balance and status
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

// right requires that the night has done all that it had to do, and returns what it has not.
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
	if want := fmt.Sprint(n.want); n.want != nil && fmt.Sprint(got) != want {
		s.t.Errorf("the report says %v, want %s", got, want)
	}
	if n.want == nil {
		n.want = got
	}
}

// faultOf is what goes wrong at a call: what a disk or a network can do to it.
func faultOf(c syscalltest.Call) syscalltest.Verdict {
	switch {
	case c.Name == "connect":
		return syscalltest.Verdict{Errno: syscall.ECONNREFUSED}
	case c.Socket():
		return syscalltest.Verdict{Errno: syscall.ECONNRESET}
	case c.Name == "write" || c.Name == "pwrite64":
		return syscalltest.Verdict{Half: true}
	case c.Name == "mkdirat" || c.Make:
		return syscalltest.Verdict{Errno: syscall.ENOSPC}
	case c.Name == "renameat" || c.Name == "unlinkat" || c.Name == "unlink" || c.Name == "renameat2":
		return syscalltest.Verdict{Errno: syscall.EPERM}
	}
	return syscalltest.Verdict{Errno: syscall.EIO}
}

// injector lets one call of a process fail.
type injector struct {
	root  string // files outside are left alone
	nth   int    // of the calls that count, from 1
	kill  bool   // the process is killed there instead
	heavy bool   // only calls that change something durable count

	mu   sync.Mutex
	seen int
	full string // a write there was cut short; what follows finds no space
	said string // the call that failed
}

func (i *injector) decide(c syscalltest.Call) syscalltest.Verdict {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.full != "" && c.Path == i.full && (c.Name == "write" || c.Name == "pwrite64") {
		i.full = ""
		return syscalltest.Verdict{Errno: syscall.ENOSPC}
	}
	if !i.counts(c) {
		return syscalltest.Verdict{}
	}
	if i.seen++; i.seen != i.nth {
		return syscalltest.Verdict{}
	}
	i.said = c.Name + " " + strings.TrimPrefix(c.Path, i.root)
	if i.kill {
		return syscalltest.Verdict{Kill: true}
	}
	v := faultOf(c)
	if v.Half {
		i.full = c.Path
	}
	return v
}

func (i *injector) counts(c syscalltest.Call) bool {
	if !c.Socket() && !strings.HasPrefix(c.Path, i.root) {
		return false
	}
	return !i.heavy || slices.Contains([]string{"fsync", "fdatasync", "renameat", "ftruncate", "unlinkat"}, c.Name)
}

// Every call to a file or a connection fails in turn, until a night has no call left to fail. However the night ends, it
// does not claim to be done when it is not, and the next one ends right.
func TestNthCallFails(t *testing.T) { everyCall(t, false) }

// The same with kill -9 before every call.
func TestKilledAtNthCall(t *testing.T) { everyCall(t, true) }

func everyCall(t *testing.T, kill bool) {
	night := newSmallNight(t)
	whole := night.again(t)
	whole.run(0, "run", "--date", secondDay)
	if missing := night.missing(whole); len(missing) > 0 {
		t.Fatalf("an undisturbed night: %q", missing)
	}
	night.foots(whole)
	exits := map[int]int{}
	calls := 0
	for nth := 1; ; nth++ {
		in := &injector{nth: nth, kill: kill, heavy: !*prove}
		if !t.Run(fmt.Sprint(nth), func(t *testing.T) { night.fails(t, in, exits) }) && !testing.Verbose() {
			return
		}
		if in.said == "" {
			break
		}
		calls = nth
	}
	t.Logf("proof: %d calls failed in turn, kill %v, the nights ended with %v", calls, kill, exits)
}

// fails runs one disturbed night and the one after it.
func (n *smallNight) fails(t *testing.T, in *injector, exits map[int]int) {
	s := n.again(t)
	in.root = s.dir
	var out, errs bytes.Buffer
	cmd := s.command("run", "--date", secondDay)
	cmd.Stdout, cmd.Stderr = &out, &errs
	syscalltest.Start(t, cmd, in.decide)
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	code := cmd.ProcessState.ExitCode()
	exits[code]++
	told := fmt.Sprintf("call %d (%s): exit %d\n%s%s", in.nth, in.said, code, out.String(), errs.String())
	if missing := n.missing(s); code == 0 && len(missing) > 0 {
		t.Errorf("it ended with 0 and had not done all: %q\n%s", missing, told)
	}
	if strings.Contains(errs.String(), "panic") || strings.Contains(errs.String(), "goroutine ") || code == 2 {
		t.Errorf("it panicked\n%s", told)
	}
	if !in.kill && code != 0 && !slices.Contains([]int{1, 3, 4, 5}, code) {
		t.Errorf("an exit code of its own\n%s", told)
	}
	var again bytes.Buffer
	next := s.command("run", "--date", secondDay)
	next.Stdout, next.Stderr = &again, &again
	if err := next.Run(); err != nil {
		t.Errorf("the night after: %v\n%s\n%s", err, again.String(), told)
	}
	if missing := n.missing(s); len(missing) > 0 {
		t.Errorf("the night after: %q\n%s\n%s", missing, again.String(), told)
	} else {
		n.with(t).foots(s)
	}
	if testing.Verbose() {
		t.Log(told)
	}
}

func (n *smallNight) with(t *testing.T) *smallNight {
	one := *n
	one.t = t
	return &one
}
