package importer

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/internal/ledger"
	"tallyman/internal/moment"
	"tallyman/internal/sandbox"
)

// startSandbox runs a stand-in for Moment until the test ends.
func startSandbox(t testing.TB, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// clientOf returns a client that is closed when the test ends.
func clientOf(t testing.TB, s *sandbox.Sandbox, concurrency int) *moment.Client {
	c := moment.New(moment.Options{
		BaseURL: s.APIURL(), Key: s.SecretKey(sandbox.Test), Rate: 1e6, Concurrency: concurrency, Timeout: 5 * time.Second, GiveUpAfter: time.Minute,
	})
	t.Cleanup(c.Close)
	return c
}

// TestOverSockets is the whole of it: file, ledger, client and sockets, while Moment fails in every way the sandbox knows, its
// own guard against doubled references off.
func TestOverSockets(t *testing.T) {
	for _, test := range []struct {
		name   string
		faults sandbox.Faults
		o      sandbox.Options
	}{
		{"silence", sandbox.Faults{DropBefore: 0.1, DropAfter: 0.1}, sandbox.Options{}},
		{"stored failures", sandbox.Faults{ErrorBefore: 0.1, ErrorAfter: 0.1}, sandbox.Options{}},
		{"gateway failures", sandbox.Faults{ErrorBefore: 0.05, ErrorAfter: 0.05, Unstored: true, DropAfter: 0.05}, sandbox.Options{}},
		{"refusals", sandbox.Faults{TooMany: 0.02, DropAfter: 0.02}, sandbox.Options{NoRetryAfter: true, StoreTooMany: true}},
		{"stale reads", sandbox.Faults{ErrorBefore: 0.05, ErrorAfter: 0.1, DropAfter: 0.05}, sandbox.Options{StaleReads: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.o.UniqueOff, test.o.Faults, test.o.Seed = true, test.faults, 7
			s := startSandbox(t, test.o)
			l := openLedger(t, t.TempDir())
			c := clientOf(t, s, 8)
			content := manyRows(300)
			o := optionsFor(t)
			o.Concurrency = 8
			records := begin(t, l, "2026-11-22", "a")
			first := run(t.Context(), t, overHTTP{c}, o, fileOf(content, records))
			if err := s.SetFaults(sandbox.Faults{}); err != nil {
				t.Fatal(err)
			}
			r := first
			for runs := 0; runs < 3 && r.account.Unfinished() > 0; runs++ {
				r = run(t.Context(), t, overHTTP{c}, o, fileOf(content, records))
			}
			checkBooks(t, s, r, 300)
			writes := len(s.Writes())
			again := run(t.Context(), t, overHTTP{c}, o, fileOf(content, records))
			if len(s.Writes()) != writes || !bytes.Equal(again.outcomes, r.outcomes) {
				t.Errorf("the same file again: %d writes", len(s.Writes())-writes)
			}
			if v := s.Violations(); len(v) > 0 {
				t.Error(v)
			}
		})
	}
}

// checkBooks holds an outcome against the sandbox's books: customers C-1 to C-n stand once each, with their balances.
func checkBooks(t *testing.T, s *sandbox.Sandbox, r told, n int) {
	t.Helper()
	if d := s.Duplicates(sandbox.Test); len(d) > 0 {
		t.Errorf("twice: %v", d)
	}
	if got := len(s.Customers(sandbox.Test)); got != n {
		t.Errorf("%d customers, want %d", got, n)
	}
	for i, o := range r.rows {
		c, ok := s.Customer(sandbox.Test, o.ExternalReference)
		if !ok || o.Outcome != formats.Created || c.ID != o.CustomerID || *c.Balance != int64(i+100) {
			t.Errorf("line %d: %+v, and there is %+v", o.Line, o, c)
		}
	}
}

// TestSecondDayOverSockets: creates, updates, what is unchanged and what is wrong, over two days.
func TestSecondDayOverSockets(t *testing.T) {
	s := startSandbox(t, sandbox.Options{})
	l := openLedger(t, t.TempDir())
	c := clientOf(t, s, 8)
	o := optionsFor(t)
	run(t.Context(), t, overHTTP{c}, o, fileOf(fileText("A,Ada,,100,home,", "B,Bea,,100,,", "C,Cy,,100,,"), begin(t, l, "2026-11-21", "a")))
	r := run(t.Context(), t, overHTTP{c}, o, fileOf(fileText("A,,,200,farm,", "B,Bea,,100,,", "D,Di,,-5,,", "E,Ed,bad,1,,"), begin(t, l, "2026-11-22", "b")))
	want := "updated unchanged created rejected"
	var got []string
	for _, row := range r.rows {
		got = append(got, string(row.Outcome))
	}
	if strings.Join(got, " ") != want {
		t.Errorf("%s", r.outcomes)
	}
	a, _ := s.Customer(sandbox.Test, "A")
	if *a.Balance != 200 || a.Name != "Ada" || a.Metadata["tariff"] != "farm" {
		t.Errorf("%+v", a)
	}
	var asserted []string
	err := l.Assertions(t.Context(), "2026-11-22", func(a ledger.Assertion) error {
		asserted = append(asserted, fmt.Sprint(a.BusinessDate[8:], a.ExternalReference, a.Balance))
		return nil
	})
	if want := "[21A100 21B100 21C100 22A200 22B100 22D-5]"; err != nil || len(asserted) != 6 {
		t.Errorf("asserted %v, want %s: %v", asserted, want, err)
	}
}

// TestRevokedKeyOverSockets: the first refusal stops everything, and nobody has failed for it.
func TestRevokedKeyOverSockets(t *testing.T) {
	for _, status := range []int{401, 400} {
		s := startSandbox(t, sandbox.Options{InvalidKeyStatus: status})
		l := openLedger(t, t.TempDir())
		wrong := moment.New(moment.Options{BaseURL: s.APIURL(), Key: "sk_test_wrong", Rate: 1e6, Concurrency: 4, Timeout: 5 * time.Second, GiveUpAfter: time.Minute})
		t.Cleanup(wrong.Close)
		records := begin(t, l, "2026-11-22", "a")
		r := run(t.Context(), t, overHTTP{wrong}, optionsFor(t), fileOf(manyRows(100), records))
		if reason(r.err) != "credentials_refused" || r.account.Counts[formats.NotAttempted] != 100 {
			t.Errorf("%d: %v %v", status, r.err, r.account.Counts)
		}
		if strings.Contains(r.err.Error()+string(r.outcomes), "sk_test") {
			t.Error("the key is shown")
		}
		r = run(t.Context(), t, overHTTP{clientOf(t, s, 4)}, optionsFor(t), fileOf(manyRows(100), records))
		checkBooks(t, s, r, 100)
	}
}

// TestInterruptedOverSockets: told to stop, the import ends what is under way, records it, and sends nothing new, not even
// what waits for the pace.
func TestInterruptedOverSockets(t *testing.T) {
	s := startSandbox(t, sandbox.Options{Faults: sandbox.Faults{Latency: 20 * time.Millisecond}})
	l := openLedger(t, t.TempDir())
	c := clientOf(t, s, 8)
	o := optionsFor(t)
	o.Concurrency = 8
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	created := make(chan struct{}, 300)
	o.Progress = func(formats.Outcome) { created <- struct{}{} }
	go func() {
		for range 20 {
			<-created
		}
		stop()
	}()
	records := begin(t, l, "2026-11-22", "a")
	r := run(ctx, t, overHTTP{c}, o, fileOf(manyRows(300), records))
	done := r.account.Counts[formats.Created]
	if reason(r.err) != "interrupted" || done != len(s.Customers(sandbox.Test)) || done+r.account.Counts[formats.NotAttempted] != 300 {
		t.Errorf("%v %v, %d customers", r.err, r.account.Counts, len(s.Customers(sandbox.Test)))
	}
	o.Progress = nil
	checkBooks(t, s, run(t.Context(), t, overHTTP{c}, o, fileOf(manyRows(300), records)), 300)
}
