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

// changedLine is the row of the scene's customer a day later.
const changedLine = "A-1,Ada,,30000,home,"

// nextDay imports the customer, and begins the next day's file.
func (s *scene) nextDay() {
	s.t.Helper()
	s.want(s.run(), "created", "create")
	wait(24 * time.Hour)
	s.records = s.memory.begin("2026-11-23")
}

func TestUpdateRules(t *testing.T) {
	for _, test := range []struct {
		name    string
		mishaps []string
		outcome string
		calls   []string
	}{
		{"all well", nil, "updated", []string{"update"}},
		{"silence, done: look", []string{"drop_after"}, "updated recovered", []string{"update", "get"}},
		{"silence, not done: look, then again", []string{"drop_before"}, "updated", []string{"update", "get", "update"}},
		{"failure, done", []string{"500_after"}, "updated recovered", []string{"update", "get"}},
		{"failure, not done", []string{"500_before"}, "updated", []string{"update", "get", "update"}},
		{"503, done", []string{"503_after"}, "updated recovered", []string{"update", "get"}},
		{"429 comes before anything is done", []string{"429"}, "updated", []string{"update", "update"}},
		{"not sent", []string{"not_sent"}, "updated", []string{"update", "update"}},
		{"conflict", []string{"conflict"}, "updated", []string{"update", "get", "update"}},
		{"refused credentials", []string{"401"}, "not_attempted credentials_refused", []string{"update"}},
		{"silence, then refused credentials", []string{"drop_before", "401"}, "in_doubt credentials_refused", []string{"update", "get"}},
		{"wrong key, answered 400", []string{"400", "400"}, "not_attempted credentials_refused", []string{"update", "get"}},
		{"refused for what it says", []string{"400"}, "rejected refused_by_api", []string{"update", "get"}},
		{"never an answer", slices.Repeat([]string{"drop_before", ""}, 4), "failed server_error", []string{"update", "get", "update", "get", "update", "get", "update", "get"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.nextDay()
				r := s.runText(fileText(changedLine), test.mishaps...)
				s.want(r, test.outcome, test.calls...)
				if strings.HasPrefix(test.outcome, "updated") != (s.stands() == formats.BalanceOf(30000)) {
					t.Errorf("stands at %v", s.stands())
				}
				if r.row(t, "A-1").Outcome.Final() {
					return
				}
				if got := s.runText(fileText(changedLine)).outcome(t, "A-1"); !strings.HasPrefix(got, "updated") {
					t.Errorf("the next run ended %s", got)
				}
			})
		})
	}
}

// TestUpdateOverPayment: after silence a balance that nothing on record explains is left alone.
func TestUpdateOverPayment(t *testing.T) {
	for _, test := range []struct {
		name    string
		mishap  string
		paid    []int64 // between the kill and the next run
		noted   bool    // the payment is on record
		outcome string
		calls   []string
		stands  int64
	}{
		{"done", "drop_after", nil, true, "updated recovered", []string{"get"}, 30000},
		{"not done", "drop_before", nil, true, "updated", []string{"get", "update"}, 30000},
		{"done, then paid", "drop_after", []int64{1000}, true, "updated recovered", []string{"get"}, 29000},
		{"done, then paid, not on record", "drop_after", []int64{1000}, false, "in_doubt balance_moved", []string{"get"}, 29000},
		{"not done, then paid", "drop_before", []int64{1000}, true, "updated", []string{"get", "update"}, 30000},
		{"not done, then paid, not on record", "drop_before", []int64{1000}, false, "in_doubt balance_moved", []string{"get"}, 23000},
		{"cannot be told", "drop_after", []int64{6000}, true, "in_doubt balance_moved", []string{"get"}, 24000},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.moment.lowers = true
				s.nextDay()
				s.crash(fileText(changedLine), test.mishap)
				wait(time.Minute)
				for _, amount := range test.paid {
					s.moment.pay(s.moment.byRef["A-1"][0], amount)
					if test.noted {
						s.memory.pay(memoryPayment{customer: "bcus_1", at: time.Now(), currency: "ZAR", amount: amount})
					}
				}
				wait(time.Minute)
				r := s.runText(fileText(changedLine))
				s.want(r, test.outcome, test.calls...)
				if s.stands() != formats.BalanceOf(test.stands) {
					t.Errorf("stands at %v, want %d", s.stands(), test.stands)
				}
				if strings.HasPrefix(test.outcome, "in_doubt") {
					for _, value := range []string{"300.00 ZAR", formats.FormatMajor(test.stands, "ZAR") + " ZAR"} {
						if !strings.Contains(r.row(t, "A-1").Detail, value) {
							t.Errorf("%s is not in the detail: %s", value, r.row(t, "A-1").Detail)
						}
					}
				}
			})
		})
	}
}

