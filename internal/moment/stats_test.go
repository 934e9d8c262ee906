package moment

import (
	"testing"
	"testing/synctest"
	"time"
)

// How long the number of slots held the pace back: nearly always, not at all, or in part.
func TestHeld(t *testing.T) {
	for _, at := range []struct {
		name        string
		concurrency int
		workers     int
		think       time.Duration // of a caller before each request
		limit       allowance
		from, to    float64 // share of the time
	}{
		// 250 ms there and back: 8 at once make 32 a second.
		{"eight slots for 50 a second", 8, 8, 0, nil, 0.3, 0.4},
		{"one slot for 50 a second", 1, 1, 0, nil, 0.9, 0.95},
		{"more callers than slots", 8, 30, 0, nil, 0.3, 0.4},
		{"slots enough", 16, 16, 0, nil, 0, 0},
		{"too few callers", 16, 8, 0, nil, 0, 0},
		{"a slow caller", 1, 1, time.Second, nil, 0.17, 0.19},
		{"the server is the bottleneck", 8, 8, 0, &tokenBucket{n: 10, depth: 10, tokens: 10}, 0, 0.05},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &model{latency: 250 * time.Millisecond, gate: gate{limit: at.limit}}
			c := m.client(Options{Rate: 50, Concurrency: at.concurrency})
			if at.think == 0 {
				rows(t.Context(), c, at.workers, 100*time.Second)
			}
			for begin := time.Now(); at.think > 0 && time.Since(begin) < 100*time.Second; {
				sleep(at.think)
				c.Create(t.Context(), "key", []byte(`{}`))
			}
			stats := c.Stats()
			if share := stats.Held.Seconds() / 100; share < at.from || share > at.to {
				t.Errorf("%s: held for %.3f of the time, %+v", at.name, share, stats)
			}
			accepted, refused := m.count()
			if stats.Requests != int64(accepted+refused) || stats.Throttled != int64(refused) {
				t.Errorf("%s: %+v, and %d accepted and %d refused", at.name, stats, accepted, refused)
			}
		})
	}
}
