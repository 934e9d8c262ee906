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
			var answered int64
			for status, n := range stats.Answers {
				if status != 0 {
					answered += n
				}
			}
			if answered != stats.Requests || stats.Answers[429] != int64(refused) || stats.Pace <= 0 || stats.Pace > 50 {
				t.Errorf("%s: answers %v, pace %g", at.name, stats.Answers, stats.Pace)
			}
			buckets, n, sum := stats.Latency.Buckets()
			if n != answered || sum < time.Duration(n)*250*time.Millisecond || buckets[3].Count != 0 {
				t.Errorf("%s: %d answers took %s together, %v", at.name, n, sum, buckets)
			}
		})
	}
}

func TestLatencyBuckets(t *testing.T) {
	var l Latency
	for _, d := range []time.Duration{0, 10 * time.Millisecond, 11 * time.Millisecond, 25 * time.Millisecond, 30 * time.Second, 31 * time.Second} {
		l.add(d)
	}
	buckets, n, sum := l.Buckets()
	if n != 6 || sum != 61046*time.Millisecond {
		t.Errorf("%d in %s", n, sum)
	}
	for i, want := range []int64{2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5} {
		if buckets[i].Count != want {
			t.Errorf("up to %s: %d, want %d", buckets[i].UpTo, buckets[i].Count, want)
		}
	}
}
