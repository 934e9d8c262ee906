package importer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// TestResume goes through what an earlier run may have left of a record, and what that asks for.
func TestResume(t *testing.T) {
	body := digest(createBody(ada()))
	for _, test := range []struct {
		name     string
		before   Row
		standing Standing
		want     string
	}{
		{"planned, perhaps sent", Row{Operation: "create", BodySHA256: body, PlannedAt: noon.Add(-time.Hour)}, Standing{}, "create gen 0 maybe sent"},
		{"in doubt", Row{Operation: "create", BodySHA256: body, PlannedAt: noon.Add(-time.Hour), Result: result(formats.InDoubt, 3)}, Standing{}, "create gen 0 maybe sent, attempts 3"},
		{"later generation", Row{Operation: "create", BodySHA256: body, Generation: 2, PlannedAt: noon}, Standing{}, "create gen 2 maybe sent"},
		{"failure answer", Row{Operation: "create", BodySHA256: body, PlannedAt: noon, Refused: true, Result: result(formats.InDoubt, 1)}, Standing{}, "create gen 0 maybe sent look refused, attempts 1"},
		{"too old", Row{Operation: "create", BodySHA256: body, PlannedAt: noon.Add(-20*time.Hour - time.Second)}, Standing{}, "create gen 0 maybe sent look"},
		{"just young enough", Row{Operation: "create", BodySHA256: body, PlannedAt: noon.Add(-20 * time.Hour)}, Standing{}, "create gen 0 maybe sent"},
		{"planned in the future: the clock has jumped", Row{Operation: "create", BodySHA256: body, PlannedAt: noon.Add(2 * time.Minute)}, Standing{}, "create gen 0 maybe sent look"},
		{"other bytes", Row{Operation: "create", BodySHA256: digest([]byte("x")), PlannedAt: noon}, Standing{}, "create gen 0 maybe sent look"},
		{"was an update", Row{Operation: "update", BodySHA256: body, PlannedAt: noon}, Standing{}, "create gen 0 maybe sent look"},
		{"was a create, is an update", Row{Operation: "create", BodySHA256: body, PlannedAt: noon}, Standing{CustomerID: "bcus_1"}, "update gen 0 maybe sent look"},
		{"update in doubt", Row{Operation: "update", BodySHA256: digest(updateBody(ada())), PlannedAt: noon}, Standing{CustomerID: "bcus_1"}, "update gen 0 maybe sent look"},
		{"failed", Row{Operation: "create", BodySHA256: body, Generation: 1, PlannedAt: noon.Add(-time.Hour), Result: result(formats.Failed, 8)}, Standing{}, "create gen 1 maybe sent look, attempts 8"},
		{"not attempted at all", Row{Operation: "create", BodySHA256: body, PlannedAt: noon.Add(-48 * time.Hour), Result: result(formats.NotAttempted, 0)}, Standing{}, "create gen 0"},
		{"refused for pace, then stopped", Row{Operation: "create", BodySHA256: body, Refused: true, PlannedAt: noon, Result: result(formats.NotAttempted, 1)}, Standing{}, "create gen 0 look refused, attempts 1"},
		{"decided without a request", Row{Result: result(formats.NotAttempted, 0)}, Standing{}, "create gen 0"},
		{"another file's request is open", Row{}, Standing{Unresolved: true}, "create gen 0 look"},
	} {
		t.Run(test.name, func(t *testing.T) {
			im := New(nil, Options{Merchant: "acme", Mode: "test", Existing: Update, Now: func() time.Time { return noon }})
			e := &entry{number: 1, line: 2, customer: ada(), standing: test.standing, ready: true}
			if test.before.Operation != "" || test.before.Result.Outcome != "" {
				e.before = &test.before
			}
			e.verdict = decide(e.customer, e.standing, Update)
			row, j := im.plan(e)
			if got := describeJob(*row, j); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if row.Operation == operationCreate && row.Key != im.idempotencyKey("create", "A-1", j.body, row.Generation) {
				t.Error("the key is not that of its generation")
			}
			wantPlanned := noon
			if e.before != nil && strings.Contains(test.want, "maybe sent") && test.before.Result.Outcome != formats.Failed {
				wantPlanned = test.before.PlannedAt // the age of what may have been sent is what counts
			}
			if !row.PlannedAt.Equal(wantPlanned) {
				t.Errorf("planned at %s, want %s", row.PlannedAt, wantPlanned)
			}
		})
	}
}

func result(o formats.Outcome, attempts int) formats.OutcomeRow {
	return formats.OutcomeRow{Outcome: o, Attempts: attempts}
}

func describeJob(row Row, j *job) string {
	s := fmt.Sprintf("%s gen %d", row.Operation, row.Generation)
	if j.maybeSent {
		s += " maybe sent"
	}
	if j.lookFirst {
		s += " look"
	}
	if row.Refused {
		s += " refused"
	}
	if row.Result.Attempts > 0 {
		s += fmt.Sprintf(", attempts %d", row.Result.Attempts)
	}
	return s
}

// TestAgeCountsSleep: the age of a key goes by the wall clock, since Moment's does; Go's monotonic clock stands still while
// a machine sleeps.
func TestAgeCountsSleep(t *testing.T) {
	im := New(nil, Options{Now: time.Now})
	row, _ := im.plan(&entry{customer: ada(), verdict: Verdict{Operation: operationCreate}})
	if strings.Contains(row.PlannedAt.String(), " m=") {
		t.Errorf("a monotonic reading in %s", row.PlannedAt)
	}
}

// TestReadDifferently: a row that is on record under a number must be the record that has this number now.
func TestReadDifferently(t *testing.T) {
	records := newMemory().begin("2026-11-22")
	m := newModel()
	o := optionsFor(t)
	content := fileText("A-1,Ada,,100,,", "A-2,Bea,,100,,")
	run(t.Context(), t, m, o, fileOf(content, records))
	other := fileOf("external_reference;name\nA-2;Bea\nA-1;Ada\n", records)
	im := New(m, o)
	s, err := im.Survey(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Send(t.Context(), other, s); err == nil || !strings.HasPrefix(err.Error(), "misconfigured: line 2 ") {
		t.Errorf("got %v", err)
	}
}
