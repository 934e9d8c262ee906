package moment

import (
	"context"
	"sync"
	"time"
)

// The pace keeps a little below the rate, so that what the network and the scheduler push together does not become one
// request too many in some second at the server: starts are spread evenly over spread seconds per rate requests, and no
// rate+1 of them are sent within window.
const (
	spread  = 1.008
	window  = 1005 * time.Millisecond
	maxRing = 10_000
)

// lateness is by how much a start may be late and still be made up for. Timers are late by less; after more than that
// nobody has asked for a while, or the pace was paused, and nothing is caught up.
const lateness = 10 * time.Millisecond

// Pacer lets requests start at no more than a rate, evenly, without a burst at the start or after a pause. All workers
// share one. Refusals slow everybody down; see Refused.
type Pacer struct {
	turn chan struct{} // held by the one goroutine that waits for its start

	mu          sync.Mutex
	limit       float64 // configured requests a second
	rate        float64 // current, 0 < rate <= limit
	next        time.Time
	pausedUntil time.Time
	starts      []time.Time // ring of the last starts, as many as may lie within a window, in order
	oldest      int
	changed     chan struct{} // closed when the next start has come nearer
	feedback
}

// NewPacer returns a pacer for a rate in requests a second, which must be positive. Of a rate that is no whole number the
// whole part is what no second exceeds.
func NewPacer(rate float64) *Pacer {
	p := &Pacer{turn: make(chan struct{}, 1), limit: rate, rate: rate, changed: make(chan struct{})}
	if rate >= 1 && rate <= maxRing {
		p.starts = make([]time.Time, int(rate))
	}
	return p
}

// NewAdaptivePacer returns a pacer that begins at no more than 5 requests a second and finds out, by the same climb as
// after a refusal, how much of the rate the server allows.
func NewAdaptivePacer(rate float64) *Pacer {
	p := NewPacer(rate)
	p.rate = min(rate, exploreFrom)
	return p
}

// Wait returns when a request may start, with the time that is booked for it, or with the context's error.
func (p *Pacer) Wait(ctx context.Context) (time.Time, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	for ctx.Err() == nil {
		now := time.Now()
		wait, changed := p.take(now)
		if wait <= 0 {
			return now, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
		}
	}
	return time.Time{}, ctx.Err()
}

// take books a start now and returns 0, or says how long to wait before asking again.
func (p *Pacer) take(now time.Time) (time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := later(p.next, p.pausedUntil)
	if late := now.Sub(at); late > lateness {
		p.idle(now, late)
		at = now
	}
	p.climb(now)
	free := at
	if len(p.starts) > 0 {
		free = later(free, p.starts[p.oldest].Add(window))
	}
	if free.After(now) {
		p.next = later(at, free.Add(-lateness))
		return free.Sub(now), p.changed
	}
	p.next = at.Add(p.interval())
	if p.rate < p.limit {
		// A server that has refused may take even two that come a little too close together for one too many.
		p.next = now.Add(p.interval())
	}
	if len(p.starts) > 0 {
		p.starts[p.oldest] = now
		p.oldest = (p.oldest + 1) % len(p.starts)
	}
	return 0, nil
}

func (p *Pacer) interval() time.Duration {
	if p.probing {
		return time.Second
	}
	return time.Duration(spread / p.rate * float64(time.Second))
}

// Sent corrects the time booked for a start when it left this machine so much later, for want of a connection most
// likely, that the one that is a second behind it could catch up with it.
func (p *Pacer) Sent(booked, sent time.Time) {
	if sent.Sub(booked) < window-time.Second {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, start := range p.starts {
		if !start.Before(booked) && start.Before(sent) {
			p.starts[i] = sent // those booked since as well: what counts is that they are in order
		}
	}
}

// Pause lets nobody start before a time.
func (p *Pacer) Pause(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.climbedAt = later(p.climbedAt, until)     // a pause is no time without a refusal
	p.pausedUntil = later(p.pausedUntil, until) // whoever waits looks again when the wait is over
}

// Ready returns when the pace allows, or would have allowed, the next start.
func (p *Pacer) Ready() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return later(p.next, p.pausedUntil)
}

// Rate returns the current pace in requests a second.
func (p *Pacer) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
