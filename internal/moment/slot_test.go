package moment

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a server that answers after a time.
type slow struct{ takes time.Duration }

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	trace.GotConn(httptrace.GotConnInfo{})
	trace.WroteHeaders()
	select {
	case <-time.After(s.takes):
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(aCustomer))}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err() // as HTTP/2 does
	}
}

// TestSlotIsUsedAgain: neither the end of an earlier caller nor a timeout reaches the exchanges that come after.
func TestSlotIsUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &slow{takes: time.Second}
		c := New(Options{
			BaseURL: "http://localhost", Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: 30 * time.Second, GiveUpAfter: time.Hour,
			Grace: 2 * time.Second, Transport: server,
		})
		first, stop := context.WithCancel(t.Context())
		if got := c.Create(first, "key", []byte(`{}`)); got.Class != OK {
			t.Fatalf("%+v", got)
		}
		stop()
		synctest.Wait()
		server.takes = 5 * time.Second
		if got := c.Create(t.Context(), "key", []byte(`{}`)); got.Class != OK {
			t.Errorf("ended by the caller before: %+v", got)
		}
		<-time.After(time.Minute) // between exchanges no time counts
		if got := c.Create(t.Context(), "key", []byte(`{}`)); got.Class != OK {
			t.Errorf("ended by the time between: %+v", got)
		}
		server.takes = time.Minute
		if got := c.Create(t.Context(), "key", []byte(`{}`)); got.Class != Silence || !errors.Is(got.Err, context.DeadlineExceeded) {
			t.Errorf("%+v", got)
		}
		server.takes = time.Second
		if got := c.Create(t.Context(), "key", []byte(`{}`)); got.Class != OK {
			t.Errorf("ended by the timeout before: %+v", got)
		}
	})
}

// lasting is a context that never ends and counts who waits for that.
type lasting struct {
	context.Context
	never   chan struct{}
	waiting int
}

func (l *lasting) Done() <-chan struct{} { return l.never }

func (l *lasting) AfterFunc(func()) func() bool {
	l.waiting++
	return func() bool {
		l.waiting--
		return true
	}
}

// TestCloseForgetsTheCaller: a client that is closed holds nothing of a context that goes on, as that of a schedule does.
func TestCloseForgetsTheCaller(t *testing.T) {
	c := New(Options{
		BaseURL: "http://localhost", Key: testKey, Rate: 1e6, Concurrency: 3, Timeout: time.Minute, GiveUpAfter: time.Hour, Transport: &slow{},
	})
	ctx := &lasting{Context: t.Context(), never: make(chan struct{})}
	for range 5 {
		if got := c.Create(ctx, "key", []byte(`{}`)); got.Class != OK {
			t.Fatalf("%+v", got)
		}
	}
	if ctx.waiting != 3 {
		t.Errorf("%d slots wait for the caller, want each once", ctx.waiting)
	}
	c.Close()
	if ctx.waiting != 0 {
		t.Errorf("%d slots wait for the caller of a closed client", ctx.waiting)
	}
}
