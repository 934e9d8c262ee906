package moment

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// nothing is an allowance of no request at all, from the start or for a while.
type nothing struct{ from, until time.Time }

func (n *nothing) allow(now time.Time) bool {
	return now.Before(n.from) || !n.until.IsZero() && !now.Before(n.until)
}

// untilGiveUp sends until the client says that it gives up.
func untilGiveUp(t *testing.T, c *Client) (after time.Duration, why string) {
	t.Helper()
	begin := time.Now()
	for time.Since(begin) < 24*time.Hour {
		if a := c.Create(t.Context(), "key", []byte(`{}`)); a.GiveUp != nil {
			return time.Since(begin), a.GiveUp.Error()
		}
	}
	t.Fatal("it never gives up")
	return 0, ""
}

// While nothing but refusals come, the client gives up when its time is over, and not a long pause later.
func TestGiveUp(t *testing.T) {
	const allowed = 15 * time.Minute
	for _, at := range []struct {
		name, retryAfter string
		status           int
		from, to         time.Duration
		says             string
	}{
		{"429", "", 429, allowed, allowed + time.Second, "nothing but refusals or silence from the API for 15m0s (api.give_up_after), at last status 429: "},
		{"503", "", 503, allowed, allowed + time.Second, "nothing but refusals"},
		{"500", "", 500, allowed, allowed + time.Second, "nothing but refusals"},
		{"Retry-After fits", "60", 429, allowed - time.Minute, allowed + time.Second, "asks to come back in 1m0s, not before 2000-01-01T00:1"},
		{"Retry-After just fits", "899", 429, 899 * time.Second, allowed, "asks to come back in 14m59s"},
		{"Retry-After does not fit", "901", 503, 0, time.Second, "asks to come back in 15m1s, not before 2000-01-01T00:15:01Z, which is beyond api.give_up_after (15m0s)"},
		{"Retry-After as a date", "Sat, 01 Jan 2000 06:00:00 GMT", 429, 0, time.Second, "not before 2000-01-01T06:00:00Z"},
		{"Retry-After for ever", "99999999999999999999", 429, 0, time.Second, "asks to come back in"},
	} {
		synctest.Test(t, func(t *testing.T) { // begins at midnight UTC on 2000-01-01
			m := &model{latency: 20 * time.Millisecond, retryAfter: at.retryAfter, status: at.status, gate: gate{limit: &nothing{}}}
			c := m.client(Options{Rate: 50, Concurrency: 1, GiveUpAfter: allowed})
			after, why := untilGiveUp(t, c)
			if after < at.from || after > at.to || !strings.Contains(why, at.says) || !strings.Contains(why, "run the same command again") {
				t.Errorf("%s: after %s: %s", at.name, after, why)
			}
			if at.status != 500 && len(m.arrivals) > 200 {
				t.Errorf("%s: %d requests while everything was refused", at.name, len(m.arrivals))
			}
		})
	}
}

// The time begins with the first refusal, and anew after each sign that work gets done. That a look-up finds nobody is
// none: look-ups follow refused creates.
func TestWhatEndsRefusals(t *testing.T) {
	for _, at := range []struct {
		name string
		try  func(ctx context.Context, c *Client, m *model)
		ends bool
	}{
		{"created", func(ctx context.Context, c *Client, _ *model) { c.Create(ctx, "key", []byte(`{}`)) }, true},
		{"not found", func(ctx context.Context, c *Client, _ *model) { c.Retrieve(ctx, "R1") }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &model{gate: gate{limit: &nothing{}}}
			c := m.client(Options{Rate: 50, Concurrency: 1, GiveUpAfter: time.Minute})
			c.Create(t.Context(), "key", []byte(`{}`))
			sleep(50 * time.Second)
			m.limit = nil
			at.try(t.Context(), c, m)
			m.limit = &nothing{}
			sleep(11 * time.Second)
			if a := c.Create(t.Context(), "key", []byte(`{}`)); (a.GiveUp == nil) != at.ends {
				t.Errorf("%s: %v", at.name, a.GiveUp)
			}
		})
	}
}

// An hour of look-ups that find nobody is nothing to give up for.
func TestNotFoundIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&model{latency: time.Second}).client(Options{Rate: 50, Concurrency: 1, GiveUpAfter: time.Minute})
		for range 3600 {
			if a := c.Retrieve(t.Context(), "R1"); a.Class != NotFound || a.GiveUp != nil {
				t.Fatalf("%+v", a)
			}
		}
	})
}

// A stored refusal that is repeated tells of the past: nobody slows down for it, and nobody gives up.
func TestReplayedRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{gate: gate{limit: &nothing{}}, retryAfter: "3600"}
		c := m.client(Options{Rate: 50, Concurrency: 1})
		c.transport = replayed{m}
		begin := time.Now()
		for range 100 {
			if a := c.Create(t.Context(), "key", []byte(`{}`)); a.Class != Throttled || !a.Replayed || a.GiveUp != nil {
				t.Fatalf("%+v", a)
			}
		}
		if took := time.Since(begin); took > 3*time.Second || c.Stats().Throttled != 0 {
			t.Errorf("%s, %+v", took, c.Stats())
		}
	})
}

type replayed struct{ *model }

func (r replayed) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.model.RoundTrip(req)
	if err == nil {
		resp.Header.Set("Idempotent-Replayed", "true")
	}
	return resp, err
}

// What we cancel ourselves says nothing of the API.
func TestOwnCancelIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{latency: time.Hour}
		c := m.client(Options{Rate: 50, Concurrency: 1, GiveUpAfter: time.Second, Timeout: 2 * time.Hour, Grace: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		a := c.Create(ctx, "key", []byte(`{}`))
		if a.Class != Silence && a.Class != NotSent || !errors.Is(a.Err, context.Canceled) || a.GiveUp != nil {
			t.Errorf("%+v", a)
		}
	})
}

// An outage of a minute: everything is refused, nobody hammers, and the pace is back soon after.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := &model{latency: 50 * time.Millisecond, status: 503, gate: gate{limit: &nothing{begin.Add(10 * time.Second), begin.Add(70 * time.Second)}}}
		c := m.client(Options{Rate: 50, Concurrency: 16})
		rows(t.Context(), c, 16, 4*time.Minute)
		accepted, refused := m.count()
		if refused > 60 {
			t.Errorf("%d requests were refused in a minute", refused)
		}
		// 180 s remained; a backoff of up to a minute may have been under way.
		if least := 50 * (10 + 110) * 85 / 100; accepted < least {
			t.Errorf("%d accepted, want %d", accepted, least)
		}
		if got := c.pacer.Rate(); got < 45 {
			t.Errorf("%.1f/s at the end", got)
		}
	})
}
