package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

// A ledger that cannot be read stops every command that asks it, and says what helps.
func TestDamagedLedger(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ledger.db"), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ledger.OpenExisting(t.Context(), dir)
	if code := exitCode(t.Context(), sorted(err)); code != exitStopped || !strings.Contains(sorted(err).Error(), "put back the last backup") {
		t.Errorf("exit %d: %v", code, sorted(err))
	}
	config := filepath.Join(dir, "tallyman.yaml")
	if err := os.WriteFile(config, []byte("merchant: acme\ndata_dir: .\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"status"}, {"approve", "aabbccddeeff", "--reason", "x"}, {"reconcile", "--date", "2026-03-16"}} {
		_, stderr, code := command(t, append(args, "--config", config)...)
		if code != exitStopped || !strings.Contains(stderr, "put back the last backup") {
			t.Errorf("%v: exit %d: %s", args, code, stderr)
		}
	}
}

// A mailbox that an import cannot have is for a person, not an unforeseen failure.
func TestInboxCannotBeHad(t *testing.T) {
	err := sorted(&nightly.InboxError{Err: errors.New("the host key is not the pinned one")})
	if code := exitCode(t.Context(), err); code != exitNeedsPerson || !strings.HasSuffix(err.Error(), "; nothing was done") {
		t.Errorf("exit %d: %v", code, err)
	}
}

// A file where a directory is needed is named as that, by whatever needs the directory.
func TestFileInTheWay(t *testing.T) {
	dir := t.TempDir()
	text := "merchant: acme\ndata_dir: ./data\nreports: {dir: ./reports}\nreceiver: {listen: \"127.0.0.1:0\", secrets: [\"raw:" + strings.Repeat("s", 24) + "\"]}\n"
	for path, content := range map[string]string{"tallyman.yaml": text, "reports": "", "data/journal": ""} {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := ledger.Open(t.Context(), filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"reconcile --date 2026-03-16", exitStopped, "a file stands where a directory is needed"},
		{"receive", exitStopped, "a file stands where a directory is needed"},
		{"journal verify", exitUsage, "is no directory"},
	} {
		_, stderr, code := command(t, append(strings.Fields(tt.args), "--config", filepath.Join(dir, "tallyman.yaml"))...)
		if code != tt.code || !strings.Contains(stderr, tt.says) {
			t.Errorf("%s: exit %d: %s", tt.args, code, stderr)
		}
	}
}

// Why a run stopped decides what the command ends with, and that what was done is not denied.
func TestCutShort(t *testing.T) {
	because := func(reason string) error { return &importer.StopError{Reason: reason, Err: errors.New("x")} }
	for _, tt := range []struct {
		why                   error
		untouched, unforeseen bool
		code                  int
		says                  string
	}{
		{because("misconfigured"), true, false, exitUsage, "nothing was done"},
		{because("misconfigured"), false, false, exitStopped, "what was done is on record"},
		{because("unauthorized"), true, false, exitStopped, "run the same command again"},
		{because("internal_error"), true, true, exitUnforeseen, "what was done is on record"},
		{errors.New("x"), true, false, exitStopped, "what was done is on record"},
	} {
		err := cutShort(tt.why, tt.untouched, tt.unforeseen)
		if code := exitCode(t.Context(), err); code != tt.code || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v, untouched %t: exit %d: %v", tt.why, tt.untouched, code, err)
		}
	}
	for outcome, want := range map[formats.Outcome]bool{
		formats.Created: false, formats.Updated: false, formats.InDoubt: false, formats.NotAttempted: true, formats.Rejected: true, formats.Unchanged: true,
	} {
		r := &nightly.Result{Files: []nightly.FileResult{{Outcomes: map[formats.Outcome]int{formats.Skipped: 1}}, {Outcomes: map[formats.Outcome]int{outcome: 1}}}}
		if untouched(r) != want {
			t.Errorf("with one record %s: untouched %t", outcome, untouched(r))
		}
	}
}

// Whatever a file is called, its name neither steers a terminal nor looks like a line of ours.
func TestNamesAreShownAsTheyAre(t *testing.T) {
	const name = "a\n\x1b[2Jb"
	text := importText(&nightly.Result{Files: []nightly.FileResult{{
		Name: name + ".csv", BusinessDate: "2026-03-16", Read: 1, Outcome: "/runs/" + name + ".outcome.csv", Rejects: "/runs/" + name + ".rejects.csv",
		Outcomes: map[formats.Outcome]int{formats.Rejected: 1},
	}}})
	if lines := strings.Split(text, "\n"); len(lines) != 4 || strings.Contains(text, "\x1b") || strings.Count(text, `a\u000a\u001b[2Jb`) != 3 {
		t.Errorf("%q", text)
	}
}

// What to do is said once, whoever says it.
func TestRunAgainIsSaidOnce(t *testing.T) {
	for _, why := range []string{"nothing but refusals: run the same command again when it works", "the key is refused"} {
		if text := stoppedEarly(errors.New(why)).Error(); strings.Count(text, runAgain) != 1 {
			t.Error(text)
		}
	}
}
