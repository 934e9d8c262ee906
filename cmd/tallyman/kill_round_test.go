package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tallyman/internal/journal"
	"tallyman/internal/sandbox"
)

const (
	killRounds    = 50
	killCut       = 2 // rounds, in every run of the tests
	killCustomers = 20
	badDayFile    = "za_acme_dailyfile_2026-02-28" // in some rounds there is one that has to be rejected
)

// killing is a biller whose passes and whose receiver are killed again and again.
type killing struct {
	*stage
	random   *rand.Rand
	receiver *receiving
	round    int

	mu           sync.Mutex
	acknowledged map[string]bool
	kills        int
	rejected     int // files
	seen         int // lines of the journal
}

// kill -9 at random over passes and over the receiver, both under load at once, with OpenSSH's sshd and real HTTP, while
// the API loses requests and would take a customer twice. After every round all is as if nobody had been killed: nobody is
// there twice, each record has the outcome that it would have had, and what was answered with 2xx is in the journal.
func TestKillRounds(t *testing.T) {
	s := newStage(t, sandbox.Options{UniqueOff: true, Faults: sandbox.Faults{Latency: time.Millisecond, DropBefore: 0.01, DropAfter: 0.02}})
	secret, err := journal.ParseSecret(s.api.WebhookSecret())
	if err != nil {
		t.Fatal(err)
	}
	k := &killing{
		stage: s, random: rand.New(rand.NewPCG(*seed, 9)), acknowledged: map[string]bool{},
		receiver: &receiving{t: t, dir: s.dir, config: s.config, secret: secret},
	}
	rounds := killCut
	if *prove {
		rounds = killRounds
	}
	for k.round = range rounds {
		k.leave(k.name(), k.file())
		if k.round%7 == 2 {
			k.rejected++
			k.leave(badDayFile+".csv", fmt.Sprintf("external_reference,name\nBAD-%d,\"never closed\n", k.round))
		}
		k.disturb()
		k.right()
		if t.Failed() {
			t.Fatalf("round %d; again: go test ./cmd/tallyman -run TestKillRounds -prove -seed %d", k.round, *seed)
		}
	}
	t.Logf("proof: %d kills in %d rounds over passes and receiver, seed %d: %d customers, none twice; %d events acknowledged, %d in the journal",
		k.kills, rounds, *seed, len(k.customers()), len(k.acknowledged), k.seen)
}

