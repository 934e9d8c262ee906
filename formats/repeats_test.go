package formats

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// findSimply finds repeats the simple way, with everything in memory.
func findSimply(records []CustomerRecord) []Repeat {
	content := func(r CustomerRecord) string {
		if len(r.Problems) > 0 {
			return "raw " + string(r.Raw)
		}
		return string(r.Customer.AppendCanonical(nil))
	}
	groups := map[string][]CustomerRecord{}
	for _, r := range records {
		groups[r.Customer.ExternalReference] = append(groups[r.Customer.ExternalReference], r)
	}
	var found []Repeat
	for _, r := range records {
		group := groups[r.Customer.ExternalReference]
		unlike := func(of CustomerRecord) int {
			return slices.IndexFunc(group, func(other CustomerRecord) bool { return content(other) != content(of) })
		}
		conflict := unlike(group[0]) >= 0
		if r.Customer.ExternalReference == "" || (!conflict && r.Number == group[0].Number) {
			continue
		}
		other := group[max(0, unlike(r))]
		found = append(found, Repeat{Number: r.Number, Line: r.Line, Other: other.Line, Conflict: conflict, Faulty: len(r.Problems) > 0})
	}
	return found
}

func find(t interface{ Fatal(...any) }, dir string, records []CustomerRecord) []Repeat {
	r := NewRepeats(dir)
	for i := range records {
		if err := r.Add(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	found, err := r.Find()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records []CustomerRecord
		for i := range rapid.IntRange(0, 15).Draw(t, "records") {
			r := CustomerRecord{Number: i + 1, Line: 2*i + 2, Raw: []byte(rapid.SampledFrom([]string{"x", "y"}).Draw(t, "raw"))}
			r.Customer.ExternalReference = rapid.SampledFrom([]string{"", "A", "B", "C"}).Draw(t, "reference")
			r.Customer.Name = rapid.SampledFrom([]string{"n", "m"}).Draw(t, "name")
			if rapid.Bool().Draw(t, "faulty") {
				r.add("name", "bad", "mend it", "")
			}
			records = append(records, r)
		}
		if diff := cmp.Diff(findSimply(records), find(t, "", records)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Beyond what is held in memory it goes over files, and leaves none.
func TestRepeatsOnDisk(t *testing.T) {
	dir := t.TempDir()
	records := make([]CustomerRecord, marksHeld+1000)
	for i := range records {
		records[i] = CustomerRecord{Number: i + 1, Line: i + 2, Customer: Customer{ExternalReference: strconv.Itoa(i % (marksHeld - 500)), Name: strconv.Itoa(i / (marksHeld + 200))}}
	}
	got := find(t, dir, records)
	if diff := cmp.Diff(findSimply(records), got); diff != "" || len(got) < 1500 {
		t.Errorf("%d repeats: %.2000s", len(got), diff)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRepeatsWithoutADirectory(t *testing.T) {
	r := NewRepeats(t.TempDir() + "/absent")
	var err error
	for i := 0; err == nil && i <= marksHeld; i++ {
		err = r.Add(&CustomerRecord{Number: i + 1, Customer: Customer{ExternalReference: "C-" + strconv.Itoa(i)}})
	}
	if err == nil || r.Close() != nil {
		t.Errorf("want an error about the temporary file, got %v", err)
	}
}
