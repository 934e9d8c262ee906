package importer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
)

// TestCreateRules is the resend rule, case by case: what a run does after each kind of answer, with the server's own guard
// against doubled references off.
func TestCreateRules(t *testing.T) {
	for _, test := range []struct {
		name       string
		mishaps    []string
		outcome    string
		calls      []string
		generation int
	}{
		{"all well", nil, "created", []string{"create"}, 0},
		{"no answer, not done: same key", []string{"drop_before"}, "created", []string{"create", "create"}, 0},
		{"no answer, done: same key", []string{"drop_after"}, "created", []string{"create", "create"}, 0},
		{"not sent: same key", []string{"not_sent"}, "created", []string{"create", "create"}, 0},
		{"failed and not done: look twice, new key", []string{"500_before"}, "created", []string{"create", "get", "get", "create"}, 1},
		{"failed and done: adopt", []string{"500_after"}, "created recovered", []string{"create", "get"}, 0},
		{"gateway failed, not done", []string{"502_before"}, "created", []string{"create", "get", "get", "create"}, 1},
		{"gateway failed, done", []string{"502_after"}, "created recovered", []string{"create", "get"}, 0},
		{"stored 429: a new key", []string{"429_stored"}, "created", []string{"create", "get", "get", "create"}, 1},
		{"429 twice", []string{"429", "", "", "429"}, "created", []string{"create", "get", "get", "create", "get", "get", "create"}, 2},
		{"503 after it was done", []string{"503_after"}, "created recovered", []string{"create", "get"}, 0},
		{"the look-up fails first", []string{"500_after", "drop_before", "502_before"}, "created recovered", []string{"create", "get", "get", "get"}, 0},
		{"one empty look-up is no proof", []string{"500_before", "", "drop_before"}, "created", []string{"create", "get", "get", "get", "create"}, 1},
		{"conflict, nobody there: same key", []string{"conflict"}, "created", []string{"create", "get", "get", "create"}, 0},
		{"silence, then failure, then silence", []string{"drop_before", "500_before", "", "", "drop_after"}, "created", []string{"create", "create", "get", "get", "create", "create"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.moment.unique = false
				r := s.run(test.mishaps...)
				s.want(r, test.outcome, test.calls...)
				if row := s.row(); row.Generation != test.generation || row.Refused {
					t.Errorf("generation %d refused %v, want generation %d", row.Generation, row.Refused, test.generation)
				}
				if r.err != nil {
					t.Error(r.err)
				}
				again := s.run()
				s.want(again, test.outcome)
				if string(again.outcomes) != string(r.outcomes) {
					t.Errorf("told differently the second time:\n%s%s", r.outcomes, again.outcomes)
				}
			})
		})
	}
}

// TestKilled: what a run does that comes after a kill, by what the killed one had seen and how long ago that was.
func TestKilled(t *testing.T) {
	for _, test := range []struct {
		name    string
		mishap  string
		pass    time.Duration
		outcome string
		calls   []string
	}{
		{"done, soon", "", time.Minute, "created", []string{"create"}},
		{"not done, soon", "drop_before", time.Minute, "created", []string{"create"}},
		{"done, a day later", "", 25 * time.Hour, "created recovered", []string{"get"}},
		{"not done, a day later", "drop_before", 25 * time.Hour, "created", []string{"get", "get", "create"}},
		{"stored failure, soon", "500_before", time.Minute, "created", []string{"create", "get", "get", "create"}},
		{"stored failure, done, soon", "500_after", time.Minute, "created recovered", []string{"create", "get"}},
		{"stored failure, done, a day later", "500_after", 25 * time.Hour, "created recovered", []string{"get"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.moment.unique = false
				s.crash(fileText(line), test.mishap)
				wait(test.pass)
				s.want(s.run(), test.outcome, test.calls...)
			})
		})
	}
}

// TestClockJumped: a request planned in the future tells nothing of its age.
func TestClockJumped(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.moment.unique = false
		s.skew = 30 * time.Hour
		s.crash(fileText(line), "")
		s.skew = 0
		wait(25 * time.Hour)
		s.want(s.run(), "created recovered", "get")
	})
}

