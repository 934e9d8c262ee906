package reconciler

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Every id that one edit makes of a text is found, whatever the edit; nearly nothing else is.
func TestNeighbours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[ab0]{1,9}`)
		ids := rapid.SliceOfN(word, 1, 40).Draw(t, "ids")
		var near neighbours
		for i, id := range ids {
			near.add(id, i)
		}
		text, other := word.Draw(t, "text"), word.Draw(t, "other")
		found := near.find(text, other)
		for i, id := range ids {
			if (oneEdit(id, text) || oneEdit(id, other)) && !slices.Contains(found, i) {
				t.Fatalf("%q is not found by %q and %q", id, text, other)
			}
		}
		if !slices.IsSorted(found) || len(slices.Compact(slices.Clone(found))) != len(found) {
			t.Fatalf("%v", found)
		}
	})
}

func TestNeighboursOfStrangers(t *testing.T) {
	var near neighbours
	near.add("bcus_7Q2K9ZX4", 0)
	if found := near.find("bcus_0000001", "ACC-1"); len(found) > 0 {
		t.Errorf("%v", found)
	}
	if found := new(neighbours).find("bcus_1"); len(found) > 0 {
		t.Errorf("%v", found)
	}
}
