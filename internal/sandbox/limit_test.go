package sandbox

import (
	"net/http"
	"testing"
	"time"
)

// pass counts how many of n requests are let through.
func pass(t *testing.T, c *caller, n int) (passed int, last heard) {
	t.Helper()
	for range n {
		switch last = c.get("nobody"); last.status {
		case http.StatusNotFound:
			passed++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("got %d %v", last.status, last.err)
		}
	}
	return passed, last
}

func TestTokenBucket(t *testing.T) {
	ticks := newClock()
	c := as(t, start(t, Options{Rate: 10, Burst: 3, Now: ticks.Now}))
	n, last := pass(t, c, 5)
	if n != 3 {
		t.Errorf("%d of the burst", n)
	}
	if kind := last.problemType(t); kind != "too-many-requests" || last.header.Get("Retry-After") != "1" {
		t.Errorf("%q %v", kind, last.header)
	}
	ticks.Advance(100 * time.Millisecond)
	if n, _ := pass(t, c, 5); n != 1 {
		t.Errorf("%d after a tenth of a second at 10/s", n)
	}
	ticks.Advance(time.Hour)
	if n, _ := pass(t, c, 5); n != 3 {
		t.Errorf("%d after an hour", n)
	}
}

func TestFixedWindow(t *testing.T) {
	ticks := newClock()
	c := as(t, start(t, Options{Rate: 3, FixedWindow: true, NoRetryAfter: true, Now: ticks.Now}))
	ticks.Advance(900 * time.Millisecond)
	n, last := pass(t, c, 5)
	if n != 3 || last.header.Get("Retry-After") != "" {
		t.Errorf("%d in the window, %v", n, last.header)
	}
	ticks.Advance(100 * time.Millisecond)
	if n, _ := pass(t, c, 5); n != 3 {
		t.Errorf("%d at the turn of the second", n)
	}
}

func TestTooManyUnderTheKey(t *testing.T) {
	for _, store := range []bool{false, true} {
		ticks := newClock()
		s := start(t, Options{Rate: 1, Now: ticks.Now, StoreTooMany: store})
		c := as(t, s)
		c.want(c.get("nobody"), 404)
		c.want(c.createWith("k", full), 429)
		ticks.Advance(time.Second)
		h := c.createWith("k", full)
		if store {
			c.want(h, 429)
		} else {
			c.want(h, 201)
		}
		if replayed(h) != store {
			t.Errorf("stored %v: %v", store, h.header)
		}
		if store && h.header.Get("Retry-After") != "1" {
			t.Errorf("the replay lost Retry-After: %v", h.header)
		}
	}
}