// TestSince: which payments are news to the balance that stands decides whether the same balance is sent again.
func TestSince(t *testing.T) {
	pay := func(s *scene) {
		s.memory.pay(memoryPayment{customer: "bcus_1", at: time.Now(), currency: "ZAR", amount: 100})
		wait(time.Minute)
	}
	next := func(s *scene, content string, mishaps ...string) told {
		s.records = s.memory.begin("2026-11-23")
		return s.runText(content, mishaps...)
	}
	play(t, func(t *testing.T, s *scene) { // paid: the same balance goes again
		s.run()
		wait(time.Hour)
		pay(s)
		s.want(next(s, fileText(line)), "updated", "update")
		s.want(next(s, fileText(line)), "unchanged")
	})
	play(t, func(t *testing.T, s *scene) { // an update of the name is no new balance
		s.run()
		wait(time.Hour)
		pay(s)
		s.want(next(s, fileText("A-1,Bea,,,home,")), "updated", "update")
		s.want(next(s, fileText("A-1,Bea,,24000,home,")), "updated", "update")
	})
	play(t, func(t *testing.T, s *scene) { // neither is saying the same again
		s.run()
		wait(time.Hour)
		s.memory.pay(memoryPayment{customer: "bcus_1", at: time.Now().Add(-time.Minute), currency: "ZAR", amount: 100})
		late := s.memory.payments
		s.memory.payments = nil // its event comes late
		s.want(next(s, fileText(line)), "unchanged")
		s.memory.payments = late
		s.want(next(s, fileText(line)), "updated", "update")
	})
	play(t, func(t *testing.T, s *scene) { // created before the kill, paid, and told of only afterwards
		s.crash(fileText(line), "drop_after")
		wait(time.Hour)
		pay(s)
		s.want(s.run(), "created", "create")
		s.want(next(s, fileText(line)), "updated", "update")
	})
	play(t, func(t *testing.T, s *scene) { // the same, but so late that a look-up tells
		s.crash(fileText(line), "drop_after")
		wait(25 * time.Hour)
		pay(s)
		s.want(s.run(), "created recovered", "get")
		s.want(next(s, fileText(line)), "updated", "update")
	})
}

// TestCorrections: of two files of one date the one that came later counts; an older date never overwrites a newer one.
func TestCorrections(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		first := s.records
		s.run()
		correction := s.memory.begin("2026-11-22")
		s.records = correction
		s.want(s.runText(fileText(changedLine)), "updated", "update")
		older := s.memory.begin("2026-11-21")
		s.records = older
		s.want(s.runText(fileText("A-1,Ada,,1,home,")), "skipped older_file")
		s.records = first
		s.want(s.run(), "created")
		if s.stands() != formats.BalanceOf(30000) {
			t.Errorf("stands at %v", s.stands())
		}
	})
}

// TestNewerFileOpen: while it is not known what a newer file has done, an older one waits.
func TestNewerFileOpen(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		older := s.memory.begin("2026-11-21")
		s.crash(fileText(changedLine), "drop_after")
		newer := s.records
		s.records = older
		s.want(s.run(), "not_attempted newer_file_open")
		s.records = newer
		s.want(s.runText(fileText(changedLine)), "created", "create")
		s.records = older
		s.want(s.run(), "skipped older_file")
	})
}

// TestOlderFileOpen: yesterday's request has no answer, and today's file knows the customer too.
func TestOlderFileOpen(t *testing.T) {
	for _, test := range []struct {
		name, mishap, outcome string
		calls                 []string
	}{
		{"create, done", "drop_after", "updated", []string{"get", "update"}},
		{"create, not done", "drop_before", "created", []string{"get", "get", "create"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.moment.unique = false
				yesterday := s.records
				s.crash(fileText(line), test.mishap)
				wait(24 * time.Hour)
				s.records = s.memory.begin("2026-11-23")
				s.want(s.runText(fileText(changedLine)), test.outcome, test.calls...)
				s.records = yesterday
				s.want(s.run(), "skipped older_file")
			})
		})
	}
}

// TestOlderUpdateOpen: a balance that yesterday's unanswered update may have set is no surprise to today's.
func TestOlderUpdateOpen(t *testing.T) {
	for _, mishap := range []string{"drop_after", "drop_before"} {
		play(t, func(t *testing.T, s *scene) {
			s.nextDay()
			s.crash(fileText(changedLine), mishap)
			wait(24 * time.Hour)
			s.records = s.memory.begin("2026-11-24")
			today := fileText("A-1,Ada,,50000,home,")
			s.want(s.runText(today, "drop_before"), "updated", "update", "get", "update")
			if s.stands() != formats.BalanceOf(50000) {
				t.Errorf("%s: stands at %v", mishap, s.stands())
			}
		})
	}
}

