package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Request is one call to the billing API as it arrived, silent repeats by a
// client's HTTP library included.
type Request struct {
	// Arrived is when its headers were read, by the sandbox's clock.
	Arrived time.Time
	Mode    Mode // empty if the key was refused
	Method  string
	Path    string
	// Key is the Idempotency-Key as it came, valid or not.
	Key string
	// BodyHash is the SHA-256 of the body; of no bytes if there was none.
	BodyHash [32]byte
	// Status is what the API decided, heard or not; 0 while it is undecided and
	// where a fault left the request without a decision.
	Status   int
	Replayed bool
	// Fault is what was done to the request on purpose.
	Fault FaultKind
}

// Violation is something that no correct client does.
type Violation struct {
	At   time.Time
	Kind ViolationKind
	Key  string
}

// ViolationKind names a broken promise of a client.
type ViolationKind string

// What counts as a violation.
const (
	// KeyReused: an idempotency key came with a second body, however long after.
	KeyReused ViolationKind = "one key, two bodies"
	// KeyIllegal: a POST without exactly one idempotency key of the right form.
	KeyIllegal ViolationKind = "missing or illegal idempotency key"
)

// Tally counts the calls to the billing API.
type Tally struct {
	// Creates, Patches and Gets count what arrived with an accepted key and reached
	// a customer's path, refused or not; Others is the rest.
	Creates int `json:"creates"`
	Patches int `json:"patches"`
	Gets    int `json:"gets"`
	Others  int `json:"others"`
	// Replays counts stored outcomes sent again.
	Replays int `json:"replays"`
	// ByStatus counts the decisions, heard or not.
	ByStatus map[int]int `json:"by_status"`
}

// requestLog remembers the calls. Entries are added when they arrive and
// completed when they are decided.
type requestLog struct {
	mu         sync.Mutex
	forget     bool
	requests   []Request
	violations []Violation
	tally      Tally
}

func newRequestLog(forget bool) *requestLog {
	return &requestLog{forget: forget, tally: Tally{ByStatus: map[int]int{}}}
}

// begin notes an arrival and returns its place.
func (l *requestLog) begin(r Request, op operation) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch op {
	case opCreate:
		l.tally.Creates++
	case opPatch:
		l.tally.Patches++
	case opGet:
		l.tally.Gets++
	default:
		l.tally.Others++
	}
	if l.forget {
		return -1
	}
	l.requests = append(l.requests, r)
	return len(l.requests) - 1
}

// end notes what became of the request at place.
func (l *requestLog) end(place int, a answer, f FaultKind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.status != 0 {
		l.tally.ByStatus[a.status]++
	}
	if a.replayed {
		l.tally.Replays++
	}
	if place < 0 {
		return
	}
	r := &l.requests[place]
	r.Status, r.Replayed, r.Fault = a.status, a.replayed, f
}

func (l *requestLog) violation(v Violation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = append(l.violations, v)
}

// Requests returns every call to the billing API in order of arrival; none with
// [Options.ForgetRequests].
func (s *Sandbox) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.requests)
}

// Writes returns the creates and updates among [Sandbox.Requests].
func (s *Sandbox) Writes() []Request {
	return slices.DeleteFunc(s.Requests(), func(r Request) bool {
		return r.Method != http.MethodPost && r.Method != http.MethodPatch
	})
}

// Violations returns what no correct client does, in order.
func (s *Sandbox) Violations() []Violation {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.violations)
}

// Tally returns the counts so far.
func (s *Sandbox) Tally() Tally {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	t := s.log.tally
	t.ByStatus = maps.Clone(t.ByStatus)
	return t
}
