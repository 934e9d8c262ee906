package sandbox

import (
	"hash/fnv"
	"io"
	"math"
	"net/http"
)

func (a *api) handle(c *call) answer {
	switch c.op {
	case opCreate:
		return a.create(c)
	case opPatch:
		return a.exchange(c, a.patch)
	}
	return a.exchange(c, a.get)
}

// exchange runs an operation that has no idempotency key, with its fault.
func (a *api) exchange(c *call, do func(*call) answer) answer {
	a.delay(c)
	switch c.fault.Kind {
	case TooMany:
		return a.tooMany(c)
	case ErrorBefore:
		return c.serverError()
	case DropBefore:
		return answer{}
	case ErrorAfter:
		do(c)
		return c.serverError()
	}
	return do(c)
}

// create runs a POST: at most once for each idempotency key and day.
func (a *api) create(c *call) answer {
	if c.fault.Kind == TooMany && !a.opt.StoreTooMany {
		return a.tooMany(c)
	}
	key, legal := requestKey(c.request)
	if !legal {
		a.log.violation(Violation{At: c.arrived, Kind: KeyIllegal, Key: key})
		return invalid(c.instance, []string{"the header Idempotency-Key is required once, as 1 to 255 characters of A-Z, a-z, 0-9 and -"})
	}
	taken, stored, reused := c.book.claimKey(key, c.hash, c.arrived)
	if reused {
		a.log.violation(Violation{At: c.arrived, Kind: KeyReused, Key: key})
	}
	switch taken {
	case claimMisused:
		return newProblem(http.StatusUnprocessableEntity, problemKeyReused, c.instance, "this Idempotency-Key was first sent with another body")
	case claimBusy:
		return newProblem(http.StatusConflict, problemKeyInUse, c.instance, "the first request with this Idempotency-Key is still being processed")
	case claimReplay:
		return a.replay(c, stored)
	}
	a.delay(c)
	said, keep := a.firstCreate(c)
	c.book.settleKey(key, keep)
	return said
}

// replay says the stored outcome again, unless something between the API and the
// caller spoils it.
func (a *api) replay(c *call, stored answer) answer {
	a.delay(c)
	switch {
	case c.fault.Kind == TooMany:
		return a.tooMany(c)
	case c.fault.Unstored && (c.fault.Kind == ErrorBefore || c.fault.Kind == ErrorAfter):
		return c.serverError()
	}
	stored.replayed = true
	return stored
}

// firstCreate does what was asked and returns what to say and what to store
// under the key, which differ where a gateway spoke.
func (a *api) firstCreate(c *call) (said answer, keep *answer) {
	switch c.fault.Kind {
	case TooMany:
		said = a.tooMany(c)
		return said, &said
	case DropBefore:
		return answer{}, nil
	case ErrorBefore:
		said = c.serverError()
		if c.fault.Unstored {
			return said, nil
		}
		return said, &said
	}
	done := a.insert(c)
	if c.fault.Kind != ErrorAfter {
		return done, &done
	}
	said = c.serverError()
	if c.fault.Unstored {
		return said, &done
	}
	return said, &said
}

func (a *api) insert(c *call) answer {
	ch, faults := parseChange(c.body)
	if ch.reference == nil && len(faults) == 0 {
		faults = []string{"external_reference is required"}
	}
	if len(faults) > 0 {
		return invalid(c.instance, faults)
	}
	customer := Customer{ID: mint("bcus_"), ExternalReference: *ch.reference}.with(ch)
	if a.payable(customer.ExternalReference) {
		customer.PaymentRules = defaultRules()
	}
	if !c.book.create(customer, c.arrived) {
		return newProblem(http.StatusConflict, problemConflict, c.instance, "a customer with this external_reference already exists")
	}
	return newResource(http.StatusCreated, c.instance, customer)
}

// payable draws by reference rather than by turn, so that the same customers are
// payable whatever order they come in.
func (a *api) payable(reference string) bool {
	if a.opt.WithoutRules == 0 {
		return true
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, reference)
	spread := (h.Sum64() ^ a.opt.Seed) * 0x9e3779b97f4a7c15
	return float64(spread>>11)/(math.MaxUint64>>11) >= a.opt.WithoutRules
}

func (a *api) get(c *call) answer {
	customer, ok := c.book.read(c.name, c.arrived)
	if !ok {
		return notFound(c.instance)
	}
	return newResource(http.StatusOK, c.instance, customer)
}

func (a *api) patch(c *call) answer {
	ch, faults := parseChange(c.body)
	if len(faults) > 0 {
		return invalid(c.instance, faults)
	}
	customer, faults, ok := c.book.update(c.name, ch)
	switch {
	case !ok:
		return notFound(c.instance)
	case len(faults) > 0:
		return invalid(c.instance, faults)
	}
	return newResource(http.StatusOK, c.instance, customer)
}

func (a *api) tooMany(c *call) answer {
	p := newProblem(http.StatusTooManyRequests, problemTooMany, c.instance, "too many requests: slow down")
	if p.retryAfter = max(c.fault.RetryAfter, 1); a.opt.NoRetryAfter && c.fault.RetryAfter == 0 {
		p.retryAfter = 0
	}
	return p
}
