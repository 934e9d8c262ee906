package nightly

import (
	"strconv"
	"time"

	"tallyman/internal/moment"
)

// NoAnswer is the status, in Traffic, of requests that no usable answer came for.
const NoAnswer = "none"

// Traffic is how a run got on with the API.
type Traffic struct {
	Answers map[string]int64 `json:"answers"` // by HTTP status, or NoAnswer
	Pace    float64          `json:"pace"`    // requests a second that could start at the end of the run
	Latency Latency          `json:"latency"`
}

// Latency is how long answers took.
type Latency struct {
	Count  int64           `json:"count"`
	SumMS  int64           `json:"sum_ms"`
	Within []LatencyWithin `json:"within"` // each counts those of the ones before, too
}

// LatencyWithin counts the answers that took no longer than so many milliseconds.
type LatencyWithin struct {
	MS    int64 `json:"ms"`
	Count int64 `json:"count"`
}

func newTraffic(s moment.Stats) *Traffic {
	t := &Traffic{Answers: map[string]int64{}, Pace: s.Pace}
	for status, n := range s.Answers {
		name := strconv.Itoa(status)
		if status == 0 {
			name = NoAnswer
		}
		t.Answers[name] = n
	}
	buckets, count, sum := s.Latency.Buckets()
	t.Latency = Latency{Count: count, SumMS: sum.Round(time.Millisecond).Milliseconds()}
	for _, b := range buckets {
		t.Latency.Within = append(t.Latency.Within, LatencyWithin{b.UpTo.Milliseconds(), b.Count})
	}
	return t
}
