package reconciler_test

import (
	"strings"
	"testing"
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
