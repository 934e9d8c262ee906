package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// maxBody is far above any legal customer.
const maxBody = 64 << 10

const customersPath = "/billing/customers"

// operation is what a request asks for.
type operation int

const (
	opNone operation = iota
	opCreate
	opGet
	opPatch
)

// api is the billing API over HTTP: it decides on an answer first and then lets
// the request's fault decide how much of it the caller hears.
type api struct {
	opt    Options
	keys   *keyring
	books  map[Mode]*book
	log    *requestLog
	faults *faultSource
	limit  limiter
	// stopping ends delays when the sandbox closes.
	stopping <-chan struct{}
	seen     atomic.Int64
}

// call is one request, read.
type call struct {
	request  *http.Request
	ctx      context.Context
	instance string // the path, as problems name it
	op       operation
	name     string // customer id or reference
	arrived  time.Time
	book     *book
	body     []byte
	hash     digest
	fault    Fault
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(a.seen.Add(1))
	c := &call{request: r, ctx: r.Context(), instance: r.URL.Path, arrived: a.opt.Now()}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	c.body, c.hash = body, sha256.Sum256(body)
	r.Body = io.NopCloser(bytes.NewReader(body))

	mode, refusal := a.keys.admit(r)
	wrong := c.route()
	if refusal == nil && wrong == nil && err != nil {
		wrong = unreadable(c.instance, err)
	}
	op := c.op
	if refusal != nil {
		op = opNone
	}
	place := a.log.begin(Request{
		Arrived: c.arrived, Mode: mode, Method: r.Method, Path: r.URL.Path,
		Key: strings.Join(r.Header.Values("Idempotency-Key"), ", "), BodyHash: c.hash,
	}, op)

	var said answer
	switch {
	case refusal != nil:
		said = *refusal
	case wrong != nil:
		said = *wrong
	default:
		c.book = a.books[mode]
		c.fault = a.faults.next(r, n)
		if !a.limit.allow(c.arrived) {
			c.fault = Fault{Kind: TooMany}
		}
		said = a.handle(c)
	}
	a.log.end(place, said, c.fault.Kind)
	if a.opt.LogRequests {
		a.opt.Logger.LogAttrs(c.ctx, slog.LevelInfo, "request", slog.Int("n", n), slog.String("method", r.Method),
			slog.Int("status", said.status), slog.Bool("replayed", said.replayed), slog.String("fault", string(c.fault.Kind)))
	}
	a.send(w, c, said)
}

// route finds the operation, or the answer to a request that asks for none. The
// escaped path is taken apart, so that a name never becomes two segments.
func (c *call) route() *answer {
	path := c.request.URL.EscapedPath()
	method := c.request.Method
	refuse := func(allow string) *answer {
		p := newProblem(http.StatusMethodNotAllowed, problemMethod, c.instance, "allowed here: "+allow)
		p.allow = allow
		return &p
	}
	if path == customersPath {
		if method != http.MethodPost {
			return refuse("POST")
		}
		c.op = opCreate
		return nil
	}
	segment, ok := strings.CutPrefix(path, customersPath+"/")
	name, err := url.PathUnescape(segment)
	if !ok || err != nil || segment == "" || strings.Contains(segment, "/") {
		p := notFound(c.instance)
		return &p
	}
	c.name = name
	switch method {
	case http.MethodGet:
		c.op = opGet
	case http.MethodPatch:
		c.op = opPatch
	default:
		return refuse("GET, PATCH")
	}
	return nil
}

func unreadable(instance string, err error) *answer {
	p := newProblem(http.StatusBadRequest, problemInvalid, instance, "the body could not be read to its end")
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		p = newProblem(http.StatusRequestEntityTooLarge, problemTooLarge, instance, "the body must have at most 64 KiB")
	}
	return &p
}
