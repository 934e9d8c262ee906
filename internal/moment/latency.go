package moment

import (
	"slices"
	"time"
)

// latencyBounds returns the upper bounds, inclusive, of all but the last bucket.
func latencyBounds() [latencyBuckets]time.Duration {
	return [...]time.Duration{
		10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	}
}

const latencyBuckets = 11

// Latency says how long answers took, from the start of the request to the end of the answer. Its zero value is no answers.
type Latency struct {
	counts [latencyBuckets + 1]int64 // of each bucket alone, the last for what took longer than all bounds
	sum    time.Duration
}

func (l *Latency) add(d time.Duration) {
	bounds := latencyBounds()
	i, _ := slices.BinarySearch(bounds[:], d)
	l.counts[i]++
	l.sum += d
}

// Bucket counts the answers that took no longer than UpTo, those of smaller buckets included.
type Bucket struct {
	UpTo  time.Duration
	Count int64
}

// Buckets returns the distribution, and the number and sum of all.
func (l Latency) Buckets() (buckets []Bucket, count int64, sum time.Duration) {
	for i, bound := range latencyBounds() {
		count += l.counts[i]
		buckets = append(buckets, Bucket{bound, count})
	}
	return buckets, count + l.counts[latencyBuckets], l.sum
}
