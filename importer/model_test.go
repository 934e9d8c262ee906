package importer

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tallyman/formats"
)

// model is Moment as the simulation has it: its books are the truth that outcomes are held against.
type model struct {
	mu         sync.Mutex
	unique     bool          // a reference can be taken once only
	lowers     bool          // payments lower balances
	stale      time.Duration // reads and late answers lag behind by less than this
	lifetime   time.Duration
	byRef      map[string][]*held
	byID       map[string]*held
	keys       map[string]*keyEntry
	bodies     map[string][32]byte // of every key that ever came, for ever
	calls      int
	file       string // being imported: the same update of another file is another update
	violations []string

	// choose draws what goes wrong with the next call about a reference; nil: nothing.
	choose func(what, reference string) mishap
	// watch, if set, sees each write as it arrives, before anything is done.
	watch func(what, reference, key string, body []byte)
}

// held is a customer in the model's books.
type held struct {
	id      string
	c       formats.Customer
	since   time.Time
	by      string // the file that created it; empty: it was there before
	patched [32]byte
	patches int
	paid    bool // a payment lowered the balance since the last update
}

// keyEntry is an idempotency key with its stored outcome.
type keyEntry struct {
	at     time.Time
	until  time.Time // in work until then
	answer *Answer   // nil: nothing is stored
}

// mishap is what goes wrong with one call.
type mishap struct {
	kind  string        // see the methods of model
	delay time.Duration // before anything is done
	then  func()        // called when the call is over, before its answer is heard
}

func newModel() *model {
	return &model{
		unique: true, lifetime: 24 * time.Hour, byRef: map[string][]*held{}, byID: map[string]*held{}, keys: map[string]*keyEntry{},
		bodies: map[string][32]byte{},
	}
}

var _ API = (*model)(nil)

// wire is the JSON of a request.
type wire struct {
	Reference string            `json:"external_reference"`
	Name      string            `json:"name"`
	Email     string            `json:"email"`
	Phone     string            `json:"phone"`
	Currency  string            `json:"currency"`
	Balance   *int64            `json:"balance"`
	Metadata  map[string]string `json:"metadata"`
}

func (w wire) customer() formats.Customer {
	c := formats.Customer{ExternalReference: w.Reference, Name: w.Name, Email: w.Email, Phone: w.Phone, Currency: w.Currency}
	if w.Balance != nil {
		c.Balance = formats.BalanceOf(*w.Balance)
	}
	for _, k := range slices.Sorted(maps.Keys(w.Metadata)) {
		c.Metadata = append(c.Metadata, formats.Metadatum{Key: k, Value: w.Metadata[k]})
	}
	return c
}

// put adds a customer that was there before.
func (m *model) put(c formats.Customer) *held {
	return m.insert(c, "")
}

func (m *model) insert(c formats.Customer, by string) *held {
	h := &held{id: fmt.Sprintf("bcus_%d", len(m.byID)+1), c: c, since: time.Now(), by: by}
	if by == "" {
		h.since = time.Time{}
	}
	m.byRef[c.ExternalReference] = append(m.byRef[c.ExternalReference], h)
	m.byID[h.id] = h
	return h
}

func (h *held) remote() Remote { return Remote{ID: h.id, Customer: h.c, Payable: true} }

func (m *model) violate(format string, args ...any) {
	m.violations = append(m.violations, fmt.Sprintf(format, args...))
}

// meet lets a call begin: it draws the mishap and waits.
func (m *model) meet(ctx context.Context, what, reference, key string, body []byte) (mishap, bool) {
	if ctx.Err() != nil {
		return mishap{}, false
	}
	m.mu.Lock()
	m.calls++
	watch, choose := m.watch, m.choose
	m.mu.Unlock()
	if watch != nil && body != nil {
		watch(what, reference, key, body)
	}
	var h mishap
	if choose != nil {
		h = choose(what, reference)
	}
	if h.delay > 0 {
		<-time.After(h.delay)
	}
	return h, h.kind != "dead"
}

// spoiled is the answer of a mishap that comes without anything being done.
func spoiled(kind string) (Answer, bool) {
	switch kind {
	case "drop_before":
		return Answer{Class: Silence, Err: errors.New("connection reset")}, true
	case "429":
		return Answer{Class: Throttled, Status: 429, Problem: "too many requests"}, true
	case "502_before":
		return Answer{Class: ServerError, Status: 502}, true
	case "503_before":
		return Answer{Class: Throttled, Status: 503}, true
	case "401":
		return Answer{Class: Unauthorized, Status: 401}, true
	case "400":
		return Answer{Class: Invalid, Status: 400, Problem: "invalid request"}, true
	case "not_sent":
		return Answer{Class: NotSent, Err: errors.New("connection refused")}, true
	case "conflict":
		return Answer{Class: Conflict, Status: 409}, true
	}
	return Answer{}, false
}

func (m *model) Create(ctx context.Context, key string, body []byte) Answer {
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		panic(err)
	}
	h, alive := m.meet(ctx, "create", w.Reference, key, body)
	if !alive {
		return Answer{Class: NotSent, Err: errors.New("dead")}
	}
	if h.then != nil {
		defer h.then()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := sha256.Sum256(body)
	if before, known := m.bodies[key]; known && before != sum {
		m.violate("key %s with two bodies", key)
	}
	m.bodies[key] = sum
	if a, ok := spoiled(h.kind); ok {
		return a
	}
	return m.create(h.kind, key, w.customer())
}

