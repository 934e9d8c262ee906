package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"tallyman/internal/moment"
)

// simulatedRate is the pace of the simulation's client, in requests a second.
const simulatedRate = 20

// cable carries requests of the real client to the model, and the model's answers back in the many forms that they have in
// HTTP. It holds the client to its pace.
type cable struct {
	moment *model
	seed   uint64

	mu       sync.Mutex
	harm     int            // how often a request never leaves, in percent of all
	drawn    map[string]int // exchanges so far, by what they are about
	storm    time.Time      // until then everything is refused unread
	arrivals []time.Time
	quiet    time.Time // until then nothing may come: a Retry-After says so
	told     time.Time // when it was said
}

var _ http.RoundTripper = (*cable)(nil)

// connect returns what the importer of one process sees of the API.
func (c *cable) connect(concurrency int) API {
	c.arrivals, c.quiet = nil, time.Time{}
	return overHTTP{moment.New(moment.Options{
		BaseURL: "http://localhost", Key: "sk_test_1", Rate: simulatedRate, Concurrency: concurrency,
		Timeout: 30 * time.Second, GiveUpAfter: 15 * time.Minute, Transport: c,
	})}
}

// RoundTrip is one exchange.
func (c *cable) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	customer, key := strings.TrimPrefix(req.URL.Path, "/billing/customers/"), req.Header.Get("Idempotency-Key")
	dice := c.dice(req.Method + key + c.moment.reference(customer))
	if dice.IntN(100) < c.harm {
		return nil, errors.New("connection refused")
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil {
		trace.WroteHeaders()
	}
	if c.arrive(time.Now()) {
		return c.response(req, Answer{Class: Throttled, Status: http.StatusTooManyRequests}, dice), nil
	}
	var a Answer
	switch req.Method {
	case http.MethodPost:
		a = c.moment.Create(req.Context(), key, body)
	case http.MethodPatch:
		a = c.moment.Update(req.Context(), customer, body)
	default:
		a = c.moment.Retrieve(req.Context(), customer)
	}
	switch a.Class {
	case NotSent:
		return nil, a.Err
	case Silence:
		return silence(req, dice)
	}
	return c.response(req, a, dice), nil
}

// dice are thrown for one exchange. They depend on the seed and on how many there were about the same.
func (c *cable) dice(about string) *rand.Rand {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drawn[about]++
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", about, c.drawn[about])
	return rand.New(rand.NewPCG(c.seed, h.Sum64()))
}

// arrive holds a request against the pace, and reports whether it falls into a storm.
func (c *cable) arrive(now time.Time) (storm bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moment.mu.Lock()
	defer c.moment.mu.Unlock()
	c.arrivals = append(c.arrivals, now)
	if n := len(c.arrivals) - 1 - simulatedRate; n >= 0 && now.Sub(c.arrivals[n]) < time.Second {
		c.moment.violate("%d requests within %s", simulatedRate+1, now.Sub(c.arrivals[n]))
	}
	if now.After(c.told) && now.Before(c.quiet) {
		c.moment.violate("a request %s before the time that Retry-After has asked for", c.quiet.Sub(now))
	}
	return now.Before(c.storm)
}

// silence is one of the ways of getting no usable answer.
func silence(req *http.Request, dice *rand.Rand) (*http.Response, error) {
	switch dice.IntN(5) {
	case 0:
		<-req.Context().Done()
		return nil, req.Context().Err()
	case 1:
		return respond(req, http.StatusOK, http.Header{}, `{"id":"bcus_1","external_re`), nil
	case 2:
		return respond(req, http.StatusCreated, http.Header{}, `{}`), nil
	case 3:
		return respond(req, http.StatusOK, http.Header{}, "<html>"+strings.Repeat("x", 100<<10)), nil
	}
	return nil, errors.New("connection reset by peer")
}

// response puts an answer of the model into HTTP.
func (c *cable) response(req *http.Request, a Answer, dice *rand.Rand) *http.Response {
	header := http.Header{}
	if a.Replayed {
		header.Set("Idempotent-Replayed", "true")
	}
	body := []string{"", "<html>no</html>", `{"detail":"` + a.Problem + `"}`, `{"type":"https://moment/errors#nothing-known","title":"No"}`}[dice.IntN(4)]
	switch a.Class {
	case OK:
		body = customerText(a.Customer)
	case InFlight:
		body = `{"type":"https://moment/errors#idempotency-key-in-use"}`
	case Throttled:
		if seconds := dice.IntN(4); seconds > 0 && !a.Replayed {
			header.Set("Retry-After", fmt.Sprint(seconds))
			c.ask(time.Duration(seconds) * time.Second)
		}
	}
	return respond(req, a.Status, header, body)
}

// ask remembers what a Retry-After asks for.
func (c *cable) ask(delay time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Add(delay).After(c.quiet) {
		c.quiet, c.told = now.Add(delay), now
	}
}

func respond(req *http.Request, status int, header http.Header, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Request: req, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

// customerText is the JSON of a customer, as Moment shows it.
func customerText(r Remote) string {
	members := map[string]any{"id": r.ID, "external_reference": r.Customer.ExternalReference, "payment_rules": map[string]any{}, "created_at": "2026-11-20T00:00:00Z"}
	for name, value := range map[string]string{"name": r.Customer.Name, "email": r.Customer.Email, "phone": r.Customer.Phone, "currency": r.Customer.Currency} {
		if value != "" {
			members[name] = value
		}
	}
	if r.Customer.Balance.Set {
		members["balance"] = r.Customer.Balance.Minor
	}
	metadata := map[string]string{}
	for _, m := range r.Customer.Metadata {
		metadata[m.Key] = m.Value
	}
	members["metadata"] = metadata
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(text)
}
