package nightly

import (
	"fmt"
	"math"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/moment"
)

// What it takes for a word about api.concurrency. Less is chance.
const (
	tellingRequests = 200
	tellingShare    = 0.1  // of the time, in which a request could have started and none could be in flight any more
	closeEnough     = 0.95 // of api.rate
)

// paceWatch finds out what held the pace of one file.
type paceWatch struct {
	client *moment.Client // nil in a dry run
	api    config.API
	since  time.Time
	before moment.Stats
}

func (n *Night) watchPace() paceWatch {
	w := paceWatch{client: n.client, api: n.config.API, since: time.Now()}
	if w.client != nil {
		w.before = w.client.Stats()
	}
	return w
}

// notes says that api.concurrency was the bottleneck, if it was.
func (w paceWatch) notes() []string {
	if w.client == nil {
		return nil
	}
	took, now := time.Since(w.since).Seconds(), w.client.Stats()
	if now.Throttled > w.before.Throttled {
		return nil // more at once would only be refused
	}
	return concurrencyNote(w.api, now.Requests-w.before.Requests, took, (now.Held - w.before.Held).Seconds())
}

// concurrencyNote judges by what was requested in how many seconds, and for how many of them all of api.concurrency was
// in use while the pace would have allowed more.
func concurrencyNote(api config.API, requests int64, took, held float64) []string {
	pace := float64(requests) / took
	if requests < tellingRequests || held < took*tellingShare || pace > float64(api.Rate)*closeEnough {
		return nil
	}
	enough := min(config.MaxConcurrency, math.Ceil(float64(api.Concurrency)*float64(api.Rate)/pace))
	if int(enough) <= api.Concurrency {
		return nil
	}
	return []string{fmt.Sprintf("api.concurrency (%d) held the pace at %.0f/s of the %d/s configured: raise it to about %.0f", api.Concurrency, pace, api.Rate, enough)}
}
