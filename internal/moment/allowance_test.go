package moment

import (
	"sync"
	"time"
)

// allowance is how a server limits the requests that arrive. Whatever it is, it allows n a second on average.
type allowance interface {
	allow(now time.Time) bool
}

// allowances are the kinds of limits that the pace must get on with, each of n requests a second.
var allowances = []struct {
	name string
	of   func(n int) allowance
}{
	{"fixed second", func(n int) allowance { return &fixedSecond{n: n} }},
	{"sliding window", func(n int) allowance { return &slidingWindow{n: n} }},
	{"token bucket", func(n int) allowance { return &tokenBucket{n: float64(n), tokens: float64(n)} }},
	{"shallow bucket", func(n int) allowance { return &tokenBucket{n: float64(n), depth: 5, tokens: 5} }},
	{"bucket of one", func(n int) allowance { return &tokenBucket{n: float64(n), depth: 1, tokens: 1} }},
}

// fixedSecond counts within each second of the clock.
type fixedSecond struct {
	n, count int
	second   time.Time
}

func (f *fixedSecond) allow(now time.Time) bool {
	if second := now.Truncate(time.Second); !second.Equal(f.second) {
		f.second, f.count = second, 0
	}
	f.count++
	return f.count <= f.n
}

// slidingWindow looks at the second before each request. What it refuses does not count.
type slidingWindow struct {
	n        int
	accepted []time.Time
}

func (s *slidingWindow) allow(now time.Time) bool {
	for len(s.accepted) > 0 && now.Sub(s.accepted[0]) >= time.Second {
		s.accepted = s.accepted[1:]
	}
	if len(s.accepted) >= s.n {
		return false
	}
	s.accepted = append(s.accepted, now)
	return true
}

// tokenBucket refills evenly; depth 0 means that it holds a second's worth.
type tokenBucket struct {
	n, depth, tokens float64
	last             time.Time
}

func (b *tokenBucket) allow(now time.Time) bool {
	depth := b.depth
	if depth == 0 {
		depth = b.n
	}
	if !b.last.IsZero() {
		b.tokens = min(depth, b.tokens+now.Sub(b.last).Seconds()*b.n)
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// gate is an allowance with the record of what came to it.
type gate struct {
	mu       sync.Mutex
	limit    allowance // nil allows everything
	arrivals []time.Time
	refused  []bool
}

// arrive notes a request and reports whether it is allowed.
func (g *gate) arrive(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	ok := g.limit == nil || g.limit.allow(now)
	g.arrivals = append(g.arrivals, now)
	g.refused = append(g.refused, !ok)
	return ok
}

// busiest returns the most arrivals in any sliding second, and how many of the seconds that end with an arrival hold
// more than n.
func (g *gate) busiest(n int) (most, over int) {
	from := 0
	for to := range g.arrivals {
		for g.arrivals[to].Sub(g.arrivals[from]) >= time.Second {
			from++
		}
		in := to - from + 1
		if most = max(most, in); in > n {
			over++
		}
	}
	return most, over
}

// count returns how many requests were accepted and refused.
func (g *gate) count() (accepted, refused int) {
	for _, r := range g.refused {
		if r {
			refused++
		} else {
			accepted++
		}
	}
	return accepted, refused
}
