package sandbox

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter decides whether a request that arrives at a time is one too many.
type limiter interface {
	allow(now time.Time) bool
}

func newLimiter(o Options) limiter {
	switch {
	case o.Rate == 0:
		return unlimited{}
	case o.FixedWindow:
		return &window{max: o.Rate}
	}
	return bucket{rate.NewLimiter(rate.Limit(o.Rate), o.Burst)}
}

type unlimited struct{}

func (unlimited) allow(time.Time) bool { return true }

// bucket refills evenly and allows a burst.
type bucket struct{ *rate.Limiter }

func (b bucket) allow(now time.Time) bool { return b.AllowN(now, 1) }

// window counts within each second of the clock, as many gateways do: twice the
// rate may pass around the turn of a second.
type window struct {
	mu    sync.Mutex
	max   int
	start time.Time
	count int
}

func (w *window) allow(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if start := now.Truncate(time.Second); !start.Equal(w.start) {
		w.start, w.count = start, 0
	}
	w.count++
	return w.count <= w.max
}

var (
	_ limiter = unlimited{}
	_ limiter = bucket{}
	_ limiter = (*window)(nil)
)