// TestOldWithinARun: a key may become too old while its record waits for its turn.
func TestOldWithinARun(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.moment.unique = false
		var first []byte
		s.moment.choose = func(what, _ string) mishap {
			if what == "create" && first == nil {
				first = []byte("sent")
				return mishap{kind: "drop_after", then: func() { wait(25 * time.Hour) }}
			}
			return s.choose(what, "")
		}
		s.want(s.run(), "created recovered", "get")
	})
}

func TestConflict(t *testing.T) {
	equal := formats.Customer{ExternalReference: "A-1", Name: "Ada", Currency: "ZAR", Balance: formats.BalanceOf(24000), Metadata: []formats.Metadatum{{Key: "tariff", Value: "home"}}}
	other := equal
	other.Balance = formats.BalanceOf(1)
	for _, test := range []struct {
		name    string
		there   formats.Customer
		policy  Policy
		mishaps []string
		outcome string
		calls   []string
	}{
		{"there, just so", equal, Update, nil, "unchanged existing", []string{"create", "get"}},
		{"there, otherwise", other, Update, nil, "updated", []string{"create", "get", "update"}},
		{"there, skip", other, Skip, nil, "skipped existing", []string{"create", "get"}},
		{"there, reject", equal, Reject, nil, "rejected existing", []string{"create", "get"}},
		{"there, silence first, skip", other, Skip, []string{"drop_before"}, "skipped existing", []string{"create", "create", "get"}},
		{"there, failure first, reject", other, Reject, []string{"500_before"}, "rejected existing", []string{"create", "get"}},
		{"there, the look-up fails first", equal, Update, []string{"", "502_before", "429"}, "unchanged existing", []string{"create", "get", "get", "get"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.options.Existing = test.policy
				s.moment.put(test.there)
				r := s.run(test.mishaps...)
				s.want(r, test.outcome, test.calls...)
				if r.row(t, "A-1").CustomerID != "bcus_1" {
					t.Errorf("%s", r.outcomes)
				}
			})
		})
	}
}

// TestConflictIsBounded: a conflict that no look-up explains ends in doubt, never under a new key, however often.
func TestConflictIsBounded(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		conflicts := true
		s.moment.choose = func(what, _ string) mishap {
			if m := s.choose(what, ""); !conflicts || what != "create" {
				return m
			}
			return mishap{kind: "conflict"}
		}
		for range 3 {
			r := s.run()
			if got := r.outcome(t, "A-1"); got != "in_doubt conflict_unresolved" {
				t.Fatal(got)
			}
			if s.row().Generation != 0 {
				t.Fatal("a conflict led to a new key")
			}
			wait(30 * time.Hour)
		}
		conflicts = false
		s.want(s.run(), "created", "get", "get", "create")
	})
}

// TestConflictThenRefusedCredentials: what a look-up is answered says nothing of the key of the create.
func TestConflictThenRefusedCredentials(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		r := s.run("conflict", "401")
		s.want(r, "in_doubt credentials_refused", "create", "get")
		if s.row().Refused {
			t.Error("the look-up's refusal was taken for one of the create")
		}
	})
}

func TestKeyInUse(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.moment.unique, s.moment.stale = false, 10*time.Second
		s.want(s.run("late"), "in_doubt key_in_use", "create", "create", "create", "create")
		wait(10 * time.Second)
		s.want(s.run(), "created", "create")
	})
}

func TestNoAnswerIsBounded(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		r := s.run(slices.Repeat([]string{"drop_before"}, 4)...)
		s.want(r, "in_doubt no_answer", "create", "create", "create", "create")
		if r.row(t, "A-1").Attempts != 4 {
			t.Errorf("%s", r.outcomes)
		}
		r = s.run()
		s.want(r, "created", "create")
		if r.row(t, "A-1").Attempts != 5 {
			t.Errorf("%s", r.outcomes)
		}
	})
}

// TestServerErrorIsBounded: after its tries the record has failed, and is not there; the next run goes on under a key that
// no failure is stored under.
func TestServerErrorIsBounded(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.moment.unique = false
		r := s.run(slices.Repeat([]string{"500_before", "", ""}, 4)...)
		if got := r.outcome(t, "A-1"); got != "failed server_error" || len(s.moment.byRef["A-1"]) != 0 {
			t.Fatal(got)
		}
		s.want(s.run(), "created", "get", "get", "create")
		if s.row().Generation != 4 {
			t.Errorf("generation %d", s.row().Generation)
		}
	})
}

