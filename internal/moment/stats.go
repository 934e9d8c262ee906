package moment

import (
	"maps"
	"time"
)

// Stats are counts since the client was made.
type Stats struct {
	Requests  int64 // started
	Throttled int64 // answered 429 or 503

	// Held is for how long the pace would have allowed a start and every slot (Options.Concurrency) was taken by a
	// request without its answer.
	Held time.Duration

	Answers map[int]int64 // by HTTP status; 0: no usable answer came
	Latency Latency       // of those with a status
	Pace    float64       // requests a second that may start as things are
}

// Stats returns the client's counts.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Requests: c.requests.Load(), Throttled: c.throttled.Load(), Held: c.held,
		Answers: maps.Clone(c.answers), Latency: c.latency, Pace: c.pacer.Rate(),
	}
}

// Throttled returns how many requests were answered 429 or 503 since the client was made.
func (c *Client) Throttled() int64 { return c.throttled.Load() }

// begin counts a request that starts now.
func (c *Client) begin(now time.Time) {
	c.requests.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight++; c.inFlight == c.options.Concurrency {
		c.fullAt = now
	}
}

// end counts a request that has ended, with that status or none.
func (c *Client) end(began time.Time, status int) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[status]++
	if status != 0 {
		c.latency.add(now.Sub(began))
	}
	if c.inFlight == c.options.Concurrency {
		c.held += max(0, now.Sub(later(c.fullAt, c.pacer.Ready())))
	}
	c.inFlight--
}
