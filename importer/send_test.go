package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tallyman/formats"
)

// manyRows is a file of customers C-1 to C-n.
func manyRows(n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("C-%d,Ada,,%d,,", i+1, i+100)
	}
	return fileText(rows...)
}

// crowd runs f in a bubble with a Moment that takes 100 ms for each call.
func crowd(t *testing.T, f func(t *testing.T, s *scene)) {
	t.Helper()
	play(t, func(t *testing.T, s *scene) {
		s.moment.choose = func(what, reference string) mishap {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, what+" "+reference)
			return mishap{delay: 100 * time.Millisecond}
		}
		f(t, s)
	})
}

func reason(err error) string {
	var stop *StopError
	if !errors.As(err, &stop) {
		return fmt.Sprint(err)
	}
	return stop.Reason
}

// TestInterrupted: what is under way ends with its answer, which is recorded; nothing else is sent.
func TestInterrupted(t *testing.T) {
	crowd(t, func(t *testing.T, s *scene) {
		ctx, stop := context.WithTimeout(t.Context(), 1050*time.Millisecond)
		defer stop()
		r := run(ctx, t, s.moment, s.options, fileOf(manyRows(600), s.records))
		if reason(r.err) != "interrupted" {
			t.Fatal(r.err)
		}
		// Four at a time, ten rounds before the stop and one that was under way.
		if n := r.account.Counts[formats.Created]; n != 44 || len(s.calls) != 44 || len(s.moment.byID) != 44 {
			t.Errorf("%d created, %d calls", n, len(s.calls))
		}
		if n := r.account.Counts[formats.NotAttempted]; n != 556 || r.account.Unfinished() != 556 {
			t.Errorf("%v", r.account.Counts)
		}
		r = run(t.Context(), t, s.moment, s.options, fileOf(manyRows(600), s.records))
		if r.err != nil || r.account.Counts[formats.Created] != 600 || len(s.calls) != 600 {
			t.Errorf("%v %v, %d calls", r.err, r.account.Counts, len(s.calls))
		}
	})
}

// TestInterruptedWhileWaiting: a record that waits for its next attempt does not get one.
func TestInterruptedWhileWaiting(t *testing.T) {
	for kind, want := range map[string]string{"drop_before": "in_doubt interrupted", "not_sent": "not_attempted interrupted", "500_before": "in_doubt interrupted", "429": "not_attempted interrupted"} {
		play(t, func(t *testing.T, s *scene) {
			s.options.Waits.First, s.options.Waits.Stale = time.Hour, time.Hour
			s.options.Waits.Most = time.Hour
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			s.moment.choose = func(what, _ string) mishap {
				m := s.choose(what, "")
				m.then = func() { time.AfterFunc(0, stop) }
				return m
			}
			s.script = []string{kind}
			r := run(ctx, t, s.moment, s.options, fileOf(fileText(line), s.records))
			if got := r.outcome(t, "A-1"); got != want || slices.Contains(s.calls[1:], "create") {
				t.Errorf("%s: %s %v", kind, got, s.calls)
			}
			s.moment.choose = s.choose
			if got := s.run().outcome(t, "A-1"); got != "created" {
				t.Errorf("%s: then %s", kind, got)
			}
		})
	}
}

// TestRecordsFail: once outcomes cannot be recorded nothing more is sent, and the next run makes it good.
func TestRecordsFail(t *testing.T) {
	crowd(t, func(t *testing.T, s *scene) {
		s.moment.unique = false
		var failedAt time.Time
		tried := map[string]bool{}
		writes := 0
		s.memory.fault = func() error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if writes++; writes < 10 {
				return nil
			}
			if failedAt.IsZero() {
				failedAt = time.Now()
			}
			return errDiskFull
		}
		slow := s.moment.choose
		s.moment.choose = func(what, reference string) mishap {
			m := slow(what, reference)
			s.mu.Lock()
			defer s.mu.Unlock()
			if !failedAt.IsZero() && time.Now().After(failedAt) {
				t.Errorf("%s of %s after the records have failed", what, reference)
			}
			if !tried[reference] && len(reference)%2 == 0 {
				tried[reference] = true
				m.kind = "drop_before" // so that some records need several calls
			}
			return m
		}
		content := manyRows(600)
		r := run(t.Context(), t, s.moment, s.options, fileOf(content, s.records))
		if reason(r.err) != "records_failed" || !errors.Is(r.err, errDiskFull) || !strings.Contains(r.err.Error(), "data_dir") {
			t.Errorf("%v", r.err)
		}
		s.memory.fault, s.moment.choose = nil, slow
		r = run(t.Context(), t, s.moment, s.options, fileOf(content, s.records))
		if r.err != nil || r.account.Counts[formats.Created] != 600 || len(s.moment.byID) != 600 {
			t.Errorf("%v %v, %d customers", r.err, r.account.Counts, len(s.moment.byID))
		}
	})
}

