package moment

import (
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pass lets starts through for a while, as fast as they may go, and returns when the last one was booked.
func pass(t *testing.T, p *Pacer, span time.Duration) (last time.Time) {
	t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); {
		var err error
		if last, err = p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

func about(got, want float64) bool { return math.Abs(got-want) < 0.01*want+0.001 }

// Refusals of what was under way when the pace dropped are of the same episode.
func TestOneDropAnEpisode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(50)
		pass(t, p, 5*time.Second)
		startedAt := time.Now()
		for range 20 {
			startedAt = pass(t, p, time.Millisecond)
		}
		sleep(100 * time.Millisecond)
		p.Refused(startedAt.Add(-200 * time.Millisecond))
		if got := p.Rate(); !about(got, 35) {
			t.Fatalf("%.2f/s after the first refusal", got)
		}
		for range 20 {
			p.Refused(startedAt)
			p.Accepted(startedAt) // says nothing of the pace as it is now
		}
		if got := p.Rate(); !about(got, 35) {
			t.Errorf("%.2f/s after refusals of what was under way", got)
		}
		// Accepted and refused again: a new episode, near the first, and so a small drop.
		last := pass(t, p, time.Second)
		p.Accepted(last)
		p.Refused(pass(t, p, 20*time.Millisecond))
		if got := p.Rate(); got > 35*(1-near)+0.5 || got < 35*trusted {
			t.Errorf("%.2f/s after the second", got)
		}
	})
}

// What was started in the second before the first refusal tells what a server with a window allows.
func TestDropToWhatWasAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(50)
		var last time.Time
		for range 36 { // the last one is refused
			last, _ = p.Wait(t.Context())
		}
		p.Refused(last)
		if got := p.Rate(); !about(got, 35*(1-near)) {
			t.Errorf("%.2f/s where 35 were allowed", got)
		}
	})
}

// After a refusal the pace climbs quickly to just below where it was refused, slowly past that, then quickly to the rate.
func TestClimb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(50)
		pass(t, p, 2*time.Second)
		p.Refused(pass(t, p, 20*time.Millisecond)) // allowed: 49, by those between
		at, allowed := p.Rate(), p.allowed
		reach := func(rate float64) time.Duration {
			begin := time.Now()
			for p.Rate() < rate-1e-9 {
				last := pass(t, p, time.Millisecond)
				p.Accepted(last)
				if time.Since(begin) > time.Hour {
					t.Fatalf("%.2f/s is never reached; it is %.2f/s", rate, p.Rate())
				}
			}
			return time.Since(begin)
		}
		if !about(at, 35) || !about(allowed, 49) {
			t.Fatalf("%.2f/s, allowed %.2f/s", at, allowed)
		}
		if took := reach(allowed * (1 - near)); took < 2*time.Second || took > 5*time.Second {
			t.Errorf("%s to what was nearly refused", took)
		}
		if took := reach(50); took < 20*time.Second || took > 40*time.Second {
			t.Errorf("%s from there to the rate", took)
		}
		if got := p.Rate(); got != 50 {
			t.Errorf("%.2f/s", got)
		}
	})
}

// A time in which nobody asks, or nobody may, is no time without a refusal.
func TestNoClimbWithoutStarts(t *testing.T) {
	for name, away := range map[string]func(p *Pacer){
		"idle":   func(*Pacer) { sleep(time.Hour) },
		"paused": func(p *Pacer) { p.Pause(time.Now().Add(time.Hour)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			p := NewPacer(50)
			p.Refused(pass(t, p, 3*time.Second))
			before := p.Rate()
			p.Accepted(pass(t, p, 20*time.Millisecond))
			away(p)
			pass(t, p, 20*time.Millisecond)
			if got := p.Rate(); got > before*(1+climbFast) {
				t.Errorf("%s: from %.2f/s to %.2f/s", name, before, got)
			}
			pass(t, p, 2*time.Second)
			if got := p.Rate(); got <= before {
				t.Errorf("%s: %.2f/s two seconds later", name, got)
			}
		})
	}
}

// A server that accepts nothing at all is asked once a second, and the pace is as it was once it accepts again.
func TestProbing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(50)
		p.Refused(pass(t, p, 3*time.Second))
		dropped := p.Rate()
		for range 10 {
			p.Refused(pass(t, p, time.Millisecond))
		}
		if got := p.Rate(); got != dropped {
			t.Errorf("%.2f/s, it was %.2f/s", got, dropped)
		}
		first := pass(t, p, time.Millisecond)
		if gap := pass(t, p, time.Millisecond).Sub(first); gap != time.Second {
			t.Errorf("%s between two probes", gap)
		}
		last := pass(t, p, time.Millisecond)
		next := make(chan time.Time)
		go func() {
			at, _ := p.Wait(t.Context())
			next <- at
		}()
		sleep(15 * time.Millisecond) // the answer takes a while, and somebody waits for it
		p.Accepted(last)
		if gap := (<-next).Sub(last); gap > 40*time.Millisecond {
			t.Errorf("%s after a probe was accepted", gap)
		}
	})
}

func TestFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, rate := range []float64{50, 1, 0.2} {
			p := NewPacer(rate)
			for range 100 {
				last := pass(t, p, time.Millisecond)
				p.Accepted(last)
				p.Refused(pass(t, p, time.Millisecond))
			}
			if got := p.Rate(); got != min(rate, floorRate) {
				t.Errorf("%.3f/s of %.1f/s", got, rate)
			}
		}
	})
}

func TestAdaptive(t *testing.T) {
	for _, at := range []struct {
		rate, first float64
		within      time.Duration // to reach the rate
	}{{50, 5, 40 * time.Second}, {500, 5, 70 * time.Second}, {3, 3, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			m := &model{latency: 20 * time.Millisecond}
			c := m.client(Options{Rate: at.rate, Concurrency: 32, Adaptive: true})
			if got := c.pacer.Rate(); got != at.first {
				t.Errorf("begins at %.2f/s", got)
			}
			rows(t.Context(), c, 32, at.within)
			if got := c.pacer.Rate(); got != at.rate {
				t.Errorf("%.2f/s of %.0f/s after %s", got, at.rate, at.within)
			}
			if most, over := m.busiest(int(at.rate)); over > 0 {
				t.Errorf("%d arrivals in a second", most)
			}
		})
	}
}

// Exploring finds what the server allows with few refusals, and stays there.
func TestAdaptiveFindsTheAllowance(t *testing.T) {
	for _, kind := range allowances {
		synctest.Test(t, func(t *testing.T) {
			m := &model{latency: 50 * time.Millisecond, gate: gate{limit: kind.of(40)}}
			c := m.client(Options{Rate: 400, Concurrency: 64, Adaptive: true})
			rows(t.Context(), c, 64, 30*time.Second)
			before, refusedBefore := m.count()
			rows(t.Context(), c, 64, time.Minute)
			accepted, refused := m.count()
			use, share := float64(accepted-before)/40/60, float64(refused)/float64(accepted+refused)
			t.Logf("%s: %.1f %% of what the server gives in the second minute, %.2f %% refused from the start (%d at first)", kind.name, 100*use, 100*share, refusedBefore)
			if use < 0.85 || share > 0.03 {
				t.Errorf("%s: %.1f %% used, %.2f %% refused", kind.name, 100*use, 100*share)
			}
		})
	}
}

var _ http.RoundTripper = (*model)(nil)
