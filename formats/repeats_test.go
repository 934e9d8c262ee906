package formats

import (
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// findSimply finds repeats the simple way, with everything in memory.
func findSimply(records []CustomerRecord) []Repeat {
	type group struct {
		first    int
		content  string
		conflict bool
	}
	groups := map[string]*group{}
	content := func(r *CustomerRecord) string {
		if len(r.Problems) > 0 {
			return "raw " + string(r.Raw)
		}
		return string(r.Customer.AppendCanonical(nil))
	}
	for i := range records {
		r := &records[i]
		g := groups[r.Customer.ExternalReference]
		if g == nil {
			groups[r.Customer.ExternalReference] = &group{first: r.Line, content: content(r)}
			continue
		}
		g.conflict = g.conflict || g.content != content(r)
	}
	var found []Repeat
	for i := range records {
		r := &records[i]
		if g := groups[r.Customer.ExternalReference]; r.Customer.ExternalReference != "" && (g.conflict || g.first != r.Line) {
			found = append(found, Repeat{Number: r.Number, Line: r.Line, First: g.first, Conflict: g.conflict, Faulty: len(r.Problems) > 0})
		}
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
