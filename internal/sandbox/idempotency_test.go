package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func replayed(h heard) bool { return h.header.Get("Idempotent-Replayed") == "true" }

func TestStoredOutcomeIsReplayed(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	tests := []struct {
		name, key, body string
		status          int
	}{
		{"success", "k-success", full, 201},
		{"duplicate", "k-duplicate", full, 409},
		{"bad row", "k-bad", `{"external_reference":"a b"}`, 400},
	}
	for _, tc := range tests {
		first := c.want(c.createWith(tc.key, tc.body), tc.status)
		again := c.want(c.createWith(tc.key, tc.body), tc.status)
		if replayed(first) || !replayed(again) {
			t.Errorf("%s: replayed %v, then %v", tc.name, replayed(first), replayed(again))
		}
		if string(first.body) != string(again.body) || first.header.Get("Content-Type") != again.header.Get("Content-Type") {
			t.Errorf("%s: %s\nthen %s", tc.name, first.body, again.body)
		}
	}
	if n := len(s.Customers(Test)); n != 1 {
		t.Errorf("%d customers", n)
	}
	if got := s.Tally(); got.Replays != 3 || got.Creates != 6 || got.ByStatus[409] != 2 {
		t.Errorf("tally %+v", got)
	}
}

func TestStoredErrorNeverHeals(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	s.SetFaultFunc(func(*http.Request, int) Fault { return Fault{Kind: ErrorBefore, Status: 503} })
	c.want(c.createWith("k", full), 503)
	s.SetFaultFunc(nil)
	if h := c.want(c.createWith("k", full), 503); !replayed(h) || h.problemType(t) != "internal-error" {
		t.Errorf("second answer: %v %s", h.header, h.body)
	}
	c.want(c.createWith("k2", full), 201)
}

func TestKeyExpires(t *testing.T) {
	ticks := newClock()
	s := start(t, Options{Now: ticks.Now, UniqueOff: true})
	c := as(t, s)
	c.want(c.createWith("k", full), 201)
	ticks.Advance(24*time.Hour - 1)
	if h := c.want(c.createWith("k", full), 201); !replayed(h) {
		t.Error("forgotten too early")
	}
	ticks.Advance(1)
	if h := c.want(c.createWith("k", full), 201); replayed(h) {
		t.Error("remembered too long")
	}
	if got := s.Duplicates(Test); len(got) != 1 {
		t.Errorf("duplicates %v: a key older than a day must be a new one", got)
	}
	// The second life lasts a day too, and another body is still a violation.
	if h := c.createWith("k", full); !replayed(h) {
		t.Error("second life not stored")
	}
	ticks.Advance(24 * time.Hour)
	c.want(c.createWith("k", `{"external_reference":"other"}`), 201)
	if v := s.Violations(); len(v) != 1 || v[0].Kind != KeyReused || v[0].Key != "k" || !v[0].At.Equal(ticks.Now()) {
		t.Errorf("violations %+v", v)
	}
}

func TestOneKeyTwoBodies(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	c.want(c.createWith("k", full), 201)
	h := c.want(c.createWith("k", full+" "), http.StatusUnprocessableEntity)
	if h.problemType(t) != "idempotency-key-reused" || replayed(h) {
		t.Errorf("%v %s", h.header, h.body)
	}
	if h := c.want(c.createWith("k", full), 201); !replayed(h) {
		t.Error("the first outcome is gone")
	}
	if v := s.Violations(); len(v) != 1 || v[0].Kind != KeyReused {
		t.Errorf("violations %+v", v)
	}
}

func TestKeyForm(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	for _, tc := range []struct {
		name string
		keys []string
	}{
		{"none", nil},
		{"empty", []string{""}},
		{"underscore", []string{"a_b"}},
		{"quoted", []string{`"a"`}},
		{"colon", []string{"a:b"}},
		{"too long", []string{strings.Repeat("a", 256)}},
		{"two", []string{"a", "b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(s.Violations())
			var header []string
			for _, k := range tc.keys {
				header = append(header, "Idempotency-Key", k)
			}
			h := c.want(c.send("POST", "/billing/customers", full, header...), 400)
			if !strings.Contains(string(h.body), "Idempotency-Key") {
				t.Errorf("problem %s", h.body)
			}
			if v := s.Violations()[before:]; len(v) != 1 || v[0].Kind != KeyIllegal {
				t.Errorf("violations %+v", v)
			}
		})
	}
	c.want(c.createWith(strings.Repeat("a", 255), full), 201)
	c.want(c.patch("ACC-1", `{"name":"no key needed"}`), 200)
}

func TestKeyInFlight(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	s.SetFaultFunc(func(*http.Request, int) Fault { return Fault{Delay: patience} })
	answers := make(chan heard, 2)
	for range 2 {
		go func() { answers <- c.createWith("k", full) }()
	}
	// Whichever came first holds the key; the other is told so at once.
	h := c.want(<-answers, http.StatusConflict)
	if kind := h.problemType(t); kind != "idempotency-key-in-use" {
		t.Errorf("problem %q", kind)
	}
	c.want(c.createWith("k", full+" "), http.StatusUnprocessableEntity)
	if err := s.Close(); err != nil { // ends the delay
		t.Fatal(err)
	}
	if h := c.want(<-answers, 201); replayed(h) {
		t.Error("the first answer is a replay")
	}
	if len(s.Customers(Test)) != 1 {
		t.Errorf("books %v", s.Customers(Test))
	}
}
