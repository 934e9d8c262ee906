package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

// localConfig writes and loads a configuration for a data directory of its own.
func localConfig(t *testing.T, more string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), configName)
	text := "merchant: acme\napi: {key: sk_test_canary01234567, base_url: \"http://127.0.0.1:1\"}\n" + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path, config.Environment{}, config.SectionMerchant|config.SectionDataDir|config.SectionAPI)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// command runs tallyman in this process.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	a, out, errs := testApp()
	code = execute(a, newRoot(a), args)
	return out.String(), errs.String(), code
}

// A run without an end is at work as long as its lock is held, and was killed else; to look needs no lock.
func TestStatusOfRunWithoutEnd(t *testing.T) {
	cfg := localConfig(t, "")
	night, err := nightly.Open(t.Context(), nightly.Options{Config: cfg, Command: "import", Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := command(t, "status", "--config", cfg.File())
	if code != 0 || !strings.Contains(stdout, "at work: tallyman import, process ") || !strings.Contains(stdout, " running ") || !strings.Contains(stdout, "nothing to do") {
		t.Errorf("while it runs: exit %d\n%s%s", code, stdout, stderr)
	}
	if err := night.Close(); err != nil {
		t.Fatal(err)
	}

	stdout, stderr, code = command(t, "status", "--config", cfg.File())
	want := "run " + night.ID() + " was killed before its end\n    -> the same tallyman import again\n"
	if code != 0 || strings.Contains(stdout, "at work") || !strings.Contains(stdout, want) || !strings.Contains(stdout, "was killed; run the same command again") {
		t.Errorf("after it: exit %d, want %q\n%s%s", code, want, stdout, stderr)
	}
	stdout, _, code = command(t, "status", "--config", cfg.File(), night.ID())
	if code != 0 || !strings.Contains(stdout, "import "+night.ID()+": killed, began ") {
		t.Errorf("the run alone: exit %d\n%s", code, stdout)
	}
	stdout, _, _ = command(t, "status", "--config", cfg.File(), "--json")
	var answer statusAnswer
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || len(answer.Runs) != 1 || answer.Runs[0].State != runKilled || len(answer.Next) != 1 || !answer.Ledger {
		t.Errorf("JSON: %v\n%s", err, stdout)
	}

	l, err := ledger.Open(t.Context(), cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Begin(t.Context(), ledger.File{BusinessDate: "2026-11-22", SHA256: strings.Repeat("ab", 32), Name: "c.csv", FirstSeen: time.Now(), RunID: night.ID()})
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	stdout, _, _ = command(t, "status", "--config", cfg.File())
	if n := strings.Count(stdout, "-> "); n != 1 || !strings.Contains(stdout, "-> tallyman import --retry "+night.ID()) {
		t.Errorf("with a file under way, %d steps\n%s", n, stdout)
	}
}

func ended(command, id string, r nightly.Result) runInfo {
	return runInfo{ID: id, Command: command, State: runEnded, result: &r}
}

func TestNextSteps(t *testing.T) {
	good := ended("run", "r9", nightly.Result{})
	for _, tt := range []struct {
		name string
		s    statusAnswer
		want []string // what -> do, shortened
	}{
		{"nothing", statusAnswer{Runs: []runInfo{good}}, nil},
		{"stopped, with its file", statusAnswer{
			Runs:  []runInfo{ended("import", "r2", nightly.Result{Stopped: "credentials_refused: 403"})},
			Files: []fileInfo{{Name: "a.csv", State: ledger.FileOpen, RunID: "r2"}},
		}, []string{"run r2 stopped early: credentials_refused: 403 -> tallyman import --retry r2"}},
		{"an older run's trouble is over once a later one ended", statusAnswer{
			Runs: []runInfo{good, {ID: "r1", Command: "run", State: runKilled}},
		}, nil},
		{"an import does not hide the night", statusAnswer{
			Runs: []runInfo{ended("import", "r3", nightly.Result{}), ended("run", "r1", nightly.Result{
				Missing: "2026-11-22", Faults: []string{"the mailbox: gone"}, Waiting: []string{"b.csv: its name does not fit inbox.pattern; import it with: tallyman import sftp:b.csv", "c.csv: still being written; the next run takes it"},
				BusinessDate: "2026-11-21", Report: &nightly.Report{Dir: "reports/x", Breaks: 2},
			})},
		}, []string{
			"no day file has come for 2026-11-22 -> ask the biller for it; tallyman run takes it",
			"the mailbox: gone -> tallyman doctor tries the mailbox; tallyman run tries again",
			"left in the inbox: b.csv: its name does not fit inbox.pattern -> tallyman import sftp:b.csv",
			"left in the inbox: c.csv: still being written -> nothing: the next run takes it",
			"the report for 2026-11-21 has 2 breaks -> open " + filepath.Join("reports", "x", "exceptions.csv") + "; tallyman decide releases or drops held events",
		}},
		{"what did not happen is said once", statusAnswer{
			Runs:   []runInfo{ended("run", "r1", nightly.Result{Missing: "2026-11-22"})},
			Absent: []nightly.Absence{{Kind: nightly.AbsentFile, Date: "2026-11-22", Detail: "late", Do: "ask"}, {Kind: nightly.AbsentRun, Date: "2026-11-21", Detail: "no pass", Do: "look"}},
		}, []string{"late -> ask", "no pass -> look"}},
		{"a file that came after all", statusAnswer{
			Runs:  []runInfo{ended("run", "r1", nightly.Result{Missing: "2026-11-22"})},
			Files: []fileInfo{{Name: "a.csv", BusinessDate: "2026-11-22", DayFile: true, State: ledger.FileDone}},
		}, nil},
		{"held and approved files", statusAnswer{Files: []fileInfo{
			{FileID: "aa", Name: "a.csv", BusinessDate: "2026-11-22", State: ledger.FileHeld, Reason: "half"},
			{FileID: "bb", Name: "b.csv", BusinessDate: "2026-11-22", State: ledger.FileOpen, Reason: "odd", RunID: "r2", Approval: &nightly.Approval{HeldFor: "odd"}},
			{FileID: "cc", Name: "c.csv", BusinessDate: "2026-11-22", State: ledger.FileOpen, RunID: "r3", Approval: &nightly.Approval{HeldFor: "odd"}},
		}}, []string{
			"a.csv (aa) for 2026-11-22 is held: half -> tallyman approve aa --reason TEXT if it is right; else have a corrected file sent",
			"b.csv (bb) for 2026-11-22 is approved and not imported yet -> tallyman run imports it; at once: tallyman import --retry r2",
			"c.csv (cc) for 2026-11-22 has unfinished records -> tallyman import --retry r3",
		}},
		{"a damaged journal", statusAnswer{Journal: journalStatus{State: "torn_tail", Checked: "r1"}}, []string{
			"the journal was found torn tail by run r1 -> tallyman journal verify names each damage; tallyman journal repair moves a torn tail aside",
		}},
		{"rejected records", statusAnswer{
			Runs: []runInfo{ended("import", "r1", nightly.Result{Files: []nightly.FileResult{
				{Name: "a.csv", BusinessDate: "2026-11-21", Read: 9, Rejects: "a.rejects.csv", Outcomes: map[formats.Outcome]int{formats.Rejected: 1}},
				{Name: "b's c.csv", BusinessDate: "2026-11-22", Read: 9, Rejects: "b's c.rejects.csv", Outcomes: map[formats.Outcome]int{formats.Rejected: 2}},
			}})},
		}, []string{
			"a.csv: 1 record of 9 rejected -> correct them in the rejects file, then tallyman import --date 2026-11-21 a.rejects.csv",
			`b's c.csv: 2 records of 9 rejected -> correct them in the rejects file, then tallyman import --date 2026-11-22 'b'\''s c.rejects.csv'`,
		}},
		{"files", statusAnswer{
			Runs: []runInfo{good},
			Files: []fileInfo{
				{Name: "b.csv", State: ledger.FileDone, BusinessDate: "2026-11-22", DayFile: true},
				{Name: "a.csv", FileID: "aa", State: ledger.FileRejected, BusinessDate: "2026-11-20", Reason: "no"},
				{Name: "c.csv", FileID: "cc", State: ledger.FileOpen, BusinessDate: "2026-11-20", RunID: "r4"},
				{Name: "old.csv", State: ledger.FileRejected, BusinessDate: "2026-11-22", DayFile: true},
				{Name: "b.csv", State: ledger.FileOpen, BusinessDate: "2026-11-19"},
			},
		}, []string{
			"a.csv (aa) for 2026-11-20 was rejected as a whole: no -> have it corrected and sent again; tallyman check FILE tells before",
			"c.csv (cc) for 2026-11-20 has unfinished records -> tallyman import --retry r4",
		}},
		{"outbox and journal", statusAnswer{Outbox: []string{"a", "b"}, Journal: journalStatus{Trouble: "no"}}, []string{
			"2 result files not delivered -> tallyman run delivers them; tallyman doctor tries the mailbox",
			"the journal cannot be read: no -> tallyman journal verify",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.s.Ledger = true
			var got []string
			for _, step := range nextSteps(&tt.s) {
				got = append(got, step.What+" -> "+step.Do)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What stands in other people's names does not steer the terminal.
func TestStatusIsPrintable(t *testing.T) {
	hostile := "a\x1b[2J\u202e.csv"
	text := statusText(&statusAnswer{
		Ledger: true, Outbox: []string{hostile}, Files: []fileInfo{{Name: hostile}}, Next: []nextStep{{hostile, hostile}},
		Runs: []runInfo{{ID: "r1", Line: hostile}}, Journal: journalStatus{Trouble: hostile},
	}, time.UTC)
	if strings.ContainsAny(text, "\x1b\u202e") || strings.Count(text, `\u001b`) != 6 {
		t.Errorf("%q", text)
	}
}

func TestRunOnRecordThatCannotBeRead(t *testing.T) {
	now := time.Now()
	for _, summary := range []string{"", "{", `{"files":3}`} {
		r := newRunInfo(ledger.Run{ID: "r1", StartedAt: now, EndedAt: now, Summary: summary}, nightly.Holder{})
		if r.result != nil || r.State != runEnded || runStory(r, time.UTC) == "" {
			t.Errorf("%q: %+v", summary, r)
		}
	}
}

// Many runs with one beginning are not all listed.
func TestFindRunAmbiguous(t *testing.T) {
	l, err := ledger.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range 7 {
		if err := l.StartRun(t.Context(), ledger.Run{ID: fmt.Sprintf("20261122T04300%dZ-aaaa", i), StartedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = findRun(t.Context(), l, "20261122")
	if exitCode(t.Context(), err) != exitUsage || !strings.Contains(err.Error(), "of 7 runs") || strings.Count(err.Error(), "-aaaa") != 5 {
		t.Errorf("%v", err)
	}
	run, err := findRun(t.Context(), l, "20261122T043003")
	if err != nil || run.ID != "20261122T043003Z-aaaa" {
		t.Errorf("%+v, %v", run, err)
	}
}

// The lock may be held by a run that is not on record, a dry run say, while an earlier one was killed.
func TestRunInfoStates(t *testing.T) {
	began := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)
	holder := func(held bool, since string) nightly.Holder {
		return nightly.Holder{Held: held, Text: "tallyman run, process 1, since " + since}
	}
	for _, tt := range []struct {
		holder nightly.Holder
		want   string
	}{
		{holder(true, "2026-11-22T04:30:00Z"), runRunning},
		{holder(true, "2026-11-22T05:30:00Z"), runKilled},
		{holder(false, "2026-11-22T04:30:00Z"), runKilled},
		{nightly.Holder{}, runKilled},
	} {
		if r := newRunInfo(ledger.Run{ID: "r1", StartedAt: began}, tt.holder); r.State != tt.want {
			t.Errorf("%+v: %s, want %s", tt.holder, r.State, tt.want)
		}
	}
}
