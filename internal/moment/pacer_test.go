package moment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sleep waits in the bubble's time.
func sleep(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// crowd is many callers of one pacer, and what they were told.
type crowd struct {
	pacer *Pacer
	mu    sync.Mutex
	left  []time.Time // when the requests left, which may be a while after they were booked
}

func (c *crowd) start(ctx context.Context, delay time.Duration) bool {
	booked, err := c.pacer.Wait(ctx)
	if err != nil {
		return false
	}
	if delay > 0 {
		sleep(delay)
	}
	now := time.Now()
	c.pacer.Sent(booked, now)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = append(c.left, now)
	return true
}

// In any sliding second never more than the rate, and never a burst, whatever the callers do and the server answers.
func TestPaceIsNeverExceeded(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			rate := 1 + random.IntN(500)
			late := random.IntN(3) == 0 // connections take a while now and then
			c := &crowd{pacer: NewPacer(float64(rate))}
			if random.IntN(4) == 0 {
				c.pacer = NewAdaptivePacer(float64(rate))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var wg sync.WaitGroup
			for range 1 + random.IntN(20) {
				own := rand.New(rand.NewPCG(seed, random.Uint64()))
				wg.Go(func() { c.wander(ctx, own, late) })
			}
			wg.Wait()
			c.check(t, fmt.Sprintf("seed %d, rate %d", seed, rate), rate, late)
		})
	}
}

// wander is one caller: mostly in a hurry, at times away, and told this and that by the server.
func (c *crowd) wander(ctx context.Context, random *rand.Rand, late bool) {
	for ctx.Err() == nil {
		delay := time.Duration(0)
		if late && random.IntN(50) == 0 {
			delay = rand.N(300 * time.Millisecond)
		}
		startedAt := time.Now()
		c.start(ctx, delay)
		switch random.IntN(200) {
		case 0:
			sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
		case 1:
			c.pacer.Pause(time.Now().Add(time.Duration(random.IntN(3000)) * time.Millisecond))
		case 2:
			c.pacer.Refused(startedAt)
		default:
			sleep(time.Duration(random.IntN(5)) * time.Millisecond)
			c.pacer.Accepted(startedAt)
		}
	}
}

func (c *crowd) check(t *testing.T, what string, rate int, late bool) {
	t.Helper()
	slices.SortFunc(c.left, time.Time.Compare)
	for i := rate; i < len(c.left); i++ {
		if took := c.left[i].Sub(c.left[i-rate]); took < time.Second {
			t.Fatalf("%s: %d requests within %s", what, rate+1, took)
		}
	}
	if late {
		return // what left late left close to others
	}
	interval := time.Duration(float64(time.Second) / float64(rate))
	for _, k := range []int{1, 5, 20} {
		for i := k; i < len(c.left); i++ {
			if took := c.left[i].Sub(c.left[i-k]); took < time.Duration(k)*interval-lateness {
				t.Fatalf("%s: %d requests within %s, %s apart would be right", what, k+1, took, interval)
			}
		}
	}
}

// A saturated pace comes within one per cent of its rate.
func TestPaceIsReached(t *testing.T) {
	for _, rate := range []float64{1, 2, 5, 20, 50, 100, 333, 500, 20_000} {
		synctest.Test(t, func(t *testing.T) {
			c := &crowd{pacer: NewPacer(rate)}
			ctx, cancel := context.WithTimeout(t.Context(), max(20*time.Second, time.Duration(200/rate)*time.Second)/time.Duration(max(1, rate/500)))
			defer cancel()
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					for c.start(ctx, 0) {
					}
				})
			}
			wg.Wait()
			mean := float64(len(c.left)-1) / c.left[len(c.left)-1].Sub(c.left[0]).Seconds()
			if mean < 0.99*rate || mean > rate {
				t.Errorf("%.2f/s at a rate of %.2f", mean, rate)
			}
		})
	}
}

// A start that is a little late, as timers are, does not cost pace.
func TestLatenessIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 50
		p, random := NewPacer(rate), rand.New(rand.NewPCG(1, 1))
		begin, n := time.Now(), 0
		for ; time.Since(begin) < time.Minute; n++ {
			if _, err := p.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			sleep(18*time.Millisecond + time.Duration(random.IntN(3_500))*time.Microsecond)
		}
		if mean := float64(n) / time.Since(begin).Seconds(); mean < 0.99*rate {
			t.Errorf("%.2f/s", mean)
		}
	})
}

func TestNoBurstAfterIdleness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{pacer: NewPacer(10)}
		for _, idle := range []time.Duration{0, time.Hour, 150 * time.Millisecond, 105 * time.Millisecond, 30 * time.Second} {
			sleep(idle)
			for range 3 {
				c.start(t.Context(), 0)
			}
		}
		c.check(t, "idle", 10, false)
	})
}

// Who waits already obeys a pause that comes then, and a shorter one does not cut it short.
func TestPauseHoldsThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{pacer: NewPacer(1)}
		begin := time.Now()
		c.start(t.Context(), 0)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { c.start(t.Context(), 0) })
		}
		sleep(900 * time.Millisecond)
		c.pacer.Pause(time.Now().Add(10 * time.Second))
		c.pacer.Pause(time.Now().Add(5 * time.Second))
		if ready := c.pacer.Ready().Sub(begin); ready != 10900*time.Millisecond {
			t.Errorf("ready after %s", ready)
		}
		wg.Wait()
		for i, want := range []time.Duration{0, 10900 * time.Millisecond, 11908 * time.Millisecond, 12916 * time.Millisecond} {
			if got := c.left[i].Sub(begin); got != want {
				t.Errorf("start %d after %s, want %s", i, got, want)
			}
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(1)
		p.Pause(time.Now().Add(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		var wg sync.WaitGroup
		for range 3 { // one that waits for its start, and two behind it
			wg.Go(func() {
				if _, err := p.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took != time.Second {
			t.Errorf("after %s", took)
		}
		// Nothing was booked for them.
		p.Pause(time.Now())
		sleep(time.Hour)
		if _, err := p.Wait(ctx); err == nil {
			t.Error("a start after the end")
		}
		begin = time.Now()
		if at, err := p.Wait(t.Context()); err != nil || !at.Equal(begin) {
			t.Errorf("%s, %v", at, err)
		}
	})
}
