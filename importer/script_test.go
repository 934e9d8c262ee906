package importer

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tallyman/formats"
)

// scene is a file of one customer, A-1, and a Moment whose mishaps are written down.
type scene struct {
	t       *testing.T
	moment  *model
	memory  *memory
	records *memoryFile
	options Options
	skew    time.Duration

	mu     sync.Mutex
	script []string // kinds of mishaps, in order of the calls; "" is none
	calls  []string // what came: create, get, update
}

// play runs f in a bubble of its own time.
func play(t *testing.T, f func(*testing.T, *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, moment: newModel(), memory: newMemory(), options: optionsFor(t)}
		s.options.Waits = Waits{First: 100 * time.Millisecond, Most: 2 * time.Second, Stale: time.Second, Tries: 4}
		s.options.Now = func() time.Time { return time.Now().Add(s.skew) }
		s.moment.choose = s.choose
		s.records = s.memory.begin("2026-11-22")
		f(t, s)
		for _, v := range s.moment.violations {
			t.Error(v)
		}
	})
}

func (s *scene) choose(what, _ string) mishap {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, what)
	if len(s.script) == 0 {
		return mishap{}
	}
	kind := s.script[0]
	s.script = s.script[1:]
	return mishap{kind: kind}
}

// line is the row of the scene's customer.
const line = "A-1,Ada,,24000,home,"

// run imports the scene's file with mishaps in the order of the calls.
func (s *scene) run(mishaps ...string) told { return s.runText(fileText(line), mishaps...) }

func (s *scene) runText(content string, mishaps ...string) told {
	s.t.Helper()
	s.script, s.calls, s.moment.file = mishaps, nil, content
	return run(s.t.Context(), s.t, s.moment, s.options, fileOf(content, s.records))
}

// crash imports a file and kills the process at the last of the mishaps, before it hears of it.
func (s *scene) crash(content string, mishaps ...string) {
	s.t.Helper()
	ctx, kill := context.WithCancel(s.t.Context())
	defer kill()
	s.script, s.calls, s.moment.file = mishaps, nil, content
	s.moment.choose = func(what, reference string) mishap {
		m := s.choose(what, reference)
		if len(s.script) == 0 {
			m.then = func() {
				s.memory.fault = func() error { return errKilled }
				s.moment.choose = func(string, string) mishap { return mishap{kind: "dead"} }
				kill()
			}
		}
		return m
	}
	f := fileOf(content, s.records)
	im := New(s.moment, s.options)
	survey, err := im.Survey(ctx, f)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := im.Send(ctx, f, survey); err == nil {
		s.t.Fatal("the crash did not come")
	}
	s.memory.fault, s.moment.choose = nil, s.choose
}

// want checks the outcome of A-1, the calls that were made for it, and that it stands once at most.
func (s *scene) want(r told, outcome string, calls ...string) {
	s.t.Helper()
	if got := r.outcome(s.t, "A-1"); got != outcome {
		s.t.Errorf("outcome %q, want %q\n%s", got, outcome, r.outcomes)
	}
	if len(s.calls) != len(calls) {
		s.t.Fatalf("calls %q, want %q", s.calls, calls)
	}
	for i := range calls {
		if s.calls[i] != calls[i] {
			s.t.Fatalf("calls %q, want %q", s.calls, calls)
		}
	}
	if n := len(s.moment.standing("A-1")); n > 1 {
		s.t.Errorf("A-1 stands %d times", n)
	}
}

// row is what is on record of the file's only record.
func (s *scene) row() Row {
	s.t.Helper()
	return s.records.rows[1]
}

// stands returns the customer's balance at Moment.
func (s *scene) stands() formats.Balance {
	s.t.Helper()
	return s.moment.standing("A-1")[0].c.Balance
}

// wait lets time pass.
func wait(d time.Duration) { <-time.After(d) }