// TestFieldsOfAnOpenUpdate: what yesterday's unanswered update has done to fields that today's record leaves empty is what
// Moment shows, not what was last acknowledged.
func TestFieldsOfAnOpenUpdate(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.nextDay()
		s.crash(fileText("A-1,Bea,,24000,home,"), "drop_after")
		s.records = s.memory.begin("2026-11-24")
		s.want(s.runText(fileText("A-1,,,50000,,")), "updated", "update")
		s.records = s.memory.begin("2026-11-25")
		s.want(s.runText(fileText("A-1,Ada,,50000,,")), "updated", "update")
		if got := s.moment.byRef["A-1"][0].c.Name; got != "Ada" {
			t.Errorf("stands as %s", got)
		}
	})
}

// TestTakenOverThenKilled: a customer that was there before is put on record before it is updated, so that a later run
// knows what stood.
func TestTakenOverThenKilled(t *testing.T) {
	for _, test := range []struct {
		mishap, outcome string
		calls           []string
	}{
		{"drop_after", "updated recovered", []string{"get"}},
		{"drop_before", "updated", []string{"get", "update"}},
	} {
		play(t, func(t *testing.T, s *scene) {
			s.moment.put(formats.Customer{ExternalReference: "A-1", Name: "Ada", Currency: "ZAR", Balance: formats.BalanceOf(1)})
			s.crash(fileText(line), "", "", test.mishap)
			if row := s.row(); row.Operation != operationUpdate || row.BodySHA256 != digest([]byte(`{"currency":"ZAR","balance":24000,"metadata":{"tariff":"home"}}`)) {
				t.Errorf("on record: %+v", row)
			}
			s.want(s.run(), test.outcome, test.calls...)
		})
	}
}

// TestOursOrNot: a create without an answer, found a day later with another balance, may be ours and paid on: it is not
// overwritten, skipped or rejected without a person.
func TestOursOrNot(t *testing.T) {
	for _, policy := range []Policy{Update, Skip, Reject} {
		play(t, func(t *testing.T, s *scene) {
			s.options.Existing, s.moment.lowers = policy, true
			s.crash(fileText(line), "drop_after")
			wait(25 * time.Hour)
			s.moment.pay(s.moment.byRef["A-1"][0], 1000)
			s.want(s.run(), "in_doubt balance_moved", "get")
			if s.stands() != formats.BalanceOf(23000) {
				t.Errorf("stands at %v", s.stands())
			}
			// The next file settles it.
			s.records = s.memory.begin("2026-11-24")
			want := map[Policy]string{Update: "updated", Skip: "skipped existing", Reject: "rejected existing"}[policy]
			if got := s.runText(fileText("A-1,Ada,,500,home,")).outcome(t, "A-1"); got != want {
				t.Errorf("%s: %s", policy, got)
			}
		})
	}
}

func TestCustomerMissing(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.nextDay()
		s.moment.byRef, s.moment.byID = map[string][]*held{}, map[string]*held{}
		s.want(s.runText(fileText(changedLine)), "failed customer_missing", "update")
	})
}

func TestUpdateAnsweredForAnother(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.nextDay()
		r := run(t.Context(), t, misdirected{s.moment}, s.options, fileOf(fileText(changedLine), s.records))
		var stop *StopError
		if !errors.As(r.err, &stop) || stop.Reason != "wrong_answer" || r.outcome(t, "A-1") != "in_doubt wrong_answer" {
			t.Errorf("%v\n%s", r.err, r.outcomes)
		}
	})
}

// misdirected answers updates with another customer.
type misdirected struct{ *model }

func (misdirected) Update(context.Context, string, []byte) Answer {
	return Answer{Class: OK, Status: 200, Customer: Remote{ID: "bcus_1", Customer: formats.Customer{ExternalReference: "B-2"}}}
}

// TestPolicies: customers that the ledger knows need no request to be skipped or rejected.
func TestPolicies(t *testing.T) {
	for policy, want := range map[Policy]string{Skip: "skipped existing", Reject: "rejected existing"} {
		play(t, func(t *testing.T, s *scene) {
			s.nextDay()
			s.options.Existing = policy
			r := s.runText(fileText(changedLine))
			s.want(r, want)
			if policy == Reject && !strings.Contains(string(r.rejects), changedLine+",existing,") {
				t.Errorf("%s", r.rejects)
			}
		})
	}
}
