package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	// senders is how many deliveries are under way at once.
	senders = 4
	// receiverTimeout is how long a receiver may take; Standard Webhooks advises
	// 15 to 30 s.
	receiverTimeout = 15 * time.Second
)

// Deliveries counts what became of the events.
type Deliveries struct {
	// Pending are waiting or under way, Delivered were answered with 2xx, GivenUp
	// used up their attempts or were cut off by Close.
	Pending   int `json:"pending"`
	Delivered int `json:"delivered"`
	GivenUp   int `json:"given_up"`
	// Attempts counts the requests sent.
	Attempts int `json:"attempts"`
}

// sender delivers events at least once and in no promised order: each attempt is
// signed anew, and anything but a 2xx answer is tried again on the schedule.
type sender struct {
	signer  *standardwebhooks.Webhook
	client  *http.Client
	retries []time.Duration
	now     func() time.Time
	logger  *slog.Logger

	mu      sync.Mutex
	url     string
	closed  bool
	waiting dueQueue
	counts  Deliveries
	changed chan struct{} // closed and replaced when waiting or counts change
	wg      sync.WaitGroup
}

func newSender(o Options) (*sender, error) {
	signer, err := standardwebhooks.NewWebhook(o.WebhookSecret)
	if err != nil {
		return nil, fmt.Errorf("use webhook secret: %w", err)
	}
	return &sender{
		signer: signer,
		client: &http.Client{
			Timeout:       receiverTimeout,
			Transport:     &http.Transport{MaxIdleConnsPerHost: senders},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		retries: o.Retries, now: o.Now, logger: o.Logger, url: o.WebhookURL,
		changed: make(chan struct{}),
	}, nil
}

// start runs the workers until ctx ends; close waits for them.
func (s *sender) start(ctx context.Context) {
	for range senders {
		s.wg.Go(func() {
			for {
				d, ok := s.next(ctx)
				if !ok {
					return
				}
				s.attempt(ctx, d)
			}
		})
	}
}

func (s *sender) close() {
	s.wg.Wait()
	s.client.CloseIdleConnections()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.counts.GivenUp += s.counts.Pending
	s.counts.Pending = 0
	s.waiting = dueQueue{}
	s.notify()
}

// notify needs the lock.
func (s *sender) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sender) enqueue(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.counts.GivenUp++
		return
	}
	s.counts.Pending++
	s.waiting.push(delivery{event: e, due: time.Now()})
	s.notify()
}

// next waits for a delivery to fall due.
func (s *sender) next(ctx context.Context) (delivery, bool) {
	for ctx.Err() == nil {
		s.mu.Lock()
		d, wait := s.waiting.pop(time.Now())
		changed := s.changed
		s.mu.Unlock()
		if wait == 0 {
			return d, true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return delivery{}, false
}

// attempt sends a delivery once and books what came of it.
func (s *sender) attempt(ctx context.Context, d delivery) {
	status, err := s.post(ctx, d.event)
	if ctx.Err() != nil {
		return // still pending: close counts it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Attempts++
	defer s.notify()
	switch {
	case err == nil && status/100 == 2:
		s.counts.Pending--
		s.counts.Delivered++
	case d.tries < len(s.retries):
		d.due = time.Now().Add(s.retries[d.tries])
		d.tries++
		s.waiting.push(d)
	default:
		s.counts.Pending--
		s.counts.GivenUp++
		s.logger.Warn("event given up", "event", d.event.ID, "attempts", d.tries+1, "status", status, "error", err)
	}
}

// post signs the event for this moment and sends it.
func (s *sender) post(ctx context.Context, e Event) (int, error) {
	at := s.now()
	signature, err := s.signer.Sign(e.WebhookID, at, e.Body)
	if err != nil {
		return 0, fmt.Errorf("sign event %s: %w", e.ID, err)
	}
	s.mu.Lock()
	url := s.url
	s.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(e.Body))
	if err != nil {
		return 0, fmt.Errorf("send event %s: %w", e.ID, err)
	}
	req.Header.Set("Content-Type", typeJSON)
	req.Header.Set(standardwebhooks.HeaderWebhookID, e.WebhookID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("send event %s: %w", e.ID, err)
	}
	defer func() { _ = resp.Body.Close() }()
	// Read so that the connection can serve again; the answer's text is of no use.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, nil
}

// Flush waits until every event so far is delivered or given up. It returns
// ctx's error if that ends first; giving up is no error, see
// [Sandbox.Deliveries].
func (s *Sandbox) Flush(ctx context.Context) error {
	for {
		s.sender.mu.Lock()
		pending, changed := s.sender.counts.Pending, s.sender.changed
		s.sender.mu.Unlock()
		if pending == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %d events to be delivered: %w", pending, ctx.Err())
		}
	}
}

// Deliveries returns the counts so far.
func (s *Sandbox) Deliveries() Deliveries {
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	return s.sender.counts
}

// SetWebhookURL sends all further attempts to another receiver.
func (s *Sandbox) SetWebhookURL(url string) error {
	if err := checkWebhookURL(url); err != nil {
		return err
	}
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	s.sender.url = url
	return nil
}

// WebhookURL returns where events go.
func (s *Sandbox) WebhookURL() string {
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	return s.sender.url
}
