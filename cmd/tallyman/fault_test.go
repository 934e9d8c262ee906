package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

// Each of these ends as if nothing had happened, or stops and says what to do. The stand-in takes a reference twice, so
// that nobody but tallyman keeps a customer from being created twice.

func manyCustomers(n int) string {
	var b strings.Builder
	b.WriteString("external_reference,name,currency,balance\n")
	for i := range n {
		fmt.Fprintf(&b, "C-%d,Customer %d,ZAR,%d\n", i, i, i)
	}
	return b.String()
}

// allThere requires exactly n customers, nobody twice, one key for one body, and a finished file that sends nothing.
func (s *stage) allThere(n int, path string) {
	s.t.Helper()
	if there := s.customers(); len(there) != n {
		s.t.Errorf("%d customers, want %d", len(there), n)
	}
	s.noViolations()
	writes := len(s.api.Writes())
	s.run(0, "import", path)
	if sent := len(s.api.Writes()) - writes; sent != 0 {
		s.t.Errorf("the finished file sent %d writes", sent)
	}
}

// SIGTERM lets what is in flight end with its answer: nothing is in doubt.
func TestTerminatedImportDrains(t *testing.T) {
	const n = 500
	s := newStage(t, sandbox.Options{UniqueOff: true, Faults: sandbox.Faults{Latency: 30 * time.Millisecond}})
	path := s.leave(filepath.Join(s.dir, "customers.csv"), manyCustomers(n))
	out := filepath.Join(s.dir, "out")
	cmd := s.command("import", "--out", out, path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return len(s.api.Writes()) > 10 })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("exit %d", cmd.ProcessState.ExitCode())
	}
	counts := map[string]int{}
	for _, row := range table(t, filepath.Join(out, "customers.outcome.csv")) {
		counts[row["outcome"]]++
	}
	if counts["in_doubt"] != 0 || counts["not_attempted"] == 0 || counts["created"] != len(s.customers()) {
		t.Errorf("%v, and %d customers", counts, len(s.customers()))
	}
	s.run(0, "import", path)
	s.allThere(n, path)
}

// A second signal ends it at once; the next run settles what was in flight.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	const n = 20
	s := newStage(t, sandbox.Options{UniqueOff: true, Faults: sandbox.Faults{Latency: 2 * time.Second}})
	path := s.leave(filepath.Join(s.dir, "customers.csv"), manyCustomers(n))
	cmd := s.command("import", path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return len(s.api.Writes()) > 0 })
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for waiting := true; waiting; {
		select {
		case <-ended:
			waiting = false
		case <-again.C:
			_ = cmd.Process.Signal(os.Interrupt)
		}
	}
	if cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("exit %d", cmd.ProcessState.ExitCode())
	}
	if err := s.api.SetFaults(sandbox.Faults{}); err != nil {
		t.Fatal(err)
	}
	s.run(0, "import", path)
	s.allThere(n, path)
}

// Without its ledger, tallyman finds by key and look-up what it did before.
func TestLedgerDeleted(t *testing.T) {
	const n = 40
	s := newStage(t, sandbox.Options{UniqueOff: true})
	path := s.leave(filepath.Join(s.dir, "customers.csv"), manyCustomers(n))
	s.run(0, "import", path)
	if err := os.RemoveAll(filepath.Join(s.dir, "data")); err != nil {
		t.Fatal(err)
	}
	s.run(0, "import", path)
	s.allThere(n, path)
}

