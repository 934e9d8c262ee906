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
	if answer.Status != 0 && answer.Class != Throttled {
		c.pacer.Accepted(startedAt)
	}
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
	now := time.Now()
	if answer.Class == Throttled {
		c.throttled.Add(1)
		left := max(0, c.options.GiveUpAfter-now.Sub(c.badSince))
		c.refused(startedAt, now, delay, left)
		if delay > left {
			answer.GiveUp = fmt.Errorf("the API refuses requests and asks to come back in %s, not before %s, which is beyond api.give_up_after (%s): run the same command again then",
				delay.Round(time.Second), now.Add(delay).UTC().Format(time.RFC3339), c.options.GiveUpAfter)
			return
		}
	}
	if now.Sub(c.badSince) > c.options.GiveUpAfter {
		answer.GiveUp = fmt.Errorf("nothing but refusals or silence from the API for %s (api.give_up_after), at last %s: run the same command again when it works", c.options.GiveUpAfter, answer.outcome())
	}
}

// outcome says in a few words what came back: nothing of what was sent or answered.
func (a *Answer) outcome() string {
	if a.Status == 0 && a.Err != nil {
		return a.Err.Error()
	}
	return fmt.Sprintf("status %d", a.Status)
}

// refused slows everybody down and lets them wait for what the server asks for. Without that the wait is an exponential
// backoff with full jitter, one step for each round: what was under way at the last step says nothing new. It ends with
// the time that is left before the client gives up, so that the last attempt comes then and not long after.
func (c *Client) refused(startedAt, now time.Time, asked, left time.Duration) {
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
		c.pacer.Pause(now.Add(min(rand.N(most), left)))
	}
}