// create does a POST, or repeats its outcome, with what goes wrong from then on.
func (m *model) create(kind, key string, c formats.Customer) Answer {
	now := time.Now()
	if e := m.keys[key]; e != nil && now.Sub(e.at) < m.lifetime {
		switch {
		case now.Before(e.until):
			return Answer{Class: InFlight, Status: 409}
		case e.answer != nil:
			if kind == "502_after" {
				return Answer{Class: ServerError, Status: 502}
			}
			a := *e.answer
			a.Replayed = true
			return a
		}
	}
	e := &keyEntry{at: now}
	m.keys[key] = e
	failure := Answer{Class: ServerError, Status: 500, Problem: "it broke"}
	switch kind {
	case "429_stored":
		e.answer = &Answer{Class: Throttled, Status: 429}
		return *e.answer
	case "401_stored":
		e.answer = &Answer{Class: Unauthorized, Status: 401}
		return *e.answer
	case "500_before":
		e.answer = &failure
		return failure
	case "late":
		// The caller hears nothing; the customer is there a little later.
		e.until = now.Add(m.stale * 2 / 5)
		by := m.file
		time.AfterFunc(m.stale*2/5, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			done := m.commit(by, c)
			e.answer = &done
		})
		return Answer{Class: Silence}
	}
	done := m.commit(m.file, c)
	e.answer = &done
	switch kind {
	case "drop_after":
		return Answer{Class: Silence}
	case "drop_after_unstored":
		e.answer = nil
		return Answer{Class: Silence}
	case "500_after":
		e.answer = &failure
		return failure
	case "502_after":
		return Answer{Class: ServerError, Status: 502}
	case "502_after_unstored":
		e.answer = nil
		return Answer{Class: ServerError, Status: 502}
	case "503_after":
		return Answer{Class: Throttled, Status: 503}
	}
	return done
}

func (m *model) commit(by string, c formats.Customer) Answer {
	if strings.HasPrefix(c.Name, "refuse") {
		return Answer{Class: Invalid, Status: 422, Problem: "name is refused"}
	}
	if m.unique && len(m.byRef[c.ExternalReference]) > 0 {
		return Answer{Class: Conflict, Status: 409, Problem: "taken"}
	}
	return Answer{Class: OK, Status: 201, Customer: m.insert(c, by).remote()}
}

func (m *model) find(customer string) *held {
	if h := m.byID[customer]; h != nil {
		return h
	}
	if list := m.byRef[customer]; len(list) > 0 {
		return list[0]
	}
	return nil
}

func (m *model) reference(customer string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h := m.byID[customer]; h != nil {
		return h.c.ExternalReference
	}
	return customer
}

func (m *model) Retrieve(ctx context.Context, customer string) Answer {
	h, alive := m.meet(ctx, "get", m.reference(customer), "", nil)
	if !alive {
		return Answer{Class: NotSent, Err: errors.New("dead")}
	}
	if h.then != nil {
		defer h.then()
	}
	if a, ok := spoiled(h.kind); ok {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.find(customer)
	if found == nil || time.Since(found.since) < m.stale/2 {
		return Answer{Class: NotFound, Status: 404}
	}
	return Answer{Class: OK, Status: 200, Customer: found.remote()}
}

func (m *model) Update(ctx context.Context, customer string, body []byte) Answer {
	reference := m.reference(customer)
	h, alive := m.meet(ctx, "update", reference, "", body)
	if !alive {
		return Answer{Class: NotSent, Err: errors.New("dead")}
	}
	if h.then != nil {
		defer h.then()
	}
	if a, ok := spoiled(h.kind); ok {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.find(customer)
	if found == nil {
		return Answer{Class: NotFound, Status: 404}
	}
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		panic(err)
	}
	if (w.Balance == nil) != (w.Currency == "") {
		m.violate("update of %s says %s", reference, body)
	}
	if h.kind == "500_before" {
		return Answer{Class: ServerError, Status: 500}
	}
	sum := sha256.Sum256(append([]byte(m.file), body...))
	if found.paid && found.patched == sum {
		m.violate("the same update of %s again, over a payment", reference)
	}
	found.c = overlay(found.c, w.customer())
	found.c.ExternalReference, found.patched, found.paid = reference, sum, false
	found.patches++
	switch h.kind {
	case "drop_after", "late":
		return Answer{Class: Silence}
	case "500_after":
		return Answer{Class: ServerError, Status: 500}
	case "503_after":
		return Answer{Class: Throttled, Status: 503}
	}
	return Answer{Class: OK, Status: 200, Customer: found.remote()}
}

// payTo is pay for a customer by its id.
func (m *model) payTo(id string, amount int64) {
	m.mu.Lock()
	h := m.byID[id]
	m.mu.Unlock()
	m.pay(h, amount)
}

// standing returns the customers with a reference as they stand now.
func (m *model) standing(reference string) []held {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []held
	for _, h := range m.byRef[reference] {
		list = append(list, *h)
	}
	return list
}

// pay applies a payment to a customer; the books show it only if payments lower balances.
func (m *model) pay(h *held, amount int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lowers && h.c.Balance.Set {
		h.c.Balance.Minor -= amount
		h.paid = true
	}
}
