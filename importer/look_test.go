package importer

import (
	"errors"
	"testing"

	"tallyman/formats"
)

// A survey shows every record and counts those that the file alone rejects; what a look says ends it.
func TestSurveyShowsRecords(t *testing.T) {
	file := fileOf(fileText("A-1,Ada,,1,,", "A-1,Ada,,1,,", "B-1,Ben,nomail,2,,", "C-1,Cyd,,3,,", "C-1,Cyd,,4,,", "B 2,Ben,,5,,"), nil)
	var seen []string
	file.Look = func(r *formats.CustomerRecord) error {
		seen = append(seen, r.Customer.ExternalReference)
		return nil
	}
	im := New(nil, Options{DryRun: true})
	s, err := im.Survey(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	// Two rows have problems, and two contradict each other.
	if len(seen) != 6 || seen[2] != "B-1" || s.Records != 6 || s.Rejected != 4 {
		t.Errorf("saw %q, %d of %d rejected", seen, s.Rejected, s.Records)
	}
	enough := errors.New("enough")
	file.Look = func(*formats.CustomerRecord) error { return enough }
	if _, err := im.Survey(t.Context(), file); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}

// The first records of a file can be sent alone; those that follow are untouched, and go out when all are sent.
func TestSendFirst(t *testing.T) {
	for _, first := range []int{1, 5, chunkSize, chunkSize + 1} {
		m, records := newModel(), newMemory().begin("2026-11-22")
		file := fileOf(manyRows(chunkSize+10), records)
		im := New(m, optionsFor(t))
		s, err := im.Survey(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		few := file
		few.First = first
		if err := im.Send(t.Context(), few, s); err != nil || len(m.byID) != first {
			t.Fatalf("%d of the first %d: %v", len(m.byID), first, err)
		}
		r := account(t.Context(), t, im, file, s, nil)
		if r.account.Counts[formats.Created] != first || r.account.Counts[formats.NotAttempted] != s.Records-first {
			t.Errorf("%v", r.account.Counts)
		}
		if err := im.Send(t.Context(), file, s); err != nil || len(m.byID) != s.Records {
			t.Errorf("%d of all: %v", len(m.byID), err)
		}
	}
}
