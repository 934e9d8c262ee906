package importer

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tallyman/formats"
)

// findRepeats finds the repeats of records, where each is a reference and what it says.
func findRepeats(t testing.TB, records [][2]string) map[int]repeat {
	t.Helper()
	r := &repeats{dir: t.TempDir()}
	var scratch []byte
	for i, record := range records {
		var err error
		c := formats.Customer{ExternalReference: record[0], Name: record[1]}
		if scratch, err = r.add(&formats.CustomerRecord{Number: i + 1, Line: i + 2, Customer: c}, scratch); err != nil {
			t.Fatal(err)
		}
	}
	found, err := r.find()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(r.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
	return found
}

// wantRepeats finds them the simple way.
func wantRepeats(records [][2]string) map[int]repeat {
	lines := map[string][]int{}
	says := map[string]map[string]bool{}
	for i, r := range records {
		if r[0] == "" {
			continue
		}
		lines[r[0]] = append(lines[r[0]], i)
		if says[r[0]] == nil {
			says[r[0]] = map[string]bool{}
		}
		says[r[0]][r[1]] = true
	}
	want := map[int]repeat{}
	for reference, at := range lines {
		for n, i := range at {
			if conflict := len(says[reference]) > 1; conflict || n > 0 {
				want[i+1] = repeat{conflict: conflict, first: at[0] + 2}
			}
		}
	}
	return want
}

func checkRepeats(t interface{ Fatalf(string, ...any) }, got, want map[int]repeat) {
	if len(got) != len(want) {
		t.Fatalf("%d repeats, want %d", len(got), len(want))
	}
	for n, w := range want {
		if got[n] != w {
			t.Fatalf("record %d: %+v, want %+v", n, got[n], w)
		}
	}
}

func TestRepeats(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records := rapid.SliceOf(rapid.Custom(func(rt *rapid.T) [2]string {
			return [2]string{
				rapid.SampledFrom([]string{"", "A", "B", "C", "D"}).Draw(rt, "reference"),
				rapid.SampledFrom([]string{"x", "x", "x", "y"}).Draw(rt, "says"),
			}
		})).Draw(rt, "records")
		checkRepeats(rt, findRepeats(t, records), wantRepeats(records))
	})
}

// TestRepeatsOnDisk has more records than are held in memory, and repeats across every boundary.
func TestRepeatsOnDisk(t *testing.T) {
	for _, total := range []int{spillAt, 2*spillAt + 1000} {
		records := make([][2]string, total)
		for i := range records {
			records[i] = [2]string{fmt.Sprint("C-", i), "x"}
		}
		for i := range 50 {
			records[total-1-i*7] = records[i*13] // the same at the other end
			records[total/2+i] = [2]string{fmt.Sprint("C-", i*13+1), "y"}
		}
		checkRepeats(t, findRepeats(t, records), wantRepeats(records))
	}
}

// TestRepeatsOfOne: when one reference has filled the memory, the others have not been on disk at all.
func TestRepeatsOfOne(t *testing.T) {
	records := slices.Repeat([][2]string{{"A", "x"}}, spillAt)
	records = append(records, [2]string{"B", "x"}, [2]string{"C", "x"}, [2]string{"B", "y"}, [2]string{"A", "x"})
	checkRepeats(t, findRepeats(t, records), wantRepeats(records))
}

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

func TestRepeatsWithoutADirectory(t *testing.T) {
	r := &repeats{dir: t.TempDir() + "/absent"}
	var err error
	for i := 0; err == nil && i <= spillAt; i++ {
		_, err = r.add(&formats.CustomerRecord{Number: i + 1, Customer: formats.Customer{ExternalReference: fmt.Sprint("C-", i)}}, nil)
	}
	if err == nil || r.close() != nil {
		t.Errorf("want an error about the temporary file, got %v", err)
	}
}