func (k *killing) date() string {
	return time.Date(2026, 3, 1+k.round, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

func (k *killing) name() string { return "za_acme_dailyfile_" + k.date() + ".csv" }

// file has one customer more than the last one, and one less. Of the others every third stays as it is.
func (k *killing) file() string {
	var b strings.Builder
	b.WriteString("external_reference,name,currency,balance\n")
	for i := k.round; i < k.round+killCustomers; i++ {
		fmt.Fprintf(&b, "K-%d,Customer %d,ZAR,%d\n", i, i, k.balance(i))
	}
	return b.String()
}

func (k *killing) balance(i int) int64 { return int64(10_000 + 10*i + k.round*(i%3)) }

// outcome is what becomes of a customer of the file, however often the pass is killed.
func (k *killing) outcome(i int) string {
	switch {
	case k.round == 0 || i == k.round+killCustomers-1:
		return "created"
	case i%3 == 0:
		return "unchanged"
	}
	return "updated"
}

// disturb kills the pass a few times, and in most rounds the receiver, at random.
func (k *killing) disturb() {
	k.receiver.start()
	wait := k.load()
	for range 1 + k.random.IntN(3) {
		k.killPass()
	}
	if wait() {
		k.kills++
		_ = k.receiver.cmd.Wait()
		return
	}
	k.receiver.stop()
}

// load sends events as fast as they are taken. After so many, drawn at random, the receiver is killed, in most rounds.
func (k *killing) load() (wait func() (killed bool)) {
	const senders, each = 4, 100
	until, taken := int64(1+k.random.IntN(senders*each*3/2)), new(atomic.Int64)
	var wg sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	for i := range senders {
		wg.Go(func() {
			for n := range each {
				id := fmt.Sprintf("msg_%d_%d_%d", k.round, i, n)
				answer, err := k.receiver.send(client, id, []byte(`{"id":"evt_`+id+`","type":"t"}`))
				if err != nil {
					return
				}
				if answer.StatusCode != http.StatusNoContent {
					continue
				}
				k.mu.Lock()
				k.acknowledged[id] = true
				k.mu.Unlock()
				if taken.Add(1) == until {
					_ = k.receiver.cmd.Process.Kill()
				}
			}
		})
	}
	return func() bool {
		wg.Wait()
		client.CloseIdleConnections()
		return taken.Load() >= until
	}
}

// killPass starts a pass and kills it: after some requests, when the file is archived, or while results are delivered.
func (k *killing) killPass() {
	cmd := k.command("run", "--date", k.date())
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	writes := func() int { t := k.api.Tally(); return t.Creates + t.Patches }
	until := writes() + k.random.IntN(killCustomers)
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	at := []func() bool{
		func() bool { return writes() >= until },
		func() bool { return writes() >= until },
		func() bool { return exists(filepath.Join(k.inbox, "archive", k.name())) },
		func() bool { return exists(filepath.Join(k.deliver, "acme_"+k.date()+"_payments.csv")) },
	}[k.random.IntN(4)]
	waitFor(k.t, func() bool { return at() || processEnded(cmd.Process.Pid) })
	if !processEnded(cmd.Process.Pid) {
		k.kills++
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// right lets a pass end undisturbed and looks at everything.
func (k *killing) right() {
	k.t.Helper()
	k.receiver.start() // which mends the journal
	k.receiver.stop()
	out, err := k.command("run", "--date", k.date()).CombinedOutput()
	// A bad file is told by the pass that rejects it, which may be one that was killed.
	if err != nil && !(k.round%7 == 2 && strings.Contains(string(out), "unclosed_quote")) {
		k.t.Errorf("%v\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(k.inbox, "rejected", badDayFile+".csv*"))
	found = slices.DeleteFunc(found, func(path string) bool { return strings.HasSuffix(path, ".reason.txt") })
	if err != nil || len(found) != k.rejected {
		k.t.Errorf("rejected: %q, %v, want %d\n%s", found, err, k.rejected, out)
	}
	k.outcomes()
	k.journalHolds()
	k.noViolations()
	if k.round%5 > 0 {
		return
	}
	// The finished file once more: nothing is written at Moment, and the outcome is the same to the byte.
	outcome := filepath.Join(k.deliver, strings.TrimSuffix(k.name(), ".csv")+".outcome.csv")
	before, writes := read(k.t, outcome), len(k.api.Writes())
	k.leave(k.name(), k.file())
	k.run(0, "run", "--date", k.date())
	if sent := len(k.api.Writes()) - writes; sent != 0 || read(k.t, outcome) != before {
		k.t.Errorf("the finished file sent %d writes; its outcome is\n%s\nafter\n%s", sent, read(k.t, outcome), before)
	}
}

// outcomes compares every record with what would have become of it without a kill, and with who is there.
func (k *killing) outcomes() {
	k.t.Helper()
	there := k.customers()
	rows := table(k.t, filepath.Join(k.deliver, strings.TrimSuffix(k.name(), ".csv")+".outcome.csv"))
	if len(rows) != killCustomers {
		k.t.Fatalf("%d outcomes", len(rows))
	}
	for n, row := range rows {
		i := k.round + n
		c := there[fmt.Sprintf("K-%d", i)]
		if row["external_reference"] != c.ExternalReference || row["outcome"] != k.outcome(i) || row["customer_id"] != c.ID || c.Balance == nil || *c.Balance != k.balance(i) {
			k.t.Errorf("record %d should be %s with %d and is %v; there is %+v", i, k.outcome(i), k.balance(i), row, c)
		}
	}
	if len(there) != k.round+killCustomers {
		k.t.Errorf("%d customers are there, want %d", len(there), k.round+killCustomers)
	}
}

// journalHolds requires that what was acknowledged is in the journal once, and that the journal is whole.
func (k *killing) journalHolds() {
	k.t.Helper()
	stored := map[string]int{}
	if _, err := journal.Read(k.t.Context(), k.receiver.journal(), func(l journal.Line) error {
		stored[l.Record.WebhookID]++
		return nil
	}); err != nil {
		k.t.Fatal(err)
	}
	for id := range k.acknowledged {
		if stored[id] != 1 {
			k.t.Fatalf("%s was answered with 2xx and stands in the journal %d times", id, stored[id])
		}
	}
	k.seen = len(stored)
	k.run(0, "journal", "verify")
}
