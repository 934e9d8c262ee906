package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver is a webhook endpoint that checks signatures with code of its own.
type receiver struct {
	*httptest.Server
	secret func() string

	mu       sync.Mutex
	messages []message
	answers  []int // statuses of the first messages; 204 afterwards
}

type message struct {
	id, timestamp string
	body          []byte
	signed        bool
	contentType   string
}

func listenForEvents(t *testing.T, answers ...int) *receiver {
	r := &receiver{answers: answers}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	m := message{
		id: req.Header.Get("webhook-id"), timestamp: req.Header.Get("webhook-timestamp"), body: body,
		contentType: req.Header.Get("Content-Type"),
	}
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.secret(), "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(m.id + "." + m.timestamp + "."))
	mac.Write(body)
	m.signed = req.Header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))

	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, m)
	status := http.StatusNoContent
	if len(r.answers) > 0 {
		status, r.answers = r.answers[0], r.answers[1:]
	}
	if status/100 == 3 {
		w.Header().Set("Location", r.URL+"/elsewhere")
	}
	w.WriteHeader(status)
}

// heardFrom returns the messages so far, all of which must be signed.
func (r *receiver) heardFrom(t *testing.T) []message {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.messages {
		if !m.signed || m.contentType != "application/json" {
			t.Errorf("message %s: signed %v, %s", m.id, m.signed, m.contentType)
		}
	}
	return r.messages
}

func withReceiver(t *testing.T, r *receiver, o Options) *Sandbox {
	o.WebhookURL = r.URL
	s := start(t, o)
	r.secret = s.WebhookSecret
	return s
}

