package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFigures(t *testing.T) {
	l, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := time.Date(2026, 3, 16, 4, 0, 0, 0, time.UTC)
	for i, r := range []struct {
		id, command string
		code        int
		ended       bool
	}{{"a", "run", 0, true}, {"b", "run", 3, true}, {"c", "run", 3, true}, {"d", "import", 0, true}, {"e", "run", 0, false}} {
		run := Run{ID: r.id, Command: r.command, StartedAt: at.Add(time.Duration(i) * time.Hour), ExitCode: r.code, Summary: r.id}
		if err := l.StartRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		run.EndedAt = run.StartedAt.Add(time.Minute)
		if r.ended {
			if err := l.EndRun(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
	}
	counts, err := l.CountRuns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []RunCount{
		{"import", true, 0, 1, at.Add(3*time.Hour + time.Minute)},
		{"run", false, 0, 1, time.Time{}},
		{"run", true, 0, 1, at.Add(time.Minute)},
		{"run", true, 3, 2, at.Add(2*time.Hour + time.Minute)},
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for command, want := range map[string]string{"run": "c", "import": "d", "nothing": ""} {
		r, ok, err := l.LastEnded(t.Context(), command)
		if err != nil || r.ID != want || ok != (want != "") {
			t.Errorf("last %s: %+v %v %v", command, r, ok, err)
		}
	}
	if _, err := l.Begin(t.Context(), File{BusinessDate: "2026-03-16", SHA256: "aa", Name: "x", RunID: "a", FirstSeen: at}); err != nil {
		t.Fatal(err)
	}
	for i, f := range []File{
		{BusinessDate: "2026-03-15", Name: "day-2026-03-15.csv", DayFile: true, State: FileHeld},
		{BusinessDate: "2026-03-15", Name: "day-2026-03-15.csv", DayFile: true, State: FileDone}, // corrects it
		{BusinessDate: "2026-03-14", Name: "day-2026-03-14.csv", DayFile: true, State: FileDone},
		{BusinessDate: "2026-03-14", Name: "day-2026-03-14.csv", DayFile: true, State: FileHeld}, // came after what is done
		{BusinessDate: "2026-03-14", Name: "once.csv", State: FileRejected},
	} {
		f.SHA256, f.RunID, f.FirstSeen = fmt.Sprintf("b%d", i), "a", at
		begun, err := l.Begin(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Conclude(t.Context(), begun.ID, f.State, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	files, err := l.CountFiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"open": 1, "done": 2, "rejected": 1, "held": 1, "corrected": 1}, files); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
