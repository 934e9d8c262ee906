package main

import (
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

// seed makes the proofs that draw at random repeatable.
var seed = flag.Uint64("seed", 1, "seed of the proofs that draw at random")

const (
	yearNights    = 365
	yearCut       = 10 // nights, in every run of the tests
	yearCustomers = 25
)

// year is a biller, its customers and Moment through a year of business dates. What it calls its books is kept here, in
// plain arithmetic; nothing of the program is asked for a figure.
type year struct {
	*stage
	random *rand.Rand
	books  *modelBooks
	ahead  atomic.Int64 // of the sandbox's clock, in nanoseconds

	today   int         // 0 is the first date
	pending []*money    // that happened, and of which no event was sent
	toLeave []modelFile // for the inbox of the next pass
	late    []modelFile // that come a day late
	known   map[string]map[string]reported
	did     map[string]int // how often something was drawn
}

// A biller's year: a file and a pass of the real program every night, over OpenSSH, and payments through the real receiver.
// Every morning the model's books, the sandbox's, the ledger and the report agree to the cent.
func TestYearOfNights(t *testing.T) {
	y := &year{random: rand.New(rand.NewPCG(*seed, 365)), books: newModelBooks(), known: map[string]map[string]reported{}, did: map[string]int{}}
	y.stage = newStage(t, sandbox.Options{UniqueOff: true, LowerBalance: true, ForgetRequests: true, Now: func() time.Time {
		return time.Now().Add(time.Duration(y.ahead.Load()))
	}})
	y.leave(y.config, read(t, y.config)+"reports: {formats: [csv]}\n")
	nights := yearCut
	if *prove {
		nights = yearNights
	}
	for y.today = range nights {
		if !t.Run(y.date(y.today), func(t *testing.T) {
			y.t = t
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("seed %d; again: go test ./cmd/tallyman -run TestYearOfNights -prove -seed %d", *seed, *seed)
				}
			})
			y.morning()
			y.day()
		}) {
			break
		}
	}
	y.t = t
	t.Logf("proof: %d nights of %d customers, seed %d: %d assertions, %d journal lines; %v", nights, yearCustomers, *seed, y.books.assertions, len(y.books.lines), y.did)
}

// date is a business date by its number.
func (y *year) date(n int) string { return firstDate.AddDate(0, 0, n).Format(time.DateOnly) }

// draw is true once in so many times, and counts that.
func (y *year) draw(what string, once int) bool {
	if y.random.IntN(once) > 0 {
		return false
	}
	y.did[what]++
	return true
}

// at sets every clock to a time of today, in Johannesburg.
func (y *year) at(hour, minute int) time.Time {
	now := instantOf(y.today, hour, minute)
	y.set(now)
	return now
}

func (y *year) set(now time.Time) {
	y.ahead.Store(int64(time.Until(now)))
	y.t.Setenv(clockVariable, clockFrom(now))
}

// morning leaves today's file and runs the pass that reports yesterday.
func (y *year) morning() {
	file := y.books.bill(y.today, y.random)
	y.toLeave, y.late = append(y.toLeave, y.late...), nil
	switch {
	case y.today > 0 && y.draw("file late", 30):
		y.pass(6, 30)
		y.late = append(y.late, file)
		return
	case y.today > 2 && len(y.toLeave) == 0 && y.draw("held", 25):
		y.toLeave = append(y.toLeave, y.books.reprice(y.today))
		if y.pass(6, 30) == 0 {
			y.t.Error("it was not held")
		}
		return
	}
	y.toLeave = append(y.toLeave, file)
	switch {
	case y.today > 0 && y.draw("night without a pass", 40):
		return
	case len(y.pending) == 0 && y.draw("killed", 12):
		y.killed()
	case len(y.pending) == 0 && y.draw("faults", 20):
		y.faults()
	default:
		y.pass(6, 30)
	}
	if y.draw("corrected", 20) {
		y.toLeave = append(y.toLeave, y.books.correct(file, y.random))
		y.pass(12, 0)
	}
	if y.today > 1 && y.draw("corrected too late", 40) {
		stale := y.books.correct(file, y.random)
		stale.day--
		y.toLeave = append(y.toLeave, stale)
		y.pass(13, 0)
	}
}

// pass is a pass without disturbance, after which everything has to agree.
func (y *year) pass(hour, minute int) (held int) {
	y.t.Helper()
	y.put()
	return y.finish(y.at(hour, minute))
}

// finish runs passes until every file is taken: one that a guard holds is approved by a person and comes with the next.
func (y *year) finish(now time.Time) (held int) {
	y.t.Helper()
	for {
		r := y.passed("run", "--date", y.date(y.today-1))
		holds := map[string]string{}
		for _, f := range r.Files {
			if f.State == "held" {
				holds[f.SHA256] = f.FileID
			}
		}
		var waiting []modelFile
		for _, f := range y.toLeave {
			if holds[f.sha256()] == "" {
				y.books.imported(f, now)
			} else {
				waiting = append(waiting, f)
			}
		}
		y.toLeave = waiting
		y.agree(r.Report.Dir)
		if len(waiting) == 0 {
			return held
		}
		if held > 0 {
			y.t.Fatal("what was approved is held again")
		}
		for _, id := range holds {
			held++
			y.run(0, "approve", id, "--reason", "the prices are new")
		}
		now = now.Add(30 * time.Minute)
		y.set(now)
	}
}

