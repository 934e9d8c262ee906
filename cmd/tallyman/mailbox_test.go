package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

// What docs/mailbox.md says of whole nights over OpenSSH; single operations are tested in internal/mailbox.

// Each fault of the document has its line, and each test that it names is there.
func TestMailboxDocument(t *testing.T) {
	text := read(t, "../../docs/mailbox.md")
	for i := 1; i <= 19; i++ {
		if !strings.Contains(text, fmt.Sprintf("\n| S%d |", i)) {
			t.Errorf("S%d is missing", i)
		}
	}
	var tests strings.Builder
	for _, dir := range []string{".", "../../internal/mailbox", "../../internal/nightly"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			tests.WriteString(read(t, file))
		}
	}
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(text, -1)
	for _, name := range names {
		if !strings.Contains(tests.String(), "func "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
	if len(names) < 19 {
		t.Errorf("%d tests are named", len(names))
	}
}

// inboxKey adds a line to the inbox section of the configuration.
func (s *stage) inboxKey(line string) {
	s.t.Helper()
	s.leave(s.config, strings.Replace(read(s.t, s.config), "inbox:\n", "inbox:\n  "+line+"\n", 1))
}

// dated leaves a day file with a time of change of its own.
func (s *stage) dated(name, text string, at time.Time) {
	s.t.Helper()
	if err := os.Chtimes(s.leave(name, text), at, at); err != nil {
		s.t.Fatal(err)
	}
}

// quiet requires that a run writes nothing at Moment.
func (s *stage) quiet(run func()) {
	s.t.Helper()
	writes := len(s.api.Writes())
	run()
	if sent := len(s.api.Writes()) - writes; sent != 0 {
		s.t.Errorf("%d writes were sent", sent)
	}
}

// What cannot be taken is said, and keeps nothing else: a file that is too large, a link, a directory, hostile names, one
// without a byte. Whatever year the server's clock has, good files are taken.
func TestInboxOfHorrors(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	s.dated("za_acme_dailyfile_2026-03-15.csv", "external_reference,balance\nC-1,100\n", time.Unix(0, 0))
	s.dated("za_acme_dailyfile_2026-03-16.csv", "external_reference,balance\nC-1,120\n", time.Date(2037, 1, 1, 0, 0, 0, 0, time.UTC))
	s.leave("za_acme_dailyfile_2026-03-14.csv", "")
	large := s.leave("za_acme_dailyfile_2026-03-13.csv", "")
	for _, err := range []error{
		os.Truncate(large, 5<<30), // no block of it is on disk
		os.Symlink("/etc/passwd", filepath.Join(s.inbox, "za_acme_dailyfile_2026-03-12.csv")),
		os.Mkdir(filepath.Join(s.inbox, "za_acme_dailyfile_2026-03-11.csv"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.leave("-rf.csv", "")
	s.leave("za_acme_dailyfile_2026-03-10.csv\x1b[2J", "")
	var r nightly.Result
	s.runJSON(3, &r, "run", "--date", "2026-03-16")
	faults := strings.Join(r.Faults, "\n")
	for _, want := range []string{
		"za_acme_dailyfile_2026-03-13.csv was left in the inbox: ", "za_acme_dailyfile_2026-03-12.csv in the inbox is not touched: it is a symbolic link",
		`-rf.csv in the inbox is not touched: its name is not safe`, `\u001b[2J in the inbox is not touched`,
	} {
		if !strings.Contains(faults, want) {
			t.Errorf("it does not say %q:\n%s", want, faults)
		}
	}
	if len(r.Files) != 3 || r.Files[0].State != "rejected" || !strings.Contains(r.Files[0].Fault, "empty") || r.Files[1].State != "done" || r.Files[2].State != "done" {
		t.Errorf("%+v", r.Files)
	}
	if _, err := os.Stat(filepath.Join(s.inbox, "rejected", "za_acme_dailyfile_2026-03-14.csv.reason.txt")); err != nil {
		t.Error(err)
	}
	if c := s.customers()["C-1"]; *c.Balance != 120 || r.Report == nil {
		t.Errorf("%+v, report %v", c, r.Report)
	}
	if _, err := os.Stat(large); err != nil {
		t.Error("the file that is too large is gone:", err)
	}
}

// A file is what its bytes are: under another name it is finished already, under its own with others it is new.
func TestFileIsItsContent(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	s.leave(s.config, strings.Replace(read(t, s.config), "{date}.csv", "{date}*.csv", 1))
	const first, second = "external_reference,balance\nC-1,100\n", "external_reference,balance\nC-1,150\n"
	s.leave("za_acme_dailyfile_2026-03-16.csv", first)
	s.run(0, "run", "--date", "2026-03-16")
	outcome := read(t, filepath.Join(s.deliver, "za_acme_dailyfile_2026-03-16.outcome.csv"))
	s.quiet(func() {
		s.leave("za_acme_dailyfile_2026-03-16_again.csv", first)
		s.run(0, "run", "--date", "2026-03-16")
	})
	if again := read(t, filepath.Join(s.deliver, "za_acme_dailyfile_2026-03-16_again.outcome.csv")); again != outcome {
		t.Errorf("re-issued as\n%s, was\n%s", again, outcome)
	}
	s.leave("za_acme_dailyfile_2026-03-16.csv", second)
	var r nightly.Result
	s.runJSON(0, &r, "run", "--date", "2026-03-16")
	if f := r.Files[0]; f.Corrects == "" || f.Outcomes["updated"] != 1 || *s.customers()["C-1"].Balance != 150 {
		t.Errorf("%+v", f)
	}
}

// An archive that nothing can be renamed to, here on another file system, keeps a file in the inbox and nothing else: it
// is done, the move is tried again by each run, and nothing is sent twice.
func TestArchiveOnAnotherFileSystem(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	archive, err := os.MkdirTemp("/dev/shm", "archive")
	if err != nil {
		t.Skip("there is no second file system here:", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(archive) })
	good := read(t, s.config)
	s.inboxKey("archive: " + archive)
	const name = "za_acme_dailyfile_2026-03-16.csv"
	s.leave(name, "external_reference,balance\nC-1,100\n")
	moved := func(code int) nightly.Result {
		t.Helper()
		var r nightly.Result
		s.runJSON(code, &r, "run", "--date", "2026-03-16")
		if r.Files[0].State != "done" {
			t.Errorf("%+v", r.Files[0])
		}
		if code == 3 && !strings.Contains(strings.Join(r.Faults, "\n"), name+" could not be moved out of the inbox and will be next time: rename ") {
			t.Errorf("%q", r.Faults)
		}
		return r
	}
	moved(3)
	s.quiet(func() { moved(3) })
	s.leave(s.config, good)
	s.quiet(func() { moved(0) })
	if _, err := os.Stat(filepath.Join(s.inbox, "archive", name)); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(archive); err != nil || len(left) > 0 {
		t.Errorf("the archive that cannot be used holds %v, %v", left, err)
	}
}

// Two machines on one inbox, with ledgers of their own, at the same time: each takes the file, since neither knows of the
// other, but keys are made of the rows, so Moment sees every customer once; who moves the file second finds it gone.
func TestTwoMachinesOnOneInbox(t *testing.T) {
	const n = 200
	s := newStage(t, sandbox.Options{UniqueOff: true, Faults: sandbox.Faults{Latency: 5 * time.Millisecond}})
	other := s.leave(filepath.Join(s.dir, "other.yaml"), strings.Replace(read(t, s.config), "data_dir: ./data", "data_dir: ./other", 1)+"reports: {dir: ./others}\n")
	for _, night := range []struct {
		date string
		rows string
	}{{"2026-03-16", manyCustomers(n)}, {"2026-03-17", strings.ReplaceAll(manyCustomers(n), "Customer ", "Client ")}} {
		name := "za_acme_dailyfile_" + night.date + ".csv"
		s.leave(name, night.rows)
		machines := []*exec.Cmd{s.command("run", "--date", night.date), s.command("run", "--date", night.date, "--config", other)}
		var said [2]strings.Builder
		for i, m := range machines {
			m.Stdout, m.Stderr = &said[i], &said[i]
			if err := m.Start(); err != nil {
				t.Fatal(err)
			}
		}
		for i, m := range machines {
			if err := m.Wait(); err != nil {
				t.Errorf("machine %d: %v: %s", i, err, said[i].String())
			}
		}
		there := s.customers() // nobody twice
		if name := there["C-199"].Name; len(there) != n || !strings.Contains(night.rows, ","+name+",") {
			t.Errorf("%d customers, the last is %q", len(there), name)
		}
		s.noViolations()
		archived, err := filepath.Glob(filepath.Join(s.inbox, "archive", "*"+night.date+"*"))
		if _, gone := os.Stat(filepath.Join(s.inbox, name)); err != nil || len(archived) != 1 || !errors.Is(gone, fs.ErrNotExist) {
			t.Errorf("the archive holds %q, the inbox: %v", archived, gone)
		}
	}
}

// A whole night, with payments, leaves nothing that others may read, whatever the umask, and nothing half done.
func TestNightLeavesNothingOpen(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	s.leave("za_acme_dailyfile_2026-03-16.csv", nightFile)
	open := func(args string) *exec.Cmd {
		cmd := s.command()
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", "umask 0; exec tallyman " + args}
		return cmd
	}
	night := func() {
		t.Helper()
		if out, _ := open("run --date 2026-03-16").CombinedOutput(); !strings.Contains(string(out), "read 10 = ") {
			t.Fatalf("%s", out)
		}
	}
	night()
	s.receivePayments(sandbox.Payment{CustomerID: s.customers()["C-1"].ID, Amount: 24000, Currency: "ZAR"})
	s.leave("za_acme_dailyfile_2026-03-16.csv", nightFile)
	night()
	files := 0
	for _, top := range []string{filepath.Join(s.dir, "data"), filepath.Join(s.dir, "reports")} {
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if d.IsDir() {
				want = fs.ModeDir | 0o700
			} else {
				files++
			}
			if info.Mode() != want {
				t.Errorf("%s is %v", path, info.Mode())
			}
			if name := d.Name(); strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".part") || strings.HasSuffix(name, ".tmp") {
				t.Errorf("%s is left", path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 20 {
		t.Errorf("only %d files", files)
	}
	for _, dir := range []string{"spool", "files", "outbox"} {
		if left, err := filepath.Glob(filepath.Join(s.dir, "data", dir, "*")); err != nil || len(left) > 0 {
			t.Errorf("%s holds %q, %v", dir, left, err)
		}
	}
}
