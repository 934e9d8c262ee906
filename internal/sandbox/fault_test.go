package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// once makes f happen to the next request alone.
func once(s *Sandbox, f Fault) {
	seen := s.Tally()
	next := seen.Creates + seen.Patches + seen.Gets + seen.Others + 1
	s.SetFaultFunc(func(_ *http.Request, n int) Fault {
		if n == next {
			return f
		}
		return Fault{}
	})
}

func TestFaultsOfCreate(t *testing.T) {
	tests := []struct {
		name      string
		fault     Fault
		status    int  // heard; 0: no answer
		committed bool // the customer exists afterwards
		second    int  // the answer to the same key and body
		replay    bool
	}{
		{"none", Fault{}, 201, true, 201, true},
		{"429", Fault{Kind: TooMany}, 429, false, 201, false},
		{"error before", Fault{Kind: ErrorBefore}, 500, false, 500, true},
		{"gateway before", Fault{Kind: ErrorBefore, Unstored: true}, 502, false, 201, false},
		{"error after", Fault{Kind: ErrorAfter, Status: 503}, 503, true, 503, true},
		{"gateway after", Fault{Kind: ErrorAfter, Unstored: true, Status: 504}, 504, true, 201, true},
		{"drop before", Fault{Kind: DropBefore}, 0, false, 201, false},
		{"drop after", Fault{Kind: DropAfter}, 0, true, 201, true},
		{"slow", Fault{Kind: Slow, Drip: time.Millisecond}, 201, true, 201, true},
		{"garbled", Fault{Kind: Garbled}, 201, true, 201, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, Options{})
			c := as(t, s)
			once(s, tc.fault)
			first := c.createWith("k", full)
			if first.status != tc.status || (first.err != nil) != (tc.status == 0) {
				t.Fatalf("got %d %v", first.status, first.err)
			}
			if _, there := s.Customer(Test, "ACC-1"); there != tc.committed {
				t.Errorf("committed %v, want %v", there, tc.committed)
			}
			second := c.want(c.createWith("k", full), tc.second)
			if replayed(second) != tc.replay {
				t.Errorf("second answer replayed: %v, want %v", replayed(second), tc.replay)
			}
			if got := s.Requests()[0].Fault; got != tc.fault.Kind {
				t.Errorf("logged fault %q", got)
			}
			if second.status == 201 && second.customer(t).ExternalReference != "ACC-1" {
				t.Errorf("second answer %s", second.body)
			}
			if n := len(s.Customers(Test)); n > 1 {
				t.Errorf("%d customers", n)
			}
		})
	}
}

func TestFaultsOfPatchAndGet(t *testing.T) {
	for _, tc := range []struct {
		fault     Fault
		status    int
		committed bool
	}{
		{Fault{Kind: TooMany, RetryAfter: 7}, 429, false},
		{Fault{Kind: ErrorBefore}, 500, false},
		{Fault{Kind: ErrorAfter}, 500, true},
		{Fault{Kind: DropBefore}, 0, false},
		{Fault{Kind: DropAfter}, 0, true},
	} {
		t.Run(string(tc.fault.Kind), func(t *testing.T) {
			s := start(t, Options{})
			c := as(t, s)
			c.want(c.create(full), 201)
			once(s, tc.fault)
			h := c.patch("ACC-1", `{"name":"changed"}`)
			if h.status != tc.status || (h.err != nil) != (tc.status == 0) {
				t.Fatalf("got %d %v", h.status, h.err)
			}
			if h.status == 429 && h.header.Get("Retry-After") != "7" {
				t.Errorf("header %v", h.header)
			}
			if got, _ := s.Customer(Test, "ACC-1"); (got.Name == "changed") != tc.committed {
				t.Errorf("name %q", got.Name)
			}
			once(s, tc.fault)
			if h := c.get("ACC-1"); h.status != tc.status {
				t.Errorf("get: %d %v", h.status, h.err)
			}
		})
	}
}

// Clients tell the two apart badly, and must treat both as silence.
func TestDropsComeAsEndAndAsReset(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	once(s, Fault{Kind: DropBefore})
	if h := c.get("x"); !errors.Is(h.err, io.EOF) {
		t.Errorf("drop before: %v", h.err)
	}
	once(s, Fault{Kind: DropAfter})
	if h := c.get("x"); !errors.Is(h.err, syscall.ECONNRESET) {
		t.Errorf("drop after: %v", h.err)
	}
}

