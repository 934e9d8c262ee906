package moment

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of one exchange.
const (
	maxBody       = 64 << 10         // of an answer; what is longer is unusable
	defaultGrace  = 20 * time.Second // for what is under way when the caller's context ends
	firstBackoff  = time.Second      // after a refusal without Retry-After, doubled for each one in a row
	backoffCap    = 60 * time.Second // of that
	customersPath = "/billing/customers"
)

// Options configure a Client. All are required but Adaptive, Grace, UserAgent and Transport.
type Options struct {
	BaseURL     string        // scheme and host, no trailing slash needed
	Key         string        // secret API key; never shown
	Rate        float64       // requests a second, all kinds and attempts together
	Adaptive    bool          // begin slowly and find out how much of Rate the API allows
	Concurrency int           // requests in flight at most
	Timeout     time.Duration // of one whole exchange
	GiveUpAfter time.Duration // of nothing but refusals and silence; a longer Retry-After ends the run too
	Grace       time.Duration // how long an exchange that has begun may outlive the caller's context; 0: 20 s
	UserAgent   string
	Transport   http.RoundTripper // for tests; nil: a transport of its own
}

// Client talks to Moment's customers endpoints. It is safe for concurrent use.
//
// The context of a call ends its waiting for a turn: no request starts once it is done. A request that has started may
// still get its answer, for Options.Grace: what it did should be known.
type Client struct {
	base       string
	collection *url.URL // of all customers; nil if it cannot be read
	options    Options
	transport  http.RoundTripper
	pacer      *Pacer
	slots      chan *slot
	header     http.Header // of every request; its values are never changed
	bodies     sync.Pool   // of *bytes.Buffer, for answers

	mu        sync.Mutex
	badSince  time.Time // when the API began to give nothing but refusals; zero if it works
	refusals  int       // rounds of refusals in a row, for the backoff
	refusedAt time.Time // when the last round was counted
	inFlight  int
	fullAt    time.Time     // when the last slot was taken
	held      time.Duration // see Stats
	answers   map[int]int64
	latency   Latency

	requests, throttled atomic.Int64
}

// New returns a client. The base URL must be https, or http to a loopback address; the configuration checks that.
func New(options Options) *Client {
	if options.Grace == 0 {
		options.Grace = defaultGrace
	}
	c := &Client{
		base:      strings.TrimRight(options.BaseURL, "/"),
		options:   options,
		transport: options.Transport,
		pacer:     NewPacer(options.Rate),
		slots:     make(chan *slot, options.Concurrency),
		answers:   map[int]int64{},
		bodies:    sync.Pool{New: func() any { return new(bytes.Buffer) }},
		header:    http.Header{"Authorization": {"Bearer " + options.Key}, "Accept": {"application/json, application/problem+json"}},
	}
	if target, err := url.Parse(c.base + customersPath); err == nil {
		c.collection = target
	}
	for range options.Concurrency {
		c.slots <- &slot{}
	}
	if options.UserAgent != "" {
		c.header.Set("User-Agent", options.UserAgent)
	}
	if options.Adaptive {
		c.pacer = NewAdaptivePacer(options.Rate)
	}
	if c.transport == nil {
		c.transport = newTransport(options)
	}
	return c
}

func newTransport(options Options) *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConns:        options.Concurrency,
		MaxIdleConnsPerHost: options.Concurrency,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: options.Timeout,
		DisableCompression:  true, // an answer is short
		ForceAttemptHTTP2:   true,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// Close gives the idle connections back, and forgets the contexts of calls that have ended.
