package reconciler_test

import (
	"slices"
	"testing"

	"tallyman/formats"
	"tallyman/reconciler"
)

// liveNight has four customers: one who paid all, one who paid a part, one who did not, and one with money of nobody's.
func liveNight(t *testing.T) report {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000).owes("bcus_2", "ZAR", 500).owes("bcus_3", "ZAR", 200).owes("bcus_4", "JPY", 70)
	n.hears(zar(1, "bcus_1", 1000, "2026-11-22T05:00:00Z").body(), zar(2, "bcus_2", 100, "2026-11-22T06:00:00Z").body(), zar(3, "bcus_4", 5, "2026-11-22T06:00:00Z").body())
	return n.run(t)
}

func who(id string) reconciler.LiveCandidate {
	return reconciler.LiveCandidate{CustomerID: id, ExternalReference: "ref-" + id}
}

func sum(v int64) formats.Sum { return formats.SumOf(v) }

// Whether Moment lowers a balance is found out, and what nobody can know is no drift: never the whole book.
func TestCompareLive(t *testing.T) {
	one := reconciler.LiveCustomer{LiveCandidate: who("bcus_1"), Currency: "ZAR", Asserted: 1000, PaidSince: sum(1000)}
	two := reconciler.LiveCustomer{LiveCandidate: who("bcus_2"), Currency: "ZAR", Asserted: 500, PaidSince: sum(100)}
	three := reconciler.LiveCustomer{LiveCandidate: who("bcus_3"), Currency: "ZAR", Asserted: 200}
	shows := func(c reconciler.LiveCustomer, balance int64) reconciler.LiveCustomer {
		c.Balance = balance
		return c
	}
	unsure := shows(one, 1000)
	unsure.Unsure = true
	gone := three
	gone.Missing = true
	for _, c := range []struct {
		name      string
		customers []reconciler.LiveCustomer
		want      formats.Live
		drift     string
	}{
		{"lowers", []reconciler.LiveCustomer{shows(one, 0), shows(two, 400), shows(three, 200)}, formats.Live{Compared: 3, LowersBalance: "yes", EvidenceYes: 2}, ""},
		{"does not", []reconciler.LiveCustomer{shows(one, 1000), shows(two, 500), shows(three, 200)}, formats.Live{Compared: 3, LowersBalance: "no", EvidenceNo: 2}, ""},
		{"nobody paid", []reconciler.LiveCustomer{shows(three, 200)}, formats.Live{Compared: 1, LowersBalance: "unknown"}, ""},
		{"contradiction", []reconciler.LiveCustomer{shows(one, 0), shows(two, 500), shows(three, 200)}, formats.Live{Compared: 3, LowersBalance: "unknown", EvidenceYes: 1, EvidenceNo: 1}, ""},
		{"higher", []reconciler.LiveCustomer{shows(one, 0), shows(three, 250)}, formats.Live{Compared: 2, Drift: 1, LowersBalance: "yes", EvidenceYes: 1}, "0.50"},
		{"lower, not lowering", []reconciler.LiveCustomer{shows(one, 1000), shows(two, 390)}, formats.Live{Compared: 2, Drift: 1, LowersBalance: "no", EvidenceNo: 1}, "-1.10"},
		{"lowered where none is", []reconciler.LiveCustomer{shows(one, 1000), shows(two, 500), shows(three, 150)}, formats.Live{Compared: 3, Drift: 1, LowersBalance: "no", EvidenceNo: 2}, "-0.50"},
		{"a payment as it was asserted", []reconciler.LiveCustomer{unsure, shows(two, 400)}, formats.Live{Compared: 2, LowersBalance: "yes", EvidenceYes: 1}, ""},
		{"gone", []reconciler.LiveCustomer{gone}, formats.Live{Compared: 1, Drift: 1, LowersBalance: "unknown"}, "0.00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := liveNight(t)
			if got := r.CompareLive(c.customers); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			drift := ""
			for _, e := range r.Exceptions {
				if e.Reason == formats.ReasonBalanceDrift {
					drift += e.Amount.Major(e.Currency)
					if e.Severity != formats.SeverityBreak || e.ExternalReference != "ref-"+e.CustomerID || e.Detail == "" || e.FirstSeen.IsZero() {
						t.Errorf("%+v", e)
					}
				}
			}
			if drift != c.drift {
				t.Errorf("drift %q, want %q", drift, c.drift)
			}
		})
	}
}

// The tolerance holds for what Moment shows as well.
func TestCompareLiveWithinTolerance(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 1000)
	n.options.Tolerance = 5
	for shown, drifts := range map[int64]int64{995: 0, 1005: 0, 994: 1, 1006: 1} {
		r := n.run(t)
		if got := r.CompareLive([]reconciler.LiveCustomer{{LiveCandidate: who("bcus_1"), Currency: "ZAR", Asserted: 1000, Balance: shown}}); got.Drift != drifts {
			t.Errorf("%d shown: %+v", shown, got)
		}
	}
}

// What Moment shows stands in the row, signed, against the position.
func TestLiveColumns(t *testing.T) {
	r := liveNight(t)
	r.CompareLive([]reconciler.LiveCustomer{
		{LiveCandidate: who("bcus_1"), Currency: "ZAR", Asserted: 1000, PaidSince: sum(1000), Balance: 1000},
		{LiveCandidate: who("bcus_4"), Currency: "ZAR", Balance: 70},
	})
	for row := range r.Balances() {
		if want := row.CustomerID == "bcus_1"; row.HasLive != want {
			t.Errorf("%s: has live %v", row.CustomerID, row.HasLive)
		} else if want && (row.LiveBalance != 1000 || row.LiveDifference != sum(1000)) {
			t.Errorf("%+v", row)
		}
	}
}

func TestLiveCandidates(t *testing.T) {
	r := liveNight(t)
	for mode, want := range map[string][]string{
		"none": nil, "": nil,
		"exceptions": {"bcus_1", "bcus_2", "bcus_4"}, // the last one is named by a currency_mismatch
		"all":        {"bcus_1", "bcus_2", "bcus_3", "bcus_4"},
	} {
		if got := len(r.LiveCandidates(mode, "bcus_3", "bcus_7")); want != nil && got != 4 {
			t.Errorf("%s and others: %d", mode, got)
		}
		var got []string
		for _, c := range r.LiveCandidates(mode) {
			got = append(got, c.CustomerID)
			if c.ExternalReference != "ref-"+c.CustomerID {
				t.Errorf("%+v", c)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", mode, got, want)
		}
	}
	// Who has changed currency is asked for once.
	n := (&night{options: day()}).owes("bcus_1", "ZAR", 100)
	n.assertions = append(n.assertions, reconciler.Assertion{CustomerID: "bcus_1", Currency: "USD", Balance: 7, At: at("2026-11-22T01:00:00Z")})
	if got := n.run(t).LiveCandidates("all"); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	// Of a whole town that pays, a few are witnesses enough.
	n = &night{options: day()}
	for i := range 100 {
		id := "bcus_" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		n.owes(id, "ZAR", 100).hears(zar(i, id, 100, "2026-11-22T05:00:00Z").body())
	}
	if got := n.run(t).LiveCandidates("exceptions"); len(got) != 25 {
		t.Errorf("%d witnesses", len(got))
	}
}
