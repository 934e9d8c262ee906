package sandbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// FaultKind is a way for a call to the billing API to go wrong.
type FaultKind string

// The kinds of faults.
const (
	// NoFault leaves the request alone.
	NoFault FaultKind = ""
	// TooMany answers 429 and does nothing.
	TooMany FaultKind = "too_many"
	// ErrorBefore answers with a server error and does nothing.
	ErrorBefore FaultKind = "error_before"
	// ErrorAfter does what was asked, and answers with a server error.
	ErrorAfter FaultKind = "error_after"
	// DropBefore closes the connection without an answer and does nothing.
	DropBefore FaultKind = "drop_before"
	// DropAfter does what was asked, and closes the connection without an answer.
	DropAfter FaultKind = "drop_after"
	// Slow does what was asked, and drips the answer.
	Slow FaultKind = "slow"
	// Garbled does what was asked, and answers with the right status and a body
	// that is no JSON.
	Garbled FaultKind = "garbled"
)

// Fault is what happens to one request.
type Fault struct {
	Kind FaultKind
	// Status of a server error; 0 means 500, or 502 if Unstored.
	Status int
	// Unstored makes a server error come from a gateway in front of the API, which
	// knows nothing of idempotency keys: the key keeps the true outcome, or none.
	Unstored bool
	// RetryAfter of a TooMany, in seconds; 0 means 1, unless
	// [Options.NoRetryAfter].
	RetryAfter int
	// Delay passes before anything is done; an idempotency key is taken by then.
	Delay time.Duration
	// Drip is how long a Slow answer takes; 0 means 2 s.
	Drip time.Duration
}

// FaultFunc chooses the fault of the n-th call to the billing API, counted from
// 1. The request's body can be read. While a FaultFunc is set, nothing is drawn
// from [Faults]. It is called from several goroutines at once.
type FaultFunc func(r *http.Request, n int) Fault

// Faults are drawn for each call to the billing API. The shares are
// probabilities of 0 to 1, and together at most 1.
type Faults struct {
	// Latency passes before every request is handled, and a random part of Jitter.
	Latency, Jitter time.Duration

	TooMany, ErrorBefore, ErrorAfter, DropBefore, DropAfter, Slow float64

	// Status, Unstored and Drip are those of [Fault].
	Status   int
	Unstored bool
	Drip     time.Duration
}

// share is one of the probabilities with its kind.
type share struct {
	kind FaultKind
	p    float64
}

func (f Faults) shares() []share {
	return []share{
		{TooMany, f.TooMany},
		{ErrorBefore, f.ErrorBefore},
		{ErrorAfter, f.ErrorAfter},
		{DropBefore, f.DropBefore},
		{DropAfter, f.DropAfter},
		{Slow, f.Slow},
	}
}

// Check returns every problem of f together: shares outside 0 to 1 or above 1
// together, negative times, a status that is no server error.
func (f Faults) Check() error {
	var errs []error
	sum := 0.0
	for _, s := range f.shares() {
		if !(s.p >= 0 && s.p <= 1) {
			errs = append(errs, fmt.Errorf("share of fault %s is %v: use 0 to 1", s.kind, s.p))
		}
		sum += s.p
	}
	// A hair above 1 is what shares such as 0.7, 0.2 and 0.1 may add up to.
	if sum > 1.000001 {
		errs = append(errs, fmt.Errorf("shares of faults add up to %v: use at most 1 together", sum))
	}
	if f.Latency < 0 || f.Jitter < 0 || f.Drip < 0 {
		errs = append(errs, errors.New("a duration of the faults is negative: use 0 or more"))
	}
	if f.Status != 0 && (f.Status < 500 || f.Status > 599) {
		errs = append(errs, fmt.Errorf("status of error faults is %d: use 500 to 599", f.Status))
	}
	return errors.Join(errs...)
}

// faultSource hands out faults; it can be changed while requests come in.
type faultSource struct {
	mu     sync.Mutex
	rng    *rand.Rand
	faults Faults
	choose FaultFunc
}

func newFaultSource(seed uint64, f Faults, choose FaultFunc) *faultSource {
	return &faultSource{rng: rand.New(rand.NewPCG(seed, seed)), faults: f, choose: choose}
}

func (s *faultSource) next(r *http.Request, n int) Fault {
	s.mu.Lock()
	if choose := s.choose; choose != nil {
		s.mu.Unlock()
		return choose(r, n)
	}
	defer s.mu.Unlock()
	if s.faults == (Faults{}) {
		return Fault{}
	}
	out := Fault{Status: s.faults.Status, Unstored: s.faults.Unstored, Drip: s.faults.Drip, Delay: s.faults.Latency}
	if s.faults.Jitter > 0 {
		out.Delay += time.Duration(s.rng.Int64N(int64(s.faults.Jitter)))
	}
	u := s.rng.Float64()
	for _, sh := range s.faults.shares() {
		if u < sh.p {
			out.Kind = sh.kind
			break
		}
		u -= sh.p
	}
	return out
}

// SetFaults replaces the drawn faults from the next request on, and removes a
// [FaultFunc]. The zero value heals everything.
func (s *Sandbox) SetFaults(f Faults) error {
	if err := f.Check(); err != nil {
		return err
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.faults, s.faults.choose = f, nil
	return nil
}

// SetFaultFunc chooses faults by f from the next request on; nil goes back to
// drawing them.
func (s *Sandbox) SetFaultFunc(f FaultFunc) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.choose = f
}

// Faults returns what is drawn at the moment.
func (s *Sandbox) Faults() Faults {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return s.faults.faults
}
