package moment

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// paceFor is for how long the tests of the pace at a real server send. Their figures, which -v shows, mean more after
// half a minute.
var paceFor = flag.Duration("pace", 2*time.Second, "for how long each test of the pace sends")

// serve is a server that answers each request after the latency, or refuses it.
func (g *gate) serve(latency time.Duration, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ok := g.arrive(time.Now())
		timer := time.NewTimer(latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
		if ok {
			answerCreated(w)
			return
		}
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

func answerCreated(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(`{"id":"bcus_1"}`))
}

// saturate sends rows as fast as the client lets them go.
func saturate(t *testing.T, c *Client, workers int, span time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				c.Create(ctx, "key", []byte(`{}`))
			}
		})
	}
	wg.Wait()
}

// What arrives at a server over real connections. The figures are for reading: how late a packet or a goroutine is on a
// busy machine is nobody's fault. Only what no such delay explains fails.
func TestPaceAtAServer(t *testing.T) {
	for _, at := range []struct {
		name string
		tls  bool
		rate int
		wait time.Duration
	}{
		{"50 a second", false, 50, 20 * time.Millisecond},
		{"50 a second over TLS", true, 50, 100 * time.Millisecond},
		{"500 a second", false, 500, 10 * time.Millisecond},
	} {
		t.Run(at.name, func(t *testing.T) {
			g := &gate{}
			server := httptest.NewUnstartedServer(g.serve(at.wait, ""))
			if at.tls {
				server.StartTLS()
			} else {
				server.Start()
			}
			defer server.Close()
			c := newClient(t, server, Options{Rate: float64(at.rate), Concurrency: 32})
			saturate(t, c, 32, *paceFor)
			most, over := g.busiest(at.rate)
			n := len(g.arrivals)
			mean := float64(n-1) / g.arrivals[n-1].Sub(g.arrivals[0]).Seconds()
			t.Logf("%d arrivals, mean %.2f/s (%.2f %% of the rate), at most %d in any second, %d of those seconds over", n, mean, 100*mean/float64(at.rate), most, over)
			if most > at.rate+at.rate/5+2 {
				t.Errorf("%d arrivals in a second at %d/s", most, at.rate)
			}
		})
	}
}

// A server that allows 30 a second where 50 are configured.
func TestAllowanceOfAServer(t *testing.T) {
	for _, kind := range allowances {
		for _, retryAfter := range []string{"", "1"} {
			t.Run(kind.name+" "+retryAfter, func(t *testing.T) {
				t.Parallel()
				g := &gate{limit: kind.of(30)}
				server := httptest.NewServer(g.serve(20*time.Millisecond, retryAfter))
				defer server.Close()
				c := newClient(t, server, Options{Rate: 50, Concurrency: 16})
				start := time.Now()
				rows(t.Context(), c, 16, *paceFor)
				accepted, refused := g.count()
				t.Logf("%.1f %% of what the server gives, %.2f %% refused", 100*float64(accepted)/30/time.Since(start).Seconds(), 100*float64(refused)/float64(accepted+refused))
				if stats := c.Stats(); stats.Requests != int64(accepted+refused) || stats.Throttled != int64(refused) {
					t.Errorf("%+v with %d accepted and %d refused", stats, accepted, refused)
				}
			})
		}
	}
}
