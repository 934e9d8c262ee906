package moment

import (
	"context"
	"sync"
	"time"
)

// The pace keeps a little below the rate, so that what the network and the scheduler push together does not become one
// request too many in some second at the server: starts are spread evenly over spread seconds per rate requests, and no
// rate+1 of them lie within window.
const (
	spread = 1.008
	window = 1005 * time.Millisecond
)

// The pace after a refusal: it drops by a factor and climbs back quickly to just below where it was refused, slowly from
// there on.
const (
	dropFar   = 0.7
	dropNear  = 0.85
	nearShare = 0.9   // of the refused rate: from here on the climb is slow
	climbFast = 0.1   // of the configured rate, a clean second
	climbSlow = 0.003 // of the configured rate, a clean second
	floorRate = 0.5   // requests a second
	maxRing   = 10_000
)

// Pacer lets requests start at no more than a rate, evenly, without a burst at the start or after a pause. All workers
// share one. A refusal slows everybody down; see Refused.
type Pacer struct {
	turn chan struct{} // held by the one goroutine that waits for its start

	mu          sync.Mutex
	limit       float64 // configured requests a second
	rate        float64 // current, 0 < rate <= limit
	refusedRate float64 // rate at the last refusal; limit if there was none
	droppedAt   time.Time
	climbedAt   time.Time
	next        time.Time
	pausedUntil time.Time
	starts      []time.Time // ring of the last starts, as many as may lie within a window
	oldest      int
	changed     chan struct{} // closed when a pause is added
}

// NewPacer returns a pacer for a rate in requests a second, which must be positive. Of a rate that is no whole number the
// whole part is what no second exceeds.
func NewPacer(rate float64) *Pacer {
	p := &Pacer{turn: make(chan struct{}, 1), limit: rate, rate: rate, refusedRate: rate, changed: make(chan struct{})}
	if rate >= 1 && rate <= maxRing {
		p.starts = make([]time.Time, int(rate))
	}
	return p
}

// Wait returns when a request may start, or with the context's error.
func (p *Pacer) Wait(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		wait, changed := p.take(time.Now())
		if wait <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// take books a start now and returns 0, or says how long to wait before asking again.
func (p *Pacer) take(now time.Time) (time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.climb(now)
	at := p.next
	if p.pausedUntil.After(at) {
		at = p.pausedUntil
	}
	if len(p.starts) > 0 && !p.starts[p.oldest].IsZero() {
		if free := p.starts[p.oldest].Add(window); free.After(at) {
			at = free
		}
	}
	if at.After(now) {
		return at.Sub(now), p.changed
	}
	interval := time.Duration(spread / p.rate * float64(time.Second))
	if p.next = at.Add(interval); p.next.Before(now) {
		p.next = now.Add(interval) // after a pause or a slow caller nothing is caught up
	}
	if len(p.starts) > 0 {
		p.starts[p.oldest] = now
		p.oldest = (p.oldest + 1) % len(p.starts)
	}
	return 0, nil
}

// Pause lets nobody start before a time.
func (p *Pacer) Pause(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.climbedAt) {
		p.climbedAt = until // a pause is no time without a refusal
	}
	if until.After(p.pausedUntil) {
		p.pausedUntil = until
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// Refused slows the pace down after a refusal of a request that was started at a time. Refusals of requests that were
// under way when the pace dropped already say nothing new.
func (p *Pacer) Refused(startedAt time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if startedAt.Before(p.droppedAt) {
		return
	}
	factor := dropFar
	if p.rate <= p.refusedRate/nearShare && p.refusedRate < p.limit {
		factor = dropNear
	}
	p.refusedRate = p.rate
	p.rate = min(p.limit, max(floorRate, p.rate*factor))
	p.droppedAt = time.Now()
	p.climbedAt = p.droppedAt
	if p.pausedUntil.After(p.climbedAt) {
		p.climbedAt = p.pausedUntil
	}
}

// climb raises the pace by a step for each second without a refusal.
func (p *Pacer) climb(now time.Time) {
	for p.rate < p.limit && now.Sub(p.climbedAt) >= time.Second {
		p.climbedAt = p.climbedAt.Add(time.Second)
		if near := p.refusedRate * nearShare; p.rate < near {
			p.rate = min(near, p.rate+p.limit*climbFast)
			continue
		}
		p.rate = min(p.limit, p.rate+p.limit*climbSlow)
	}
}

// Rate returns the current pace in requests a second.
func (p *Pacer) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate
}