// TestRecordsFailForOne: one record's outcome cannot be recorded, and the others, which wait for their next attempt, do not
// get one.
func TestRecordsFailForOne(t *testing.T) {
	crowd(t, func(t *testing.T, s *scene) {
		s.options.Concurrency = 8
		s.moment.choose = func(_, reference string) mishap {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, reference)
			if reference == "C-1" {
				return mishap{delay: 10 * time.Millisecond}
			}
			return mishap{kind: "drop_before"}
		}
		s.options.Waits.First, s.options.Waits.Most = 10*time.Second, 10*time.Second
		planned := false
		s.memory.fault = func() error {
			if !planned {
				planned = true
				return nil
			}
			return errDiskFull
		}
		started := time.Now()
		r := run(t.Context(), t, s.moment, s.options, fileOf(manyRows(8), s.records))
		if reason(r.err) != "records_failed" || time.Since(started) > 10*time.Millisecond+linger {
			t.Errorf("%v after %s", r.err, time.Since(started))
		}
	})
}

// TestPlanFails: without an intent on disk nothing is sent.
func TestPlanFails(t *testing.T) {
	crowd(t, func(t *testing.T, s *scene) {
		s.memory.fault = func() error { return errDiskFull }
		r := run(t.Context(), t, s.moment, s.options, fileOf(manyRows(10), s.records))
		if reason(r.err) != "records_failed" || len(s.calls) != 0 || r.account.Counts[formats.NotAttempted] != 10 {
			t.Errorf("%v %v %v", r.err, s.calls, r.account.Counts)
		}
	})
}

// unreadable is a ledger that cannot be read.
type unreadable struct{ *memoryFile }

func (unreadable) Standings(context.Context, []string) (map[string]Standing, error) {
	return nil, errDiskFull
}

func TestRecordsUnreadable(t *testing.T) {
	m := newModel()
	im := New(m, optionsFor(t))
	f := fileOf(manyRows(10), unreadable{newMemory().begin("2026-11-22")})
	s, err := im.Survey(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Send(t.Context(), f, s); reason(err) != "records_failed" || m.calls != 0 {
		t.Error(err)
	}
}

// TestNewGenerationIsOnRecordFirst: a key that cannot be recorded is not used.
func TestNewGenerationIsOnRecordFirst(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		writes := 0
		s.memory.fault = func() error {
			if writes++; writes == 2 {
				return errDiskFull
			}
			return nil
		}
		r := s.run("500_before")
		if reason(r.err) != "records_failed" || fmt.Sprint(s.calls) != "[create get get]" {
			t.Errorf("%v %v", r.err, s.calls)
		}
		s.want(s.run(), "created", "create", "get", "get", "create")
	})
}

// panicking fails on one customer.
type panicking struct{ *model }

func (p panicking) Create(ctx context.Context, key string, body []byte) Answer {
	if strings.Contains(string(body), `"C-7"`) {
		panic("a fault of ours")
	}
	return p.model.Create(ctx, key, body)
}

func TestPanic(t *testing.T) {
	crowd(t, func(t *testing.T, s *scene) {
		r := run(t.Context(), t, panicking{s.moment}, s.options, fileOf(manyRows(300), s.records))
		if reason(r.err) != "internal_error" || !strings.Contains(r.err.Error(), "line 8") {
			t.Errorf("%v", r.err)
		}
		if got := r.outcome(t, "C-7"); got != "in_doubt internal_error" || r.account.Counts[formats.InDoubt] != 1 || r.account.Counts[formats.NotAttempted] == 0 {
			t.Errorf("%s %v", got, r.account.Counts)
		}
		r = run(t.Context(), t, s.moment, s.options, fileOf(manyRows(300), s.records))
		if r.account.Counts[formats.Created] != 300 || len(s.moment.byID) != 300 {
			t.Errorf("%v", r.account.Counts)
		}
	})
}

