package importer

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tallyman/formats"
)

var (
	seeds     = flag.Int("seeds", 200, "how many simulations to run")
	firstSeed = flag.Uint64("seed", 1, "the first of them")
)

// TestSimulation imports small files again and again, by the real client with its real pace, against a Moment that fails in
// every way that is known, while the process is killed, told to stop, and its clock and Moment's drift apart. Then all faults end, and the books must show
// that nobody was created twice or lost, and every record its one true outcome (faults.md section 3).
func TestSimulation(t *testing.T) {
	var sum tally
	began := time.Now()
	t.Cleanup(func() { t.Logf("proof: %d seeds in %s: %s", *seeds, time.Since(began).Round(time.Second), &sum) })
	for i := range *seeds {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed)
				w.sum = &sum
				w.play()
			})
		})
	}
}

// tally says what the simulations went through.
type tally struct{ imports, requests, kills, fullDisks, storms, gaveUp, barred, payments atomic.Int64 }

func (s *tally) String() string {
	return fmt.Sprintf("%d imports, %d requests, %d kills, %d full disks, %d storms of refusals, %d given up for them, %d refused credentials, %d payments",
		s.imports.Load(), s.requests.Load(), s.kills.Load(), s.fullDisks.Load(), s.storms.Load(), s.gaveUp.Load(), s.barred.Load(), s.payments.Load())
}

// world is one simulation.
type world struct {
	t      *testing.T
	seed   uint64
	sum    *tally
	rng    *rand.Rand // for what the driver does, one goroutine
	policy Policy
	memory *memory
	moment *model
	cable  *cable
	files  []*simFile
	skew   time.Duration // of our clock
	harm   int           // how likely a mishap is, in percent
	net    bool          // payments that a file could not have known are taken off
	start  time.Time     // of the first business date

	mu     sync.Mutex
	drawn  map[string]int // calls so far, by reference
	dead   bool           // the process was killed
	barred string         // how the credentials are refused for the rest of the run
	kill   context.CancelFunc
	file   *simFile // being imported
	log    []func() string
}

// simFile is a customer file of the simulation.
type simFile struct {
	name    string
	text    string
	records *memoryFile
	last    told
	done    bool

	customers map[string]formats.Customer
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 7)), memory: newMemory(), moment: newModel(), drawn: map[string]int{}}
	w.policy = []Policy{Update, Update, Update, Skip, Reject}[w.rng.IntN(5)]
	w.moment.unique = w.rng.IntN(2) == 0
	w.moment.lowers = w.rng.IntN(2) == 0
	if w.rng.IntN(2) == 0 {
		w.moment.stale = time.Second
	}
	w.net, w.start = seed%2 == 0, time.Now()
	w.harm = []int{10, 30, 60}[w.rng.IntN(3)]
	w.cable = &cable{moment: w.moment, seed: seed, drawn: map[string]int{}}
	w.moment.choose, w.moment.watch = w.draw, w.watch
	w.memory.fault = w.ledgerFault
	for i, date := range []string{"2026-11-20", "2026-11-20", "2026-11-21"} {
		w.files = append(w.files, &simFile{name: fmt.Sprintf("%s#%d", date, i), text: w.content()})
	}
	for i := range 3 { // customers that nobody has told us of; only a Moment that knows them can keep us from doubling them
		if w.moment.unique && w.rng.IntN(2) == 0 {
			w.moment.put(formats.Customer{ExternalReference: fmt.Sprint("R", i), Name: "Ada", Currency: "ZAR", Balance: formats.BalanceOf(w.rng.Int64N(1e6))})
		}
	}
	return w
}

// content makes a file: about ten customers, some wrong, doubled, contradicted, refused by Moment or without a balance.
func (w *world) content() string {
	var rows []string
	for i := range 12 {
		balance := fmt.Sprint(w.rng.Int64N(1e6) + 1)
		name := []string{"Ada", "Ada", "Zoë", "Thabo", ""}[w.rng.IntN(5)]
		tariff := []string{"", "home", "farm"}[w.rng.IntN(3)]
		switch w.rng.IntN(16) {
		case 0:
			continue
		case 1:
			balance = ""
		case 2:
			balance = "12.50"
		case 3:
			name = "refuse me"
		}
		row := fmt.Sprintf("R%d,%s,,%s,%s,", i, name, balance, tariff)
		rows = append(rows, row)
		switch w.rng.IntN(12) {
		case 0:
			rows = append(rows, row)
		case 1:
			rows = append(rows, row+"2026-12-01")
		}
	}
	w.rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return fileText(rows...)
}

