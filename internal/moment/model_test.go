package moment

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// model is a server in the time of a synctest bubble.
type model struct {
	gate
	latency    time.Duration // there and back
	jitter     time.Duration // at most, of the way there
	retryAfter string        // with a refusal
	status     int           // of a refusal; 0 is 429
}

func (m *model) client(o Options) *Client {
	o.BaseURL, o.Key, o.Transport = "http://localhost", testKey, m
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.GiveUpAfter == 0 {
		o.GiveUpAfter = 15 * time.Minute
	}
	return New(o)
}

func (m *model) RoundTrip(req *http.Request) (*http.Response, error) {
	sleep(m.latency/2 + rand.N(m.jitter+1))
	ok := m.arrive(time.Now())
	sleep(m.latency / 2)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	resp := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Request: req, Body: io.NopCloser(strings.NewReader(aCustomer))}
	switch {
	case ok && req.Method == http.MethodPost:
		resp.StatusCode = http.StatusCreated
	case ok:
		resp.StatusCode = http.StatusNotFound
	default:
		if m.retryAfter != "" {
			resp.Header.Set("Retry-After", m.retryAfter)
		}
		if m.status != 0 {
			resp.StatusCode = m.status
		}
	}
	return resp, nil
}

// rows sends rows for a while, as the importer does: one that is refused is looked up twice, a second apart, and sent
// again.
func rows(ctx context.Context, c *Client, workers int, span time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				if c.Create(ctx, "key", []byte(`{}`)).Class == Throttled {
					lookUp(ctx, c)
				}
			}
		})
	}
	wg.Wait()
}

func lookUp(ctx context.Context, c *Client) {
	for empty := 0; empty < 2 && ctx.Err() == nil; {
		if c.Retrieve(ctx, "R1").Class != NotFound {
			continue
		}
		empty++
		timer := time.NewTimer(time.Second)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// A server that allows 30 a second where 50 are configured is used to 85 % of what it gives, with fewer than 3 % of the
// requests refused, whatever its window and wherever in it the run begins.
func TestAllowanceIsUsed(t *testing.T) {
	for _, kind := range allowances {
		for _, retryAfter := range []string{"", "1"} {
			// Those that arrive a little too close together are one too many for a bucket of one.
			for _, jitter := range []time.Duration{0, 2 * time.Millisecond} {
				for _, latency := range []time.Duration{5 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond} {
					for _, span := range []time.Duration{30 * time.Second, time.Minute, 10 * time.Minute} {
						for _, phase := range []time.Duration{0, 300 * time.Millisecond, 700 * time.Millisecond} {
							if span > time.Minute && (phase > 0 || latency != 50*time.Millisecond) {
								continue // in a long run that makes no difference
							}
							if span <= time.Minute && jitter > 0 {
								continue // in a short one it is luck
							}
							synctest.Test(t, func(t *testing.T) {
								sleep(phase)
								m := &model{latency: latency, jitter: jitter, retryAfter: retryAfter, gate: gate{limit: kind.of(30)}}
								rows(t.Context(), m.client(Options{Rate: 50, Concurrency: 32}), 32, span)
								accepted, refused := m.count()
								use, share := float64(accepted)/30/span.Seconds(), float64(refused)/float64(accepted+refused)
								what := fmt.Sprintf("%s, Retry-After %q, %s there and back and up to %s more, %s from %s: %.1f %% used, %.2f %% refused", kind.name, retryAfter, latency, jitter, span, phase, 100*use, 100*share)
								t.Log(what)
								least, most := 0.85, 0.03
								if span < time.Minute {
									least, most = 0.8, 0.05 // the first refusals, and a pause that the server asks for, weigh more
								}
								if use < least || share >= most {
									t.Error(what)
								}
							})
						}
					}
				}
			}
		}
	}
}

// Nothing arrives before the time that Retry-After asks for, but what was under way.
func TestRetryAfterHoldsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{latency: 100 * time.Millisecond, retryAfter: "7", gate: gate{limit: &fixedSecond{n: 30}}}
		rows(t.Context(), m.client(Options{Rate: 50, Concurrency: 32}), 32, 2*time.Minute)
		checked := 0
		for i, refused := range m.refused {
			if !refused {
				continue
			}
			for _, next := range m.arrivals[i+1:] {
				after := next.Sub(m.arrivals[i])
				if after > m.latency && after < 7*time.Second {
					t.Fatalf("a request %s after one that was told to come back in 7 s", after)
				}
				checked++
			}
		}
		if checked == 0 {
			t.Error("nothing was refused")
		}
	})
}