// TestStops: answers that end the whole import. Nobody is marked failed for them.
func TestStops(t *testing.T) {
	const n = chunkSize + 100 // some are not even planned when it stops
	gaveUp := errors.New("nothing but refusals for 15m")
	for _, test := range []struct {
		name    string
		answer  Answer
		reason  string
		outcome string
		refused bool
	}{
		{"401", Answer{Class: Unauthorized, Status: 401}, "credentials_refused", "not_attempted credentials_refused", true},
		{"403", Answer{Class: Unauthorized, Status: 403, Problem: "revoked"}, "credentials_refused", "not_attempted credentials_refused", true},
		{"404 on the collection", Answer{Class: Misconfigured, Status: 404, Err: errors.New("no such path")}, "misconfigured", "not_attempted misconfigured", false},
		{"429 for too long", Answer{Class: Throttled, Status: 429, GiveUp: gaveUp}, "api_gave_up", "not_attempted api_gave_up", true},
		{"503 for too long", Answer{Class: Throttled, Status: 503, GiveUp: gaveUp}, "api_gave_up", "in_doubt api_gave_up", true},
		{"500 for too long", Answer{Class: ServerError, Status: 500, GiveUp: gaveUp}, "api_gave_up", "in_doubt api_gave_up", true},
		{"silence for too long", Answer{Class: Silence, GiveUp: gaveUp}, "api_gave_up", "in_doubt api_gave_up", false},
		{"unreachable for too long", Answer{Class: NotSent, GiveUp: gaveUp}, "api_gave_up", "not_attempted api_gave_up", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.options.Concurrency = 1
				r := run(t.Context(), t, answering{s.moment, test.answer}, s.options, fileOf(manyRows(n), s.records))
				if reason(r.err) != test.reason {
					t.Errorf("%v", r.err)
				}
				if got := r.outcome(t, "C-1"); got != test.outcome {
					t.Errorf("outcome %s", got)
				}
				if got := []string{r.outcome(t, "C-2"), r.outcome(t, fmt.Sprintf("C-%d", n))}; got[0] != "not_attempted "+test.reason || got[1] != got[0] {
					t.Errorf("records that were not sent: %q", got)
				}
				if row := s.records.rows[1]; row.Refused != test.refused {
					t.Errorf("refused %v on record", row.Refused)
				}
				if c := r.account.Counts; c[formats.Failed] != 0 || c[formats.Rejected] != 0 || c[formats.NotAttempted]+c[formats.InDoubt] != n {
					t.Errorf("%v", c)
				}
				r = run(t.Context(), t, s.moment, s.options, fileOf(manyRows(n), s.records))
				if r.err != nil || r.account.Counts[formats.Created] != n {
					t.Errorf("then %v %v", r.err, r.account.Counts)
				}
			})
		})
	}
}

// TestOneReferenceAtATime: whatever fails, two requests about one customer are never under way together.
func TestOneReferenceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel()
		busy := map[string]int{}
		kinds := []string{"", "drop_before", "500_after", "429", "drop_after", "500_before"}
		m.choose = func(_, reference string) mishap {
			m.mu.Lock()
			defer m.mu.Unlock()
			if busy[reference]++; busy[reference] > 1 {
				t.Errorf("two requests about %s", reference)
			}
			return mishap{kind: kinds[m.calls%len(kinds)], delay: 50 * time.Millisecond, then: func() {
				m.mu.Lock()
				defer m.mu.Unlock()
				busy[reference]--
			}}
		}
		o := optionsFor(t)
		o.Concurrency = 16
		r := run(t.Context(), t, m, o, fileOf(manyRows(100), newMemory().begin("2026-11-22")))
		if r.err != nil || len(m.byID) > 100 {
			t.Errorf("%v, %d customers", r.err, len(m.byID))
		}
	})
}