func (w *world) logf(format string, args ...any) {
	now := time.Now()
	w.log = append(w.log, func() string { return now.Format("02 15:04:05.000 ") + fmt.Sprintf(format, args...) })
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "again: go test ./importer -run 'TestSimulation$' -seed %d -seeds 1\n", w.seed)
	for _, line := range w.log {
		fmt.Fprintln(&b, line())
	}
	for _, f := range w.files {
		fmt.Fprintf(&b, "file %s\n%s%s", f.name, f.text, f.last.outcomes)
	}
	w.t.Fatal(b.String())
}

// draw decides what goes wrong with a call. It depends on the seed and on how many calls there were for the reference,
// not on how goroutines are scheduled.
func (w *world) draw(what, reference string) mishap {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return mishap{kind: "dead"}
	}
	w.drawn[reference]++
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", reference, w.drawn[reference])
	rng := rand.New(rand.NewPCG(w.seed, h.Sum64()))
	m := mishap{delay: time.Duration(rng.Int64N(int64(200 * time.Millisecond)))}
	switch {
	case w.barred != "":
		m.kind = w.barred
	case rng.IntN(100) < w.harm:
		m.kind = w.pick(rng, what)
	}
	if w.harm > 0 && rng.IntN(200) == 0 {
		m.then = w.die
	}
	w.logf("%s %s: %s %v", what, reference, m.kind, m.then != nil)
	return m
}

func (w *world) pick(rng *rand.Rand, what string) string {
	kinds := []string{"drop_before", "429", "502_before", "503_before"}
	switch what {
	case "create":
		kinds = append(kinds, "drop_after", "drop_after", "429_stored", "500_before", "500_after", "500_after", "502_after", "503_after", "conflict")
		// A Moment that forgets a key it has carried out, against its documentation: only its own guard keeps a customer
		// from being doubled then, and nothing tells our own from one that was there before once its balance has moved.
		if w.moment.unique && !w.moment.lowers {
			kinds = append(kinds, "drop_after_unstored", "502_after_unstored")
		}
		if w.moment.stale > 0 {
			kinds = append(kinds, "late")
		}
	case "update":
		kinds = append(kinds, "drop_after", "drop_after", "500_before", "500_after", "503_after")
	}
	if rng.IntN(40) == 0 {
		w.barred = []string{"401", "400"}[rng.IntN(2)]
		w.sum.barred.Add(1)
		return w.barred
	}
	return kinds[rng.IntN(len(kinds))]
}

// die is kill -9: from now on nothing that the process does has any effect.
func (w *world) die() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logf("killed")
	w.sum.kills.Add(1)
	w.dead = true
	w.kill()
}

var errKilled = errors.New("killed")

// ledgerFault kills the process before a write, or fills the disk.
func (w *world) ledgerFault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drawn["ledger"]++
	rng := rand.New(rand.NewPCG(w.seed, uint64(w.drawn["ledger"])))
	switch {
	case w.dead:
		return errKilled
	case w.harm > 0 && rng.IntN(50) == 0:
		w.logf("killed before a write")
		w.sum.kills.Add(1)
		w.dead = true
		w.kill()
		return errKilled
	case w.harm > 0 && rng.IntN(50) == 0:
		w.logf("disk full")
		w.sum.fullDisks.Add(1)
		return errDiskFull
	}
	return nil
}

// watch holds every write against the records: it must be intended there, just so, before it is sent.
func (w *world) watch(what, reference, key string, body []byte) {
	w.memory.mu.Lock()
	defer w.memory.mu.Unlock()
	sum := digest(body)
	for _, r := range w.file.records.rows {
		if r.Result.ExternalReference == reference && r.Operation == what && r.Key == key && r.BodySHA256 == sum {
			return
		}
	}
	w.moment.mu.Lock()
	defer w.moment.mu.Unlock()
	w.moment.violate("%s of %s with key %q and %s is not on record", what, reference, key, body)
}

// play runs files at random, then heals everything and finishes them.
func (w *world) play() {
	for range 3 + w.rng.IntN(6) {
		w.importOnce(w.files[w.rng.IntN(len(w.files))], true)
		w.between()
	}
	w.harm = 0
	for range 3 {
		for _, f := range w.files {
			w.importOnce(f, false)
		}
	}
	for _, f := range w.files {
		w.finished(f)
	}
	w.books()
}

// between is what happens between two runs: time passes, clocks jump, people pay.
func (w *world) between() {
	pass := []time.Duration{time.Second, 3 * time.Hour, 21 * time.Hour, 25 * time.Hour}[w.rng.IntN(4)]
	// A clock that falls back by more than the margin of 4 hours between our age limit and Moment's cannot always be told.
	w.skew = []time.Duration{0, 0, 3 * time.Hour, 90 * time.Minute}[w.rng.IntN(4)]
	<-time.After(2*time.Second + pass)
	if w.rng.IntN(3) > 0 {
		return
	}
	for i := range 12 {
		for _, h := range w.moment.standing(fmt.Sprint("R", i)) {
			if w.rng.IntN(4) > 0 {
				continue
			}
			amount := w.rng.Int64N(5000) + 1
			w.logf("%s pays %d", h.c.ExternalReference, amount)
			w.moment.payTo(h.id, amount)
			w.sum.payments.Add(1)
			if w.rng.IntN(4) > 0 { // the event may be late
				w.memory.pay(memoryPayment{event: fmt.Sprint("evt_", len(w.memory.payments)), customer: h.id, at: w.now(), currency: "ZAR", amount: amount})
			}
		}
	}
	<-time.After(time.Minute)
}