// passed runs a pass that ends with 0, or with 3 for reasons that the model knows.
func (y *year) passed(args ...string) (r nightly.Result) {
	y.t.Helper()
	code, out, stderr := y.output(append(args, "--json")...)
	if code != 0 && code != 3 {
		y.t.Fatalf("exit %d\n%s\n%s", code, out, stderr)
	}
	decode(y.t, out, &r)
	for _, need := range r.NeedsPerson() {
		if !knownNeed.MatchString(need) {
			y.t.Errorf("it needs a person, and nobody knows why: %s", need)
		}
	}
	if (len(r.NeedsPerson()) > 0) != (code == 3) {
		y.t.Errorf("exit %d, and it needs a person for %q", code, r.NeedsPerson())
	}
	return r
}

// output runs the program and returns how it ended and what it said.
func (y *year) output(args ...string) (code int, stdout, stderr []byte) {
	y.t.Helper()
	cmd := y.command(args...)
	stdout, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), stdout, exit.Stderr
	}
	if err != nil {
		y.t.Fatal(err)
	}
	return 0, stdout, nil
}

// put leaves the files that are due in the inbox.
func (y *year) put() {
	for _, f := range y.toLeave {
		name := "za_acme_dailyfile_" + y.date(f.day) + ".csv"
		if _, err := os.Stat(filepath.Join(y.inbox, name)); err == nil {
			y.t.Fatalf("%s is still in the inbox", name)
		}
		y.leave(name, f.text)
	}
}

// killed kills the pass somewhere, and runs it again.
func (y *year) killed() {
	y.put()
	y.at(6, 30)
	cmd := y.command("run", "--date", y.date(y.today-1))
	if err := cmd.Start(); err != nil {
		y.t.Fatal(err)
	}
	written := func() int { t := y.api.Tally(); return t.Creates + t.Patches }
	until := written() + y.random.IntN(yearCustomers)
	waitFor(y.t, func() bool { return written() >= until || processEnded(cmd.Process.Pid) })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	y.finish(y.at(6, 45))
}

// faults lets the API lose and refuse requests for a while. However the pass ends, the next one makes it good.
func (y *year) faults() {
	y.put()
	y.at(6, 30)
	y.spoil(sandbox.Faults{DropBefore: 0.04, DropAfter: 0.04, ErrorAfter: 0.02, TooMany: 0.02})
	_ = y.command("run", "--date", y.date(y.today-1)).Run()
	y.spoil(sandbox.Faults{})
	y.finish(y.at(7, 0))
}

func (y *year) spoil(f sandbox.Faults) {
	y.t.Helper()
	if err := y.api.SetFaults(f); err != nil {
		y.t.Fatal(err)
	}
}

// day lets customers pay, and brings the events to the receiver in the evening. Some are late.
func (y *year) day() {
	y.at(23, 30)
	moneys := y.books.pay(y.today, y.random, y.did)
	var now []*money
	for _, m := range moneys {
		m.event = y.paid(m)
		if !m.late {
			now = append(now, m)
			continue
		}
		y.did["event late"]++
		y.pending = append(y.pending, m)
	}
	var still []*money
	for _, m := range y.pending {
		if m.day < y.today && y.random.IntN(3) == 0 {
			now = append(now, m)
		} else {
			still = append(still, m)
		}
	}
	y.pending = still
	y.deliver(now)
}

// paid lets the money arrive at Moment.
func (y *year) paid(m *money) sandbox.Event {
	y.t.Helper()
	e, err := y.api.Pay(sandbox.Payment{
		CustomerID: m.payer(), BillID: m.bill, Unknown: m.stranger, Amount: m.amount, Currency: "ZAR", At: m.at, ObligationID: m.obligation, Late: true,
	})
	if err != nil {
		y.t.Fatal(err)
	}
	m.fill(e)
	return e
}

// deliver sends events through the real receiver: each once or more, then what repeats them under other ids.
func (y *year) deliver(moneys []*money) {
	y.t.Helper()
	if len(moneys) == 0 {
		return
	}
	receive := y.command("receive")
	log := newWatch("receiving webhooks")
	receive.Stderr = log
	if err := receive.Start(); err != nil {
		y.t.Fatal(err)
	}
	if err := y.api.SetWebhookURL("http://" + listening.FindStringSubmatch(log.wait(y.t))[1] + "/webhooks/moment"); err != nil {
		y.t.Fatal(err)
	}
	flush := func() {
		if err := y.api.Flush(y.t.Context()); err != nil {
			y.t.Fatal(err)
		}
	}
	for _, m := range moneys {
		y.books.arrives(line{m, first})
		y.api.Redeliver(m.event)
		if y.draw("delivery repeated", 10) {
			y.api.Redeliver(m.event)
		}
	}
	flush()
	for _, m := range moneys {
		if y.draw("event repeated", 15) {
			y.books.arrives(line{m, repeated})
			y.api.SendBody(m.event.Body)
		}
		if !m.stranger && m.bill == "" && y.draw("money twice", 25) {
			y.books.arrives(line{m, twin})
			y.api.SendBody([]byte(strings.Replace(string(m.event.Body), m.event.ID, m.twinID(), 1)))
		}
	}
	flush()
	if err := receive.Process.Signal(os.Interrupt); err != nil {
		y.t.Fatal(err)
	}
	if err := receive.Wait(); err != nil {
		y.t.Fatalf("receive ended with %v\n%s", err, log.written())
	}
	if d := y.api.Deliveries(); d.GivenUp > 0 {
		y.t.Fatalf("events were given up: %+v\n%s", d, log.written())
	}
}
