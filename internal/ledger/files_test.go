package ledger

import (
	"slices"
	"testing"
	"time"
)

// comes puts a file on record as it ends up.
func comes(t *testing.T, l *Ledger, date, sum string, dayFile bool, state string) File {
	t.Helper()
	f, err := l.Begin(t.Context(), File{BusinessDate: date, SHA256: sum, Name: sum + ".csv", DayFile: dayFile, FirstSeen: time.UnixMicro(1), RunID: "r"})
	must(t, err)
	must(t, l.Conclude(t.Context(), f.ID, state, "", 1))
	f.State = state
	return f
}

func TestOvertaken(t *testing.T) {
	held := File{BusinessDate: "2026-03-16", Name: "a.csv", DayFile: true, State: FileHeld}
	for _, c := range []struct {
		name  string
		later File
		want  bool
	}{
		{"another day file of the date", File{BusinessDate: "2026-03-16", Name: "b.csv", DayFile: true, State: FileDone}, true},
		{"the same name", File{BusinessDate: "2026-03-17", Name: "a.csv", State: FileDone}, true},
		{"it is not done", File{BusinessDate: "2026-03-16", Name: "a.csv", DayFile: true, State: FileOpen}, false},
		{"a day file of another date", File{BusinessDate: "2026-03-17", Name: "b.csv", DayFile: true, State: FileDone}, false},
		{"a one-off of the date", File{BusinessDate: "2026-03-16", Name: "b.csv", State: FileDone}, false},
	} {
		if got := held.OvertakenBy(c.later); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	if done := (File{Name: "a.csv", State: FileDone}); done.OvertakenBy(File{Name: "a.csv", State: FileDone}) {
		t.Error("a file that is done was overtaken")
	}
}

func TestFilesOnRecord(t *testing.T) {
	l := openTest(t, t.TempDir())
	alone, err := l.FirstEver(t.Context(), comes(t, l, "2026-03-15", "only", false, FileDone).ID)
	if err != nil || !alone {
		t.Errorf("the only file is not the first: %t, %v", alone, err)
	}
	open, rejected := comes(t, l, "2026-03-16", "open", true, FileOpen), comes(t, l, "2026-03-16", "rejected", true, FileRejected)
	held := comes(t, l, "2026-03-17", "held", true, FileHeld)
	if first, err := l.FirstEver(t.Context(), 1); err != nil || !first {
		t.Errorf("files that are not done count as imported before: %t, %v", first, err)
	}
	comes(t, l, "2026-03-17", "one-off", false, FileDone)
	if first, err := l.FirstEver(t.Context(), open.ID); err != nil || first {
		t.Errorf("others were imported before: %t, %v", first, err)
	}
	for _, c := range []struct {
		what string
		list func() ([]File, error)
		want []string
	}{
		{"unsettled", func() ([]File, error) { return l.Unsettled(t.Context()) }, []string{"open", "held"}},
		{"the last two", func() ([]File, error) { return l.Files(t.Context(), 2) }, []string{"one-off", "held"}},
		{"of a run", func() ([]File, error) { return l.FilesOf(t.Context(), "r") }, []string{"only", "open", "rejected", "held", "one-off"}},
	} {
		files, err := c.list()
		must(t, err)
		var got []string
		for _, f := range files {
			got = append(got, f.SHA256)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	if dates, err := l.DayFileDates(t.Context(), "2026-01-01"); err != nil || !slices.Equal(dates, []string{"2026-03-16", "2026-03-17"}) {
		t.Errorf("a one-off made a date: %q, %v", dates, err)
	}
	if _, ok, err := l.SameContent(t.Context(), File{SHA256: "one-off", BusinessDate: "2026-03-18"}); ok || err != nil {
		t.Errorf("a one-off is a day file with the same content: %t, %v", ok, err)
	}
	again, err := l.Begin(t.Context(), File{BusinessDate: held.BusinessDate, SHA256: held.SHA256, Name: held.Name, RunID: "s"})
	if err != nil || !again.DayFile {
		t.Errorf("a day file is none any more: %+v, %v", again, err)
	}
	// An approved file is listed until it is done.
	for _, want := range []int{1, 0} {
		if want == 1 {
			_, err = l.Approve(t.Context(), held.ID, Approval{ApprovedAt: time.UnixMicro(1)})
		} else {
			err = l.Conclude(t.Context(), held.ID, FileDone, "", 1)
		}
		must(t, err)
		if files, err := l.Approved(t.Context()); err != nil || len(files) != want {
			t.Errorf("approved: %+v, %v, want %d", files, err, want)
		}
	}
	if ok, err := l.Approve(t.Context(), rejected.ID, Approval{ApprovedAt: time.UnixMicro(1)}); ok || err != nil {
		t.Errorf("a file that nothing holds was approved: %t, %v", ok, err)
	}
}

// The bytes of a held file are needed until a later day file of its date is done.
func TestNeededUntilCorrected(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(*Ledger)
		want  bool
	}{
		{"held", func(l *Ledger) { comes(t, l, "2026-03-16", "aa", true, FileHeld) }, true},
		{"open", func(l *Ledger) { comes(t, l, "2026-03-16", "aa", true, FileOpen) }, true},
		{"open, and corrected", func(l *Ledger) {
			comes(t, l, "2026-03-16", "aa", true, FileOpen)
			comes(t, l, "2026-03-16", "bb", true, FileDone)
		}, true},
		{"done", func(l *Ledger) { comes(t, l, "2026-03-16", "aa", true, FileDone) }, false},
		{"corrected", func(l *Ledger) {
			comes(t, l, "2026-03-16", "aa", true, FileHeld)
			comes(t, l, "2026-03-16", "bb", true, FileDone)
		}, false},
		{"the correction is held too", func(l *Ledger) {
			comes(t, l, "2026-03-16", "aa", true, FileHeld)
			comes(t, l, "2026-03-16", "bb", true, FileHeld)
		}, true},
		{"done before it came", func(l *Ledger) {
			comes(t, l, "2026-03-16", "bb", true, FileDone)
			comes(t, l, "2026-03-16", "aa", true, FileHeld)
		}, true},
		{"done for another date", func(l *Ledger) {
			comes(t, l, "2026-03-16", "aa", true, FileHeld)
			comes(t, l, "2026-03-17", "bb", true, FileDone)
		}, true},
		{"a one-off of its date", func(l *Ledger) {
			comes(t, l, "2026-03-16", "aa", true, FileHeld)
			comes(t, l, "2026-03-16", "bb", false, FileDone)
		}, true},
		{"itself a one-off", func(l *Ledger) {
			comes(t, l, "2026-03-16", "aa", false, FileHeld)
			comes(t, l, "2026-03-16", "bb", true, FileDone)
		}, true},
	} {
		l := openTest(t, t.TempDir())
		c.build(l)
		if got, err := l.IsNeeded(t.Context(), "aa"); err != nil || got != c.want {
			t.Errorf("%s: needed %t, %v", c.name, got, err)
		}
	}
}

// A file is begun once anything of it is on record, wherever it stands.
func TestStartedByFinishedRows(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	must(t, l.Record(t.Context(), f, nil, []Finished{created(1, "A", 5, time.UnixMicro(1))}))
	if started, err := l.Started(t.Context(), f.ID); err != nil || !started {
		t.Errorf("%t, %v", started, err)
	}
}
