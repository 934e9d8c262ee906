package moment

import "time"

// The pace after a refusal: it drops, and climbs back by a share of itself for each second without one, in small steps
// near where it was refused and in larger ones elsewhere.
const (
	dropFar     = 0.7   // of the pace, where nothing was refused yet: it may be far too high
	trusted     = 0.6   // of the pace: what was started in a second tells nothing below that,
	trustedLess = 0.8   // nor below that, if there was a pause within the second
	near        = 0.05  // of the refused pace, above and below it
	climbFast   = 0.1   // of the pace
	climbSlow   = 0.002 // of the pace
	floorRate   = 0.5   // requests a second
	exploreFrom = 5     // requests a second
)

// feedback is what the answers have told the pace.
type feedback struct {
	allowed   float64   // what the server seemed to allow at the last refusal; 0 if there was none
	refused   bool      // and nothing was accepted since
	probing   bool      // one request at a time, to find out when it goes on
	droppedAt time.Time // the last refusal that counted
	climbedAt time.Time // since then there was no refusal
}

// Refused slows the pace down after a refusal of a request that was started at a time. Refusals of requests that were
// under way when the pace dropped already say nothing new. If nothing was accepted since, it is not the pace: it is left
// alone, and one request a second finds out when it goes on.
func (p *Pacer) Refused(startedAt time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if startedAt.Before(p.droppedAt) {
		return
	}
	p.droppedAt = time.Now()
	p.climbedAt = later(p.droppedAt, p.pausedUntil)
	if p.refused {
		p.probing = true
		return
	}
	p.refused = true
	drop := 1.0
	if p.allowed == 0 || p.rate > p.allowed*(1+near) {
		drop = dropFar
	}
	// What was started in the second before is what the server allows, or more than that.
	second := startedAt.Add(-time.Second)
	least := p.rate * trusted
	if p.pausedUntil.After(second) {
		least = p.rate * trustedLess
	}
	p.allowed = min(p.rate, max(least, p.startedWithin(second, startedAt)))
	p.rate = min(p.limit, max(floorRate, min(p.rate*drop, p.allowed*(1-near))))
}

// Accepted notes that a request that was started at a time was not refused.
func (p *Pacer) Accepted(startedAt time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.refused || startedAt.Before(p.droppedAt) {
		return
	}
	p.refused = false
	if p.probing {
		p.probing = false
		p.next = startedAt.Add(p.interval())
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// startedWithin counts the starts between two times, or returns the pace if they are not kept.
func (p *Pacer) startedWithin(from, to time.Time) float64 {
	if len(p.starts) == 0 {
		return p.rate
	}
	n := 0
	for _, start := range p.starts {
		if start.After(from) && start.Before(to) {
			n++
		}
	}
	return float64(n)
}

// idle notes that nobody asked for a start for a while: that shows nothing of what the server allows.
func (p *Pacer) idle(now time.Time, since time.Duration) {
	if p.climbedAt.IsZero() {
		p.climbedAt = now
		return
	}
	p.climbedAt = p.climbedAt.Add(since)
}

// climb raises the pace by a step for each second without a refusal.
func (p *Pacer) climb(now time.Time) {
	if p.refused {
		p.climbedAt = later(p.climbedAt, now) // whether it goes on is not known yet
		return
	}
	for p.rate < p.limit && now.Sub(p.climbedAt) >= time.Second {
		p.climbedAt = p.climbedAt.Add(time.Second)
		from, to := p.allowed*(1-near), p.allowed*(1+near)
		switch {
		case p.rate < from:
			p.rate = min(from, p.rate*(1+climbFast))
		case p.rate < to:
			p.rate *= 1 + climbSlow
		default:
			p.rate *= 1 + climbFast
		}
		p.rate = min(p.limit, p.rate)
	}
}
