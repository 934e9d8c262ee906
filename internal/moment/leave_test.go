package moment

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tardy is a server to which each seventh request is late, for want of a connection.
type tardy struct {
	mu   sync.Mutex
	came int
	left []time.Time
}

func (s *tardy) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.came++
	late := s.came%7 == 0
	s.mu.Unlock()
	if late {
		sleep(600 * time.Millisecond)
	}
	httptrace.ContextClientTrace(req.Context()).WroteHeaders()
	s.mu.Lock()
	s.left = append(s.left, time.Now())
	s.mu.Unlock()
	sleep(50 * time.Millisecond)
	return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{}, Request: req, Body: io.NopCloser(strings.NewReader(aCustomer))}, nil
}

// The pace counts when a request leaves, not when its turn came.
func TestPaceCountsWhatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 10
		s := &tardy{}
		c := New(Options{BaseURL: "http://localhost", Key: testKey, Transport: s, Rate: rate, Concurrency: 32, Timeout: 30 * time.Second, GiveUpAfter: time.Minute})
		saturate(t, c, 32, 30*time.Second)
		slices.SortFunc(s.left, time.Time.Compare)
		if len(s.left) < 20*rate {
			t.Fatalf("%d requests", len(s.left))
		}
		for i := rate; i < len(s.left); i++ {
			if took := s.left[i].Sub(s.left[i-rate]); took < time.Second {
				t.Fatalf("%d requests left within %s", rate+1, took)
			}
		}
	})
}
