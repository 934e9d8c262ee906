package reconciler_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tallyman/formats"
	"tallyman/reconciler"
)

// Money of nobody's comes with whose it may be, the better evidence first; it stays unapplied.
func TestSuggestions(t *testing.T) {
	n := (&night{options: day()}).owes("bcus_11", "ZAR", 5000).owes("bcus_12", "ZAR", 700).owes("bcus_99", "JPY", 5000).owes("bcus_98", "ZAR", 5000)
	n.hears(zar(1, "bcus_13", 5000, "2026-11-22T05:00:00Z").body(), zar(2, "bcus_xyz", 1, "2026-11-22T05:00:00Z").body())
	r := n.run(t)
	same(t, "exceptions", r.reasons(), "break unknown_customer 50.00, break unknown_customer 0.01")
	for _, e := range r.Exceptions {
		_, suggested, _ := strings.Cut(e.Detail, " It may be: ")
		want := ""
		if e.EventID == "evt_1" {
			want = "ref-bcus_11 (bcus_11) differs by one character; ref-bcus_12 (bcus_12) differs by one character; ref-bcus_11 (bcus_11) owes exactly this amount."
		}
		if suggested != want {
			t.Errorf("%s: %q, want %q", e.EventID, suggested, want)
		}
	}
	if total := n.run(t).RollForward; len(total) != 2 || total[1].Paid != "0.00" {
		t.Errorf("%+v", total)
	}
}

// A customer who was seen without a balance is suggested: by the id, and by the amount that a rejected row says.
func TestSuggestionsOfSeenCustomers(t *testing.T) {
	minor := func(n int64) formats.Balance { return formats.Balance{Minor: n, Set: true} }
	seen := []reconciler.Seen{
		{ExternalReference: "R-1", CustomerID: "bcus_aaaaaaa", Where: "line 2 of a.csv"},
		{ExternalReference: "R-2", CustomerID: "bcus_bbbbbbb", Currency: "ZAR", Balance: minor(5000), Rejected: true, Where: "line 3 of a.csv"},
		{ExternalReference: "R-3", Currency: "ZAR", Balance: minor(5000), Rejected: true, Where: "line 4 of a.csv"},
		{ExternalReference: "R-4", Currency: "JPY", Balance: minor(5000), Rejected: true, Where: "line 5 of a.csv"},
		{ExternalReference: "R-5", Currency: "ZAR", Balance: minor(5000), Where: "line 6 of a.csv"},
	}
	options := day()
	options.Seen = func(yield func(reconciler.Seen, error) bool) {
		for _, s := range seen {
			if !yield(s, nil) {
				return
			}
		}
	}
	n := (&night{options: options}).owes("bcus_known", "ZAR", 1)
	n.hears(zar(1, "bcus_aaaaaaa", 700, "2026-11-22T05:00:00Z").body(), zar(2, "bcus_bbbbbbb", 5000, "2026-11-22T05:00:00Z").body(),
		zar(3, "bcus_ccccccc", 900, "2026-11-22T05:00:00Z").body())
	want := map[string]string{
		"evt_1": "R-1 has this id, and no file gave a balance: line 2 of a.csv.",
		"evt_2": "R-2 has this id, and the row was rejected: line 3 of a.csv; R-3 owes exactly this amount in a row that was rejected: line 4 of a.csv.",
		"evt_3": "",
	}
	for _, e := range n.run(t).Exceptions {
		if _, suggested, _ := strings.Cut(e.Detail, " It may be: "); suggested != want[e.EventID] {
			t.Errorf("%s: %q, want %q", e.EventID, suggested, want[e.EventID])
		}
	}

	n.options.Seen = func(yield func(reconciler.Seen, error) bool) {
		yield(reconciler.Seen{}, errors.New("the ledger is gone"))
	}
	r, _ := n.deliver(t)
	if _, err := r.Result(); err == nil || !strings.Contains(err.Error(), "the ledger is gone") {
		t.Errorf("what could not be read is taken for nothing: %v", err)
	}
}

// Whose id lacks what all others begin with may be another merchant's, where there are enough to tell.
func TestSuggestionOfAnotherMerchant(t *testing.T) {
	for _, c := range []struct {
		name, id string
		others   int
		format   string
		told     bool
	}{
		{"another prefix", "bcus_globex_1", 20, "bcus_acme_%d", true},
		{"too few", "bcus_globex_1", 19, "bcus_acme_%d", false},
		{"the same prefix", "bcus_acme_x", 20, "bcus_acme_%d", false},
		{"only the prefix of all merchants", "bcus_x", 20, "bcus_%d", false},
		{"digits in common", "bcus_x", 20, "bcus_10%02d", false},
	} {
		n := &night{options: day()}
		for i := range c.others {
			n.owes(fmt.Sprintf(c.format, i), "ZAR", 1)
		}
		e := n.hears(zar(1, c.id, 700, "2026-11-22T05:00:00Z").body()).run(t).Exceptions[0]
		if told := strings.HasSuffix(e.Detail, fmt.Sprintf(" All %d customers here have ids that begin with bcus_acme_: it may be another merchant's.", c.others)); told != c.told {
			t.Errorf("%s: %q", c.name, e.Detail)
		}
	}
}

// Many customers with the amount do not hide the one whose id is nearly the same.
func TestSuggestionsKeepTheBetterEvidence(t *testing.T) {
	n := &night{options: day()}
	for i := range 100 {
		n.owes(fmt.Sprintf("aaaa_%03d", i), "ZAR", 5000)
	}
	n.owes("bcus_near_1", "ZAR", 1)
	e := n.hears(zar(1, "bcus_near_2", 5000, "2026-11-22T05:00:00Z").body()).run(t).Exceptions[0]
	if _, suggested, _ := strings.Cut(e.Detail, " It may be: "); !strings.HasPrefix(suggested, "ref-bcus_near_1 (bcus_near_1) differs by one character; ref-aaaa_000 ") {
		t.Errorf("%q", suggested)
	}
}