func (w *world) now() time.Time { return time.Now().Add(w.skew) }

// importOnce is one run of tallyman with one file.
func (w *world) importOnce(f *simFile, faults bool) {
	if f.records == nil {
		f.records = w.memory.begin(f.name[:10])
	}
	w.logf("import %s", f.name)
	ctx, kill := context.WithCancel(w.t.Context())
	defer kill()
	w.dead, w.barred, w.kill, w.file, w.moment.file = false, "", kill, f, f.name
	if faults && w.rng.IntN(4) == 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(w.rng.Int64N(int64(5*time.Second))))
		defer stop()
	}
	o := Options{
		Merchant: "acme", Mode: "test", Existing: w.policy, Concurrency: 1 + w.rng.IntN(4), Now: w.now,
		Waits: Waits{First: 100 * time.Millisecond, Most: 2 * time.Second, Stale: time.Second, Tries: 4},
	}
	w.weather(faults)
	im := New(w.cable.connect(o.Concurrency), o)
	file := fileOf(f.text, f.records)
	if w.net {
		file.Since = w.since(f)
	}
	s, err := im.Survey(w.t.Context(), file)
	if err != nil {
		w.fail("survey: %v", err)
	}
	calls, before, wasDone := w.moment.calls, f.last, f.done
	err = im.Send(ctx, file, s)
	w.logf("ended: %v", err)
	var stop *StopError
	if err != nil && !errors.As(err, &stop) {
		w.fail("an error of our own: %v", err)
	}
	if stop != nil && stop.Reason == "api_gave_up" {
		w.sum.gaveUp.Add(1)
	}
	w.sum.imports.Add(1)
	w.sum.requests.Add(int64(len(w.cable.arrivals)))
	f.last = account(w.t.Context(), w.t, im, file, s, err)
	f.done = err == nil && f.last.account.Unfinished() == 0
	if wasDone && (w.moment.calls != calls || !bytes.Equal(before.outcomes, f.last.outcomes) || !bytes.Equal(before.rejects, f.last.rejects)) {
		w.fail("%s was finished, and the next run made %d calls and told\n%s", f.name, w.moment.calls-calls, f.last.outcomes)
	}
	w.truth(f)
	w.takenOff(f)
	if len(w.moment.violations) > 0 {
		w.fail("%s", strings.Join(w.moment.violations, "\n"))
	}
}

// weather sets what goes wrong between the client and Moment during a run: requests that never leave, and perhaps a storm
// in which everything is refused, for longer than a run has patience.
func (w *world) weather(faults bool) {
	w.cable.harm, w.cable.storm = 0, time.Time{}
	if !faults {
		return
	}
	w.cable.harm = w.harm / 10
	if w.rng.IntN(6) == 0 {
		lasts := []time.Duration{3 * time.Second, 5 * time.Minute, time.Hour}[w.rng.IntN(3)]
		w.logf("a storm for %s", lasts)
		w.sum.storms.Add(1)
		w.cable.storm = time.Now().Add(lasts)
	}
}

// since is the beginning of a file's business date.
func (w *world) since(f *simFile) time.Time {
	if f.records.date == "2026-11-20" {
		return w.start
	}
	return w.start.Add(24 * time.Hour)
}

// takenOff holds what was taken off the balances of a file against what was paid.
func (w *world) takenOff(f *simFile) {
	for _, r := range f.records.rows {
		seen := map[string]bool{}
		for _, off := range r.TakenOff {
			i := slices.IndexFunc(w.memory.payments, func(p memoryPayment) bool { return p.event == off.EventID })
			if p := w.memory.payments[i]; !w.net || seen[off.EventID] || p.amount != off.Amount || p.customer != r.Result.CustomerID || p.at.Before(w.since(f)) {
				w.fail("%s line %d, %s: %+v was taken off, and paid was %+v", f.name, r.Result.Line, r.Result.ExternalReference, off, p)
			}
			seen[off.EventID] = true
		}
		if says := f.says(w.t, r.Result.ExternalReference); len(r.TakenOff) > 0 && r.Result.Balance != says.Balance {
			w.fail("%s line %d, %s: the outcome says %v, the file %v", f.name, r.Result.Line, r.Result.ExternalReference, r.Result.Balance, says.Balance)
		}
	}
}