func TestKeyReused(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		reuse := answering{s.moment, Answer{Class: KeyReused, Status: 422, Problem: "reused"}}
		r := run(t.Context(), t, reuse, s.options, fileOf(fileText(line), s.records))
		if got := r.outcome(t, "A-1"); got != "failed key_reused" || s.row().Generation != 0 {
			t.Fatal(got)
		}
	})
}

// answering gives one answer to every create.
type answering struct {
	*model
	answer Answer
}

func (a answering) Create(context.Context, string, []byte) Answer { return a.answer }

// TestRefusedRecord: a 4xx is final for these bytes, unless the customer is there after all.
func TestRefusedRecord(t *testing.T) {
	refused := fileText("A-1,refuse me,,24000,home,")
	play(t, func(t *testing.T, s *scene) {
		r := s.runText(refused)
		s.want(r, "rejected refused_by_api", "create", "get", "get")
		if o := r.row(t, "A-1"); o.HTTPStatus != 422 || !strings.Contains(o.Detail, "name is refused") {
			t.Errorf("%s", r.outcomes)
		}
		if !strings.Contains(string(r.rejects), "A-1,refuse me,,24000,home,,refused_by_api,") {
			t.Errorf("%s", r.rejects)
		}
		s.want(s.runText(refused), "rejected refused_by_api")
	})
	play(t, func(t *testing.T, s *scene) { // how Moment answers a duplicate is not documented
		s.moment.put(formats.Customer{ExternalReference: "A-1", Name: "Bea"})
		s.want(s.runText(refused), "updated", "create", "get", "update")
	})
}

// TestWrongKeyAnswered400: "invalid request" is Moment's word for a wrong API key too; no record is booked as wrong for it.
func TestWrongKeyAnswered400(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		r := s.run("400", "400")
		s.want(r, "not_attempted credentials_refused", "create", "get")
		var stop *StopError
		if !errors.As(r.err, &stop) || stop.Reason != "credentials_refused" {
			t.Error(r.err)
		}
		s.want(s.run(), "created", "get", "get", "create")
		if s.row().Generation != 1 {
			t.Error("a refusal may be stored under the key, and it was used again")
		}
	})
}

func TestWrongAnswers(t *testing.T) {
	for name, remote := range map[string]Remote{
		"create": {ID: "bcus_9", Customer: formats.Customer{ExternalReference: "B-2"}},
	} {
		play(t, func(t *testing.T, s *scene) {
			r := run(t.Context(), t, answering{s.moment, Answer{Class: OK, Status: 201, Customer: remote}}, s.options, fileOf(fileText(line), s.records))
			var stop *StopError
			if got := r.outcome(t, "A-1"); got != "in_doubt wrong_answer" || !errors.As(r.err, &stop) || stop.Reason != "wrong_answer" {
				t.Errorf("%s: %s %v", name, got, r.err)
			}
			if strings.Contains(r.err.Error(), "B-2") || strings.Contains(r.err.Error(), "A-1") {
				t.Errorf("a reference in %v", r.err)
			}
		})
	}
}

// TestLedgerLost: keys and look-ups keep an import without its records from doing anything twice.
func TestLedgerLost(t *testing.T) {
	for _, test := range []struct {
		name    string
		unique  bool
		pass    time.Duration
		paid    int64
		outcome string
		calls   []string
	}{
		{"soon: the key replays", false, time.Hour, 0, "created recovered", []string{"create", "get"}},
		{"soon, and something was paid", false, time.Hour, 100, "updated", []string{"create", "get", "update"}},
		{"a day later: the reference is taken", true, 25 * time.Hour, 0, "unchanged existing", []string{"create", "get"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.moment.unique, s.moment.lowers = test.unique, true
				s.run()
				wait(test.pass)
				s.moment.pay(s.moment.byRef["A-1"][0], test.paid)
				s.memory = newMemory()
				s.records = s.memory.begin("2026-11-22")
				s.want(s.run(), test.outcome, test.calls...)
			})
		})
	}
}