func pay(t *testing.T, s *Sandbox) Event {
	t.Helper()
	e, err := s.Pay(Payment{AccountID: "bacc_1", Amount: 100, Currency: "ZAR"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func flush(t *testing.T, s *Sandbox) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// until waits for the counts to satisfy done.
func until(t *testing.T, s *Sandbox, done func(Deliveries) bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		s.sender.mu.Lock()
		changed, counts := s.sender.changed, s.sender.counts
		s.sender.mu.Unlock()
		if done(counts) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("still %+v", counts)
		}
	}
}

func TestEventsAreDelivered(t *testing.T) {
	r := listenForEvents(t)
	s := withReceiver(t, r, Options{})
	sent := map[string][]byte{}
	for range 50 {
		e := pay(t, s)
		sent[e.WebhookID] = e.Body
	}
	flush(t, s)
	got := r.heardFrom(t)
	for _, m := range got {
		if !bytes.Equal(sent[m.id], m.body) {
			t.Errorf("message %s: %s", m.id, m.body)
		}
		delete(sent, m.id)
	}
	if len(got) != 50 || len(sent) != 0 || s.Deliveries() != (Deliveries{Delivered: 50, Attempts: 50}) {
		t.Errorf("%d messages, %d missing, %+v", len(got), len(sent), s.Deliveries())
	}
}

func TestRetriesAreSignedAnew(t *testing.T) {
	r := listenForEvents(t, 500, 302, 429)
	ticks := newClock()
	// Each signature asks the clock once more, and finds it a minute later.
	now := func() time.Time { ticks.Advance(time.Minute); return ticks.Now() }
	s := withReceiver(t, r, Options{Retries: []time.Duration{1, 1, 1}, Now: now})
	e := pay(t, s)
	flush(t, s)
	got := r.heardFrom(t)
	if len(got) != 4 || s.Deliveries() != (Deliveries{Delivered: 1, Attempts: 4}) {
		t.Fatalf("%d messages, %+v", len(got), s.Deliveries())
	}
	stamps := map[string]bool{}
	for _, m := range got {
		if m.id != e.WebhookID || !bytes.Equal(m.body, e.Body) {
			t.Errorf("attempt %s %s", m.id, m.body)
		}
		stamps[m.timestamp] = true
	}
	if len(stamps) != 4 {
		t.Errorf("timestamps %v", stamps)
	}
}

func TestRedeliver(t *testing.T) {
	r := listenForEvents(t)
	s := withReceiver(t, r, Options{})
	e := pay(t, s)
	s.Redeliver(e)
	flush(t, s)
	got := r.heardFrom(t)
	if len(got) != 2 || got[0].id != got[1].id || !bytes.Equal(got[0].body, got[1].body) {
		t.Errorf("messages %v", got)
	}
	if len(s.Payments()) != 1 {
		t.Error("a redelivery is booked as a payment")
	}
}

func TestSendBody(t *testing.T) {
	r := listenForEvents(t)
	s := withReceiver(t, r, Options{})
	s.SendBody([]byte("no event \x00\xff"))
	flush(t, s)
	if got := r.heardFrom(t); len(got) != 1 || string(got[0].body) != "no event \x00\xff" {
		t.Errorf("messages %v", got)
	}
}

func TestEventsAreGivenUp(t *testing.T) {
	r := listenForEvents(t, 500, 500, 500)
	s := withReceiver(t, r, Options{Retries: []time.Duration{1, 1}})
	pay(t, s)
	flush(t, s)
	if got := s.Deliveries(); got != (Deliveries{GivenUp: 1, Attempts: 3}) {
		t.Errorf("%+v", got)
	}
	// Nobody listens there at all: no answer is a failure too.
	gone := httptest.NewServer(nil)
	gone.Close()
	if err := s.SetWebhookURL(gone.URL); err != nil {
		t.Fatal(err)
	}
	pay(t, s)
	flush(t, s)
	if got := s.Deliveries(); got != (Deliveries{GivenUp: 2, Attempts: 6}) {
		t.Errorf("%+v", got)
	}
	if s.SetWebhookURL("ftp://x") == nil || s.WebhookURL() != gone.URL {
		t.Error("a bad address was set")
	}
}

// A delivery that waits for its next attempt neither blocks others nor Close.
func TestCloseGivesUpWhatWaits(t *testing.T) {
	r := listenForEvents(t, 500, 500, 500, 500, 500)
	s := withReceiver(t, r, Options{Retries: []time.Duration{time.Hour}})
	for range 5 {
		pay(t, s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	flushed := make(chan error, 1)
	go func() { flushed <- s.Flush(ctx) }()
	until(t, s, func(d Deliveries) bool { return d.Attempts == 5 })
	cancel()
	if err := <-flushed; !errors.Is(err, context.Canceled) {
		t.Errorf("flush: %v", err)
	}
	pay(t, s) // answered 204, behind the five that wait
	until(t, s, func(d Deliveries) bool { return d.Delivered == 1 })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.Deliveries(); got != (Deliveries{Delivered: 1, GivenUp: 5, Attempts: 6}) {
		t.Errorf("%+v", got)
	}
	pay(t, s)
	flush(t, s)
	if got := s.Deliveries().GivenUp; got != 6 {
		t.Errorf("%d given up after an event came too late", got)
	}
}

func TestLateEventWaits(t *testing.T) {
	r := listenForEvents(t)
	s := withReceiver(t, r, Options{LowerBalance: true})
	as(t, s).want(as(t, s).create(full), 201)
	late, err := s.Pay(Payment{CustomerID: "ACC-1", Amount: 5000, Late: true})
	if err != nil {
		t.Fatal(err)
	}
	flush(t, s)
	if got := r.heardFrom(t); len(got) != 0 {
		t.Errorf("%d messages", len(got))
	}
	if c, _ := s.Customer(Test, "ACC-1"); *c.Balance != 10000 || len(s.Payments()) != 1 {
		t.Errorf("balance %d, %d payments: the money is there, whatever was told", *c.Balance, len(s.Payments()))
	}
	s.Redeliver(late)
	flush(t, s)
	if got := r.heardFrom(t); len(got) != 1 || got[0].id != late.WebhookID {
		t.Errorf("%+v", got)
	}
}