func (c *Client) Close() {
	for range cap(c.slots) {
		select {
		case s := <-c.slots:
			s.drop()
			c.slots <- s
		default: // the others are in use
		}
	}
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Create sends one POST /billing/customers with an idempotency key (1 to 255 of A-Z a-z 0-9 -) and a JSON body.
func (c *Client) Create(ctx context.Context, key string, body []byte) Answer {
	return c.exchange(ctx, http.MethodPost, customersPath, key, body)
}

// Retrieve sends one GET for a customer by Moment's id or the external reference.
func (c *Client) Retrieve(ctx context.Context, customer string) Answer {
	return c.exchange(ctx, http.MethodGet, customersPath+"/"+url.PathEscape(customer), "", nil)
}

// Update sends one PATCH for a customer by Moment's id or the external reference. It carries no idempotency key: Moment
// lists none, and a stored answer would hide what the balance is now.
func (c *Client) Update(ctx context.Context, customer string, body []byte) Answer {
	return c.exchange(ctx, http.MethodPatch, customersPath+"/"+url.PathEscape(customer), "", body)
}

// exchange waits for a slot and the pace, sends one request, and sorts the answer.
func (c *Client) exchange(ctx context.Context, method, path, key string, body []byte) Answer {
	var s *slot
	select {
	case s = <-c.slots:
		defer func() { c.slots <- s }()
	case <-ctx.Done():
		return Answer{Class: NotSent, Err: ctx.Err()}
	}
	booked, err := c.pacer.Wait(ctx)
	if err != nil {
		return Answer{Class: NotSent, Err: err}
	}
	var answer Answer
	c.begin(booked)
	defer func() { c.end(booked, answer.Status) }()
	answer, delay := c.send(ctx, s, method, path, key, body, func() { c.pacer.Sent(booked, time.Now()) })
	c.account(&answer, booked, delay)
	return answer
}

// emptyBody is no body, in a form that keeps net/http from repeating a GET by itself: it repeats what has no body.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

func (c *Client) request(ctx context.Context, s *slot, method, path, key string, body []byte) (*http.Request, error) {
	target := c.collection
	if path != customersPath || target == nil {
		var err error
		if target, err = url.Parse(c.base + path); err != nil {
			return nil, err
		}
	}
	// Without GetBody net/http cannot send the request a second time behind our back (go doc net/http Transport).
	req := http.Request{
		Method: method, URL: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: s.set(c.header, key, body != nil), Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	if body == nil {
		req.Body = emptyBody{}
	}
	return req.WithContext(ctx), nil
}

// send does one exchange and returns its answer and how long the server asks to wait. It calls leaving when the request
// is written. No http.Client stands in between: it would follow redirects, and fail on some that it may not follow.
func (c *Client) send(ctx context.Context, s *slot, method, path, key string, body []byte, leaving func()) (Answer, time.Duration) {
	ctx, endedWell := s.begin(ctx, &c.options), false
	defer func() { s.end(endedWell) }()
	var connected, sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
		WroteHeaders: func() {
			sent.Store(true)
			leaving()
		},
	})
	req, err := c.request(ctx, s, method, path, key, body)
	if err != nil {
		return Answer{Class: Misconfigured, Err: fmt.Errorf("make the request: %w", withoutURL(err))}, 0
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		// Who is cut short while a connection has the request cannot know how far it got.
		maybe := sent.Load() || connected.Load() && ctx.Err() != nil
		return Answer{Class: failureClass(err, maybe), Err: s.why(err)}, 0
	}
	defer resp.Body.Close()
	room := c.bodies.Get().(*bytes.Buffer)
	defer c.bodies.Put(room)
	text, err := readBody(resp, room)
	endedWell = err == nil && sent.Load()
	answer := Answer{Status: resp.StatusCode, Replayed: strings.EqualFold(resp.Header.Get("Idempotent-Replayed"), "true")}
	if resp.StatusCode >= 300 {
		// The status alone decides; a body that was cut off only costs its explanation.
		answer.Problem = readProblem(text)
		answer.Class = classify(resp.StatusCode, answer.Problem, path == customersPath)
		if answer.Class == Misconfigured {
			answer.Err = fmt.Errorf("%s %s was answered %d, as no Moment API does: check api.base_url", method, customersPath, resp.StatusCode)
		}
		return answer, retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	if err == nil {
		answer.Customer, err = readCustomer(text)
	}
	answer.Class = OK
	if err != nil {
		answer.Class, answer.Err = Silence, s.why(err)
	}
	return answer, 0
}

// readBody reads a body of no more than maxBody into a buffer.
func readBody(resp *http.Response, into *bytes.Buffer) ([]byte, error) {
	into.Reset()
	_, err := into.ReadFrom(&io.LimitedReader{R: resp.Body, N: maxBody + 1})
	if err == nil && into.Len() > maxBody {
		err = errors.New("the answer is longer than 64 KiB")
	}
	return into.Bytes(), err
}

// failureClass tells apart what never left this machine, what will not get better, and silence.
func failureClass(err error, sent bool) Class {
	var certificate *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate), errors.As(err, &plain) && !sent:
		return Misconfigured
	case sent:
		return Silence
	default:
		return NotSent
	}
}

// withoutURL takes the URL, which holds a customer's reference, out of an error.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
