package nightly

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tallyman/formats"
	"tallyman/internal/sandbox"
)

func (w *world) backup(dir string) *Backup {
	w.t.Helper()
	b, err := MakeBackup(w.t.Context(), w.cfg, BackupRequest{Dir: dir, Results: true, Version: "test", Now: w.clock.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
	_, problems, err := CheckBackup(w.t.Context(), dir)
	if err != nil || len(problems) > 0 {
		w.t.Fatalf("the backup is wrong: %q %v", problems, err)
	}
	return b
}

// restore puts the data of a backup in place of the data directory.
func (w *world) restore(dir string) {
	w.t.Helper()
	err := errors.Join(
		os.RemoveAll(w.cfg.DataDir), os.CopyFS(w.cfg.DataDir, os.DirFS(filepath.Join(dir, backupData))),
		os.RemoveAll(w.cfg.Reports.Dir), os.CopyFS(w.cfg.Reports.Dir, os.DirFS(filepath.Join(dir, backupReports))),
	)
	if err != nil {
		w.t.Fatal(err)
	}
}

// What is restored from a backup that was made in the middle of an import is brought to the same end, nobody twice.
func TestRestoreOfABackupFromTheMiddle(t *testing.T) {
	const records = 200
	w := newWorld(t, sandbox.Options{UniqueOff: true})
	w.cfg.API.Rate, w.cfg.API.Concurrency = 400, 4
	var rows []string
	for n := range records {
		rows = append(rows, fmt.Sprintf("R%d,Name,ZAR,%d,", n, n+1))
	}
	w.leave("2026-03-16", rows...)
	reached := make(chan struct{})
	var once sync.Once
	n, err := Open(t.Context(), Options{Config: w.cfg, Command: "run", Version: "test", Log: quiet(), Now: w.clock.Now, Progress: func(p Progress) {
		if p.Done >= records/4 {
			once.Do(func() { close(reached) })
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "backup")
	ended := make(chan error, 1)
	go func() {
		_, err := n.Run(t.Context(), RunRequest{Date: "2026-03-16"})
		ended <- errors.Join(err, n.Close())
	}()
	<-reached
	w.backup(dir)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	whole := len(w.api.Writes())

	w.restore(dir)
	w.leave("2026-03-16", rows...)
	again := w.night("2026-03-16")
	f := again.Files[0]
	if f.Read != records || f.Outcomes[formats.Created]+f.Outcomes[formats.Unchanged] != records {
		t.Errorf("%d read, %v", f.Read, f.Outcomes)
	}
	if got := len(w.api.Customers(sandbox.Test)); got != records {
		t.Errorf("%d customers stand there, want %d (%d writes before)", got, records, whole)
	}
	if v := w.api.Violations(); len(v) > 0 {
		t.Errorf("violations %v", v)
	}
}

// Ledger, journal, decisions and what finance wrote: after a restore the next report says the same.
func TestRestoredReportIsTheSame(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,10000,2026-03-01", "B,Ben,ZAR,500,")
	w.night("2026-03-16")
	w.clock.at(t, "2026-03-16T10:00:00Z")
	w.pay("1", w.id("A"), 4000, "2026-03-16T09:59:00Z")
	w.pay("2", "bcus_unknown", 4000, "2026-03-16T09:59:00Z")
	w.clock.at(t, "2026-03-17T04:30:00Z")
	before := w.night("2026-03-16")
	exceptions := filepath.Join(before.Report.Dir, "exceptions.csv")
	text, err := os.ReadFile(exceptions)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.TrimSuffix(string(text), ",,\n") + ",Thandi,asked Moment\n")
	if err := os.WriteFile(exceptions, text, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "backup")
	b := w.backup(dir)
	if !b.Config || !slices.ContainsFunc(b.Files, func(f BackupFile) bool { return f.Path == backupConfig }) {
		t.Errorf("the configuration is not in %+v", b.Files)
	}
	saved, err := os.ReadFile(filepath.Join(dir, backupConfig))
	if err != nil || strings.Contains(string(saved), w.cfg.API.Key.Reveal()) || !strings.Contains(string(saved), "merchant: sandbox") {
		t.Errorf("the configuration was saved as\n%s %v", saved, err)
	}
	first := w.night("2026-03-16")
	w.restore(dir)
	second := w.night("2026-03-16")
	if text, err = os.ReadFile(filepath.Join(second.Report.Dir, "exceptions.csv")); err != nil || !strings.Contains(string(text), "Thandi,asked Moment") {
		t.Errorf("the comment is gone: %v\n%s", err, text)
	}
	if got, want := figures(w.balance(second.Report, "A")), "0.00 + 100.00 - 40.00 = 60.00 part_paid"; got != want {
		t.Errorf("A: %s, want %s", got, want)
	}
	if first.Report.Breaks != second.Report.Breaks || first.Report.Summary.Journal != second.Report.Summary.Journal {
		t.Errorf("breaks %d and %d, journal %+v and %+v", first.Report.Breaks, second.Report.Breaks, first.Report.Summary.Journal, second.Report.Summary.Journal)
	}
}

func TestBackupNamesDamage(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,10000,")
	w.night("2026-03-16")
	w.pay("1", w.id("A"), 4000, "2026-03-16T09:59:00Z")
	good := filepath.Join(t.TempDir(), "good")
	w.backup(good)
	for name, tt := range map[string]struct {
		harm func(dir string) error
		want string
	}{
		"a file lost":     {func(dir string) error { return os.Remove(filepath.Join(dir, "data/journal/HEAD")) }, "data/journal/HEAD is missing"},
		"a file more":     {func(dir string) error { return os.WriteFile(filepath.Join(dir, "data/x"), nil, 0o600) }, "data/x is none of its files"},
		"a broken ledger": {func(dir string) error { return os.Truncate(filepath.Join(dir, "data/ledger.db"), 5000) }, "the ledger: "},
		"a changed event": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "data/journal/2026-03-16.jsonl"), []byte("{}\n"), 0o600)
		}, "the journal: "},
	} {
		dir := filepath.Join(t.TempDir(), "copy")
		if err := errors.Join(os.CopyFS(dir, os.DirFS(good)), tt.harm(dir)); err != nil {
			t.Fatal(err)
		}
		_, problems, err := CheckBackup(t.Context(), dir)
		if err != nil || !slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, tt.want) }) {
			t.Errorf("%s: %q %v", name, problems, err)
		}
	}
	if err := os.Remove(filepath.Join(good, backupManifest)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := CheckBackup(t.Context(), good); err == nil {
		t.Error("a backup without its manifest is finished")
	}
}

func TestBackupRefusesItsTarget(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.night("2026-03-16")
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{full: "is not empty", filepath.Join(w.cfg.DataDir, "backup"): "which it is to save", w.cfg.Reports.Dir: "which it is to save"} {
		_, err := MakeBackup(t.Context(), w.cfg, BackupRequest{Dir: dir, Now: w.clock.Now()})
		var input *InputError
		if !errors.As(err, &input) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if _, err := os.Stat(filepath.Join(full, "x")); err != nil {
		t.Error(err)
	}
}