// Yesterday's ledger does not know today's customers, and does not create them again.
func TestLedgerFromBackup(t *testing.T) {
	const n = 40
	s := newStage(t, sandbox.Options{UniqueOff: true})
	data, backup := filepath.Join(s.dir, "data"), filepath.Join(s.dir, "backup")
	yesterday := s.leave(filepath.Join(s.dir, "yesterday.csv"), manyCustomers(n/2))
	s.run(0, "import", "--date", "2026-03-15", yesterday)
	if err := os.CopyFS(backup, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	today := s.leave(filepath.Join(s.dir, "today.csv"), strings.ReplaceAll(manyCustomers(n), ",7\n", ",700\n"))
	s.run(0, "import", "--date", "2026-03-16", today)
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(backup, data); err != nil {
		t.Fatal(err)
	}
	s.run(0, "import", "--date", "2026-03-16", today)
	if c := s.customers()["C-7"]; *c.Balance != 700 {
		t.Errorf("C-7 stands at %d", *c.Balance)
	}
	if there := s.customers(); len(there) != n {
		t.Errorf("%d customers, want %d", len(there), n)
	}
	s.noViolations()
}

// With no room for the records nothing more is sent; with room again the run goes on.
func TestDiskFull(t *testing.T) {
	const n = 4000
	s := newStage(t, sandbox.Options{UniqueOff: true})
	small := filepath.Join(s.dir, "data")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", small).CombinedOutput(); err != nil {
		t.Skipf("no file system of a given size may be mounted here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", small).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	path := s.leave(filepath.Join(s.dir, "customers.csv"), manyCustomers(n))
	r := s.run(4, "import", "--out", filepath.Join(s.dir, "out"), path)
	if !strings.Contains(r.stderr, "records_failed") || !strings.Contains(r.stderr, "full") {
		t.Error(r.stderr)
	}
	if sent := len(s.api.Writes()); sent == 0 || sent == n {
		t.Errorf("%d requests were sent before the disk was full", sent)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=64m", small).CombinedOutput(); err != nil {
		t.Fatalf("remount: %s", out)
	}
	s.run(0, "import", path)
	s.allThere(n, path)
}

// A disk that fails to synchronize is not asked again: the run stops and says what to do, and the next one, on a disk that
// works, ends as if nothing had happened. Nothing was sent without an intent on disk, so nobody is there twice.
func TestSyncFails(t *testing.T) {
	tracer, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace here to make a system call fail")
	}
	if out, err := exec.Command(tracer, "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("no process may be traced here: %s", out)
	}
	const n = 300
	for _, after := range []int{0, 40} { // requests
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			s := newStage(t, sandbox.Options{UniqueOff: true, Faults: sandbox.Faults{Latency: 20 * time.Millisecond}})
			path := s.leave(filepath.Join(s.dir, "customers.csv"), manyCustomers(n))
			failing := []string{"-f", "-qq", "-o", os.DevNull, "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"}
			cmd := s.command("import", path)
			var said strings.Builder
			cmd.Stderr = &said
			if after == 0 {
				cmd.Path, cmd.Args = tracer, append(append([]string{tracer}, failing...), cmd.Args...)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if after > 0 {
				waitFor(t, func() bool { return len(s.api.Writes()) > after })
				trace := exec.Command(tracer, append(failing, "-p", fmt.Sprint(cmd.Process.Pid))...)
				if err := trace.Start(); err != nil {
					t.Fatal(err)
				}
				defer trace.Wait()
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != exitStopped || !strings.Contains(said.String(), "the disk of data_dir has failed") {
				t.Errorf("exit %d: %s", code, said.String())
			}
			if there := len(s.customers()); there < after || there == n {
				t.Errorf("%d customers", there)
			}
			s.run(0, "import", path)
			s.allThere(n, path)
		})
	}
}

// An API that only refuses is left alone after a while; nothing is marked failed, and the next run goes on.
func TestRefusingAPIStopsTheRun(t *testing.T) {
	const n = 20
	s := newStage(t, sandbox.Options{UniqueOff: true, Faults: sandbox.Faults{TooMany: 1}}, "  give_up_after: 2s")
	path := s.leave(filepath.Join(s.dir, "customers.csv"), manyCustomers(n))
	var r nightly.Result
	s.runJSON(4, &r, "import", path)
	if o := r.Files[0].Outcomes; o["not_attempted"] != n {
		t.Errorf("%v", o)
	}
	if err := s.api.SetFaults(sandbox.Faults{}); err != nil {
		t.Fatal(err)
	}
	s.run(0, "import", "--retry", r.RunID)
	s.allThere(n, path)
}

// An API that is away is not an API that refuses: nothing is in doubt.
func TestAPIAway(t *testing.T) {
	s := newStage(t, sandbox.Options{}, "  give_up_after: 1s")
	s.leave(s.config, strings.Replace(read(t, s.config), s.api.APIURL(), "http://127.0.0.1:1", 1))
	path := s.leave(filepath.Join(s.dir, "customers.csv"), manyCustomers(5))
	var r nightly.Result
	s.runJSON(4, &r, "import", path)
	if o := r.Files[0].Outcomes; o["not_attempted"] != 5 {
		t.Errorf("%v", o)
	}
}
