package moment

import "time"

// Stats are counts since the client was made.
type Stats struct {
	Requests  int64 // started
	Throttled int64 // answered 429 or 503

	// Held is for how long the pace would have allowed a start and every slot (Options.Concurrency) was taken by a
	// request without its answer.
	Held time.Duration
}

// Stats returns the client's counts.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{Requests: c.requests.Load(), Throttled: c.throttled.Load(), Held: c.held}
}

// begin counts a request that starts.
func (c *Client) begin() {
	c.requests.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight++; c.inFlight == c.options.Concurrency {
		c.fullAt = time.Now()
	}
}

// end counts a request that has ended.
func (c *Client) end() {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight == c.options.Concurrency {
		c.held += max(0, now.Sub(later(c.fullAt, c.pacer.Ready())))
	}
	c.inFlight--
}
