package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waits for things that must happen; it is never reached by a
// test that passes.
const patience = 20 * time.Second

// start runs a sandbox in a directory of its own until the test ends.
func start(t testing.TB, o Options) *Sandbox {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// caller talks to a sandbox as a client with one key would. It opens a
// connection per request, so that nothing is resent behind the test's back.
type caller struct {
	t      testing.TB
	s      *Sandbox
	key    string
	client *http.Client
}

func as(t testing.TB, s *Sandbox) *caller {
	return &caller{t: t, s: s, key: s.SecretKey(Test), client: &http.Client{
		Timeout:   patience,
		Transport: &http.Transport{DisableKeepAlives: true},
	}}
}

// heard is what the caller got; err is set where there was no whole answer.
type heard struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (h heard) customer(t testing.TB) Customer {
	t.Helper()
	var c Customer
	if err := json.Unmarshal(h.body, &c); err != nil {
		t.Fatalf("answer %d %s: %v", h.status, h.body, err)
	}
	return c
}

// problemType is the fragment of the problem's type.
func (h heard) problemType(t testing.TB) string {
	t.Helper()
	var p struct {
		Type, Title, Detail, Instance string
		Status                        int
	}
	if err := json.Unmarshal(h.body, &p); err != nil {
		t.Fatalf("answer %d %s: %v", h.status, h.body, err)
	}
	if p.Status != h.status || p.Title == "" || p.Detail == "" || h.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("incomplete problem: %d %s %s", h.status, h.header.Get("Content-Type"), h.body)
	}
	_, fragment, _ := bytes.Cut([]byte(p.Type), []byte("#"))
	return string(fragment)
}

// send is safe to call from other goroutines than the test's.
func (c *caller) send(method, path, body string, header ...string) heard {
	req, err := http.NewRequestWithContext(context.Background(), method, c.s.APIURL()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return heard{err: err}
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return heard{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	return heard{status: resp.StatusCode, header: resp.Header, body: data, err: err}
}

func (c *caller) create(body string) heard { return c.createWith(uuid.NewString(), body) }

func (c *caller) createWith(key, body string) heard {
	return c.send(http.MethodPost, "/billing/customers", body, "Idempotency-Key", key)
}

func (c *caller) get(name string) heard {
	return c.send(http.MethodGet, "/billing/customers/"+name, "")
}

func (c *caller) patch(name, body string) heard {
	return c.send(http.MethodPatch, "/billing/customers/"+name, body)
}

// want fails the test unless h has the status.
func (c *caller) want(h heard, status int) heard {
	c.t.Helper()
	if h.err != nil || h.status != status {
		c.t.Fatalf("got %d %s %v, want %d", h.status, h.body, h.err, status)
	}
	return h
}

// clock is one that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
