package importer

import (
	"slices"
	"testing"
)

// TestRepeatsOfWrongRows: of a record with problems the raw bytes count.
func TestRepeatsOfWrongRows(t *testing.T) {
	content := fileText("A,Ada,,1,,", "A,Ada,,1.5,,", "B,Bea,,2.5,,", "B,Bea,,2.5,,", "C,Cy,,1,,", "C,Cy,,1,,", ",Nobody,,1,,", ",Nobody,,1,,")
	o := optionsFor(t)
	o.DryRun = true
	got := run(t.Context(), t, nil, o, fileOf(content, newMemory().begin("2026-11-22")))
	var outcomes []string
	for _, r := range got.rows {
		outcomes = append(outcomes, string(r.Outcome)+" "+r.Reason)
	}
	want := []string{
		"rejected conflicting_rows", "rejected bad_balance", "rejected bad_balance", "rejected bad_balance", "created ", "duplicate same_row",
		"rejected missing_reference", "rejected missing_reference",
	}
	for i := range want {
		if outcomes[i] != want[i] {
			t.Errorf("record %d: %s, want %s", i+1, outcomes[i], want[i])
		}
	}
	if !slices.ContainsFunc(got.account.Problems, func(p Problem) bool { return p.Reason == "conflicting_rows" && p.Line == 2 }) {
		t.Error(got.account.Problems)
	}
}