func TestFaultsOfReplay(t *testing.T) {
	for _, tc := range []struct {
		fault  Fault
		status int
		replay bool
	}{
		{Fault{Kind: TooMany}, 429, false},
		{Fault{Kind: ErrorBefore}, 201, true}, // the stored outcome is what the API says
		{Fault{Kind: ErrorAfter, Unstored: true}, 502, false},
		{Fault{Kind: DropAfter}, 0, false},
	} {
		s := start(t, Options{})
		c := as(t, s)
		c.want(c.createWith("k", full), 201)
		once(s, tc.fault)
		h := c.createWith("k", full)
		if h.status != tc.status || replayed(h) != tc.replay {
			t.Errorf("%s: %d, replayed %v", tc.fault.Kind, h.status, replayed(h))
		}
		if h := c.createWith("k", full); h.status != 201 || !replayed(h) {
			t.Errorf("%s: the stored outcome is lost: %d", tc.fault.Kind, h.status)
		}
	}
}

func TestUnusableBodies(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	once(s, Fault{Kind: Garbled})
	if h := c.want(c.createWith("k", full), 201); json.Valid(h.body) {
		t.Errorf("garbled answer is JSON: %s", h.body)
	}
	once(s, Fault{Kind: ErrorBefore, Unstored: true})
	h := c.want(c.create(full), 502)
	if json.Valid(h.body) || !strings.HasPrefix(h.header.Get("Content-Type"), "text/html") {
		t.Errorf("a gateway speaks JSON: %v %s", h.header, h.body)
	}
	once(s, Fault{Kind: Slow, Drip: time.Millisecond})
	if h := c.want(c.get("ACC-1"), 200); h.customer(t).Name != "Nomsa Dlamini" {
		t.Errorf("slow answer is incomplete: %s", h.body)
	}
}

func TestFaultFuncSeesTheRequest(t *testing.T) {
	s := start(t, Options{FaultFunc: func(r *http.Request, _ int) Fault {
		body, err := io.ReadAll(r.Body)
		if err == nil && strings.Contains(string(body), "ACC-1") {
			return Fault{Kind: ErrorBefore}
		}
		return Fault{}
	}, Faults: Faults{TooMany: 1}})
	c := as(t, s)
	c.want(c.create(full), 500)
	c.want(c.create(`{"external_reference":"ACC-2"}`), 201)
	s.SetFaultFunc(nil) // back to what is drawn
	c.want(c.create(full), 429)
	if err := s.SetFaults(Faults{}); err != nil {
		t.Fatal(err)
	}
	c.want(c.create(full), 201)
}

func TestDrawnFaults(t *testing.T) {
	run := func(seed uint64) (statuses []int, faults map[FaultKind]int) {
		s := start(t, Options{Seed: seed, Faults: Faults{
			TooMany: 0.15, ErrorBefore: 0.15, ErrorAfter: 0.15, DropBefore: 0.15, DropAfter: 0.15, Slow: 0.1,
			Drip: time.Microsecond, Latency: time.Microsecond, Jitter: time.Microsecond,
		}})
		c := as(t, s)
		faults = map[FaultKind]int{}
		for range 200 {
			statuses = append(statuses, c.get("nobody").status)
		}
		for _, r := range s.Requests() {
			faults[r.Fault]++
		}
		return statuses, faults
	}
	statuses, faults := run(7)
	for _, kind := range []FaultKind{NoFault, TooMany, ErrorBefore, ErrorAfter, DropBefore, DropAfter, Slow} {
		if n := faults[kind]; n < 5 || n > 60 {
			t.Errorf("%q came %d times in 200", kind, n)
		}
	}
	if again, _ := run(7); !cmp.Equal(statuses, again) {
		t.Error("same seed, other faults")
	}
	if other, _ := run(8); cmp.Equal(statuses, other) {
		t.Error("other seed, same faults")
	}
}

func TestLatencyPasses(t *testing.T) {
	s := start(t, Options{Faults: Faults{Latency: 30 * time.Millisecond}})
	c := as(t, s)
	begin := time.Now()
	c.want(c.get("nobody"), 404)
	if took := time.Since(begin); took < 30*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestFaultsCheck(t *testing.T) {
	for name, f := range map[string]Faults{
		"negative":  {TooMany: -0.1},
		"above one": {Slow: 1.1},
		"together":  {TooMany: 0.6, ErrorAfter: 0.6},
		"time":      {Latency: -1},
		"status":    {Status: 404},
	} {
		if f.Check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := (Faults{TooMany: 0.7, Slow: 0.2, DropAfter: 0.1, Status: 503}).Check(); err != nil {
		t.Error(err)
	}
	s := start(t, Options{})
	if s.SetFaults(Faults{TooMany: 2}) == nil || s.Faults() != (Faults{}) {
		t.Error("bad faults were set")
	}
}
