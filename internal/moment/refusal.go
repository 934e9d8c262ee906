package moment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// account lets the pace follow the answer and notes for how long the API has been refusing.
func (c *Client) account(answer *Answer, startedAt time.Time, delay time.Duration) {
	if errors.Is(answer.Err, context.Canceled) {
		return // our own doing says nothing of the API
	}
	if answer.Replayed && answer.Class.Failure() {
		return // a stored outcome tells how it was when it was stored
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case answer.Class.progress():
		c.badSince, c.refusals = time.Time{}, 0
		return
	case answer.Class == NotFound:
		// Between refused creates the look-ups that follow them find nothing: that is no sign of getting on.
		return
	case c.badSince.IsZero():
		c.badSince = startedAt
	}
	if answer.Class == Throttled {
		c.throttled.Add(1)
		c.refused(startedAt, now, delay)
		if delay > c.options.GiveUpAfter {
			answer.GiveUp = fmt.Errorf("the API asks to come back in %s, not before %s, and api.give_up_after is %s: run the same command again then",
				delay.Round(time.Second), now.Add(delay).UTC().Format(time.RFC3339), c.options.GiveUpAfter)
			return
		}
	}
	if bad := now.Sub(c.badSince); bad > c.options.GiveUpAfter {
		answer.GiveUp = fmt.Errorf("nothing but refusals or silence from the API for %s (api.give_up_after): run the same command again when it works", bad.Round(time.Second))
	}
}

// refused slows everybody down and lets them wait for what the server asks for. Without that the wait is an exponential
// backoff with full jitter, one step for each round: what was under way at the last step says nothing new.
func (c *Client) refused(startedAt, now time.Time, asked time.Duration) {
	c.pacer.Refused(startedAt)
	if asked > 0 {
		// A little jitter keeps several machines from coming back at once.
		c.pacer.Pause(now.Add(asked + rand.N(50*time.Millisecond)))
	}
	if !startedAt.After(c.refusedAt) {
		return
	}
	c.refusedAt = now
	c.refusals++
	if asked == 0 {
		most := min(firstBackoff<<min(c.refusals-1, 6), backoffCap)
		c.pacer.Pause(now.Add(rand.N(most)))
	}
}