// says returns what the file says of a reference; the zero customer if nothing that counts.
func (f *simFile) says(t *testing.T, reference string) formats.Customer {
	if f.customers != nil {
		return f.customers[reference]
	}
	f.customers = map[string]formats.Customer{}
	r, err := formats.NewCustomerReader(strings.NewReader(f.text), formats.CustomerOptions{Currency: "ZAR"})
	if err != nil {
		t.Fatal(err)
	}
	for {
		record, err := r.Next()
		if err != nil {
			return f.customers[reference]
		}
		f.customers[record.Customer.ExternalReference] = record.Customer
	}
}

// truth holds the outcomes of a file against the books.
func (w *world) truth(f *simFile) {
	rows := map[string]int{}
	for _, o := range f.last.rows {
		rows[o.ExternalReference]++
	}
	for _, o := range f.last.rows {
		list := w.moment.standing(o.ExternalReference)
		there := len(list) > 0
		ours := there && list[0].by == f.name && rows[o.ExternalReference] == 1
		lie := ""
		switch o.Outcome {
		case formats.Created, formats.Updated, formats.Unchanged:
			switch {
			case !there || list[0].id != o.CustomerID:
				lie = "there is no such customer"
			case o.Outcome == formats.Created && list[0].by == "" && o.Reason != "recovered":
				lie = "it was there before"
			}
		case formats.Rejected, formats.Duplicate:
			if ours {
				lie = "the row has created a customer"
			}
		case formats.NotAttempted: // of an update, if the customer was found
			if ours && o.CustomerID == "" {
				lie = "the row has created a customer"
			}
		case formats.Failed:
			if ours && list[0].patches == 0 {
				lie = "the row has created a customer"
			}
		}
		if lie != "" {
			w.fail("%s line %d, %s: outcome %s %s, but %s", f.name, o.Line, o.ExternalReference, o.Outcome, o.Reason, lie)
		}
	}
}

// finished checks that a file has ended: nothing is left to be tried, but for what a person must decide.
func (w *world) finished(f *simFile) {
	for _, o := range f.last.rows {
		waits := o.Reason == "newer_file_open" && slices.ContainsFunc(w.files, func(n *simFile) bool {
			return n.records.newerThan(f.records) && slices.ContainsFunc(n.last.rows, func(r formats.OutcomeRow) bool {
				return r.ExternalReference == o.ExternalReference && r.Reason == "balance_moved"
			})
		})
		if !o.Outcome.Final() && o.Reason != "balance_moved" && !waits {
			w.fail("%s line %d, %s: still %s %s: %s", f.name, o.Line, o.ExternalReference, o.Outcome, o.Reason, o.Detail)
		}
		if o.Reason == "balance_moved" && !w.moment.lowers && w.policy == Update {
			// Nothing moves balances here but ourselves.
			if h := w.moment.standing(o.ExternalReference)[0]; h.by != "" {
				w.fail("%s line %d, %s: %s, but nobody has moved a balance: %s", f.name, o.Line, o.ExternalReference, o.Outcome, o.Detail)
			}
		}
	}
}

// books checks that nobody stands twice, and that everybody stands as the newest file says.
func (w *world) books() {
	order := slices.Clone(w.files)
	slices.SortStableFunc(order, func(a, b *simFile) int {
		if a.records.newerThan(b.records) {
			return 1
		}
		return -1
	})
	for i := range 12 {
		reference := fmt.Sprint("R", i)
		list := w.moment.standing(reference)
		if len(list) > 1 {
			w.fail("%s stands %d times", reference, len(list))
		}
		for _, f := range slices.Backward(order) {
			i := slices.IndexFunc(f.last.rows, func(o formats.OutcomeRow) bool {
				return o.ExternalReference == reference && o.Outcome.Final() && o.CustomerID != "" && o.Outcome != formats.Rejected && o.Outcome != formats.Skipped
			})
			doubt := slices.ContainsFunc(f.last.rows, func(o formats.OutcomeRow) bool {
				return o.ExternalReference == reference && o.Outcome == formats.InDoubt
			})
			if doubt {
				break
			}
			if i < 0 {
				continue
			}
			c := f.says(w.t, reference)
			for _, r := range f.records.rows {
				if r.Result.ExternalReference == reference && r.Result.Outcome.Final() {
					c, _ = lowered(c, sumOff(r.TakenOff))
				}
			}
			left := changed(c, list[0].c)
			if w.moment.lowers {
				left.Balance, left.Currency = formats.Balance{}, ""
			}
			if !left.Equal(formats.Customer{}) {
				w.fail("%s stands as %+v, and %s says %+v", reference, list[0].c, f.name, c)
			}
			break
		}
	}
}
