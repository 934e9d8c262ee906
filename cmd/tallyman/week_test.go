package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

// week is a stage on which night follows night, by a clock that the test sets.
type week struct {
	*stage
	date string // of the night at hand
	data string // data directory; on a file system of its own, where one may be mounted
	tiny bool   // it is
}

// weekCustomers is how many customers every good file has.
const weekCustomers = 40

// Nights with one thing wrong in each, with the real program, OpenSSH's sshd and a stand-in for Moment that would take a
// customer twice: what the program did, what it said, and what it left for the morning.
func TestWeekOfNights(t *testing.T) {
	s := newStage(t, sandbox.Options{UniqueOff: true}, "  give_up_after: 1s")
	w := &week{stage: s, data: filepath.Join(s.dir, "data")}
	w.mount()
	for _, night := range []struct {
		date, name string
		f          func(*week)
	}{
		{"2026-03-16", "nothing wrong", (*week).good},
		{"2026-03-17", "late file", (*week).late},
		{"2026-03-18", "half a file", (*week).half},
		{"2026-03-19", "another tenant's file", (*week).foreign},
		{"2026-03-20", "balances times 100", (*week).shifted},
		{"2026-03-21", "API down", (*week).away},
		{"2026-03-22", "key revoked", (*week).revoked},
		{"2026-03-23", "huge file", (*week).huge},
		{"2026-03-24", "killed", (*week).killed},
		{"2026-03-25", "disk full", (*week).full},
		{"2026-03-26", "clock changed", (*week).clock},
		{"2026-03-28", "machine was off for a night", (*week).off},
	} {
		w.date = night.date
		if !t.Run(night.name, func(t *testing.T) {
			w.t, w.stage.t = t, t
			w.at("07:30")
			night.f(w)
			w.noViolations()
			w.restful()
		}) {
			return
		}
	}
}

// at sets the clock to a time of the night's date, in Johannesburg.
func (w *week) at(clock string) {
	w.set(w.date + "T" + clock + ":00+02:00")
}

func (w *week) set(clock string) {
	now, err := time.Parse(time.RFC3339, clock)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Setenv(clockVariable, clockFrom(now))
}

// rows is a file of n customers whose balances are those of the night's date, times something.
func (w *week) rows(n int, prefix string, times int) string {
	var b strings.Builder
	b.WriteString("external_reference,name,currency,balance\n")
	day, err := strconv.Atoi(w.date[len(w.date)-2:])
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range n {
		fmt.Fprintf(&b, "%s-%d,Customer %d,ZAR,%d\n", prefix, i, i, times*(1000+10*i+day))
	}
	return b.String()
}

func (w *week) name() string { return "za_acme_dailyfile_" + w.date + ".csv" }

// whole leaves the night's file as it should be.
func (w *week) whole() { w.leave(w.name(), w.rows(weekCustomers, "C", 1)) }

// night runs a pass and requires its exit code and pieces of what it says.
func (w *week) night(code int, says ...string) nightly.Result {
	w.t.Helper()
	var r nightly.Result
	w.runJSON(code, &r, "run")
	told := strings.Join(r.NeedsPerson(), "\n") + "\n" + r.Stopped
	for _, want := range says {
		if !strings.Contains(told, want) {
			w.t.Errorf("it does not say %q:\n%s", want, told)
		}
	}
	return r
}

// quiet requires that a pass sends nothing.
func (w *week) quiet(pass func()) {
	w.t.Helper()
	writes := len(w.api.Writes())
	pass()
	if sent := len(w.api.Writes()) - writes; sent != 0 {
		w.t.Errorf("%d requests were sent", sent)
	}
}

// status requires what status says there is to do.
func (w *week) status(says ...string) {
	w.t.Helper()
	text := w.run(0, "status").stdout
	_, next, _ := strings.Cut(text, "\nNEXT\n")
	for _, want := range says {
		if !strings.Contains(next, want) {
			w.t.Errorf("status does not say %q:\n%s", want, text)
		}
	}
}

// restful requires that by the end of a night all is as it should be: every customer once with the balance of the last
// file, the inbox empty, nothing to do, nothing left over.
func (w *week) restful() {
	w.t.Helper()
	there := w.customers()
	for i, line := range strings.Split(strings.TrimSpace(w.rows(weekCustomers, "C", 1)), "\n")[1:] {
		cells := strings.Split(line, ",")
		if c := there[cells[0]]; c.Balance == nil || fmt.Sprint(*c.Balance) != cells[3] {
			w.t.Fatalf("customer %d stands as %+v, the file says %s", i, c, line)
		}
	}
	if left, err := filepath.Glob(filepath.Join(w.inbox, "*.csv")); err != nil || len(left) > 0 {
		w.t.Errorf("the inbox holds %q, %v", left, err)
	}
	for _, dir := range []string{"spool/*", "files/*", "outbox/*"} {
		if left, err := filepath.Glob(filepath.Join(w.data, dir)); err != nil || len(left) > 0 {
			w.t.Errorf("left behind: %q, %v", left, err)
		}
	}
	w.status("nothing to do")
}

func (w *week) good() {
	w.whole()
	if f := w.night(0).Files[0]; f.Outcomes["created"] != weekCustomers {
		w.t.Errorf("%v", f.Outcomes)
	}
	w.quiet(func() { w.night(0) })
}

func (w *week) late() {
	if r := w.night(3, "no day file has come for "+w.date); r.Missing != w.date || r.Report == nil {
		w.t.Errorf("missing %q, report %v", r.Missing, r.Report)
	}
	w.status("no day file has come for "+w.date, "ask the biller")
	w.at("09:00")
	w.whole()
	w.night(0)
}

func (w *week) half() {
	w.leave(w.name(), w.rows(weekCustomers/2, "C", 1))
	w.quiet(func() {
		r := w.night(3, "20 of the 40 customers of yesterday's file are missing", "tallyman approve ")
		if r.Files[0].State != "held" || r.Report == nil {
			w.t.Errorf("%+v", r.Files[0])
		}
	})
	w.status("is held: 20 of the 40", "tallyman approve ")
	w.at("09:00")
	w.whole() // in its place
	if f := w.night(0).Files[0]; f.Corrects == "" || f.Outcomes["updated"] != weekCustomers {
		w.t.Errorf("%+v", f)
	}
}

func (w *week) foreign() {
	w.leave("za_other_dailyfile_"+w.date+".csv", w.rows(3, "X", 1))
	w.leave(w.name(), w.rows(weekCustomers, "X", 1)) // under our name
	w.quiet(func() {
		r := w.night(3, "40 of the 40 customers of yesterday's file are missing")
		if len(r.Waiting) != 1 || !strings.Contains(r.Waiting[0], "za_other_dailyfile") {
			w.t.Errorf("waiting: %q", r.Waiting)
		}
	})
	if _, there := w.customers()["X-0"]; there {
		w.t.Error("a customer of another tenant was created")
	}
	w.at("09:00")
	if err := os.Remove(filepath.Join(w.inbox, "za_other_dailyfile_"+w.date+".csv")); err != nil {
		w.t.Fatal(err)
	}
	w.whole()
	w.night(0)
}

func (w *week) shifted() {
	w.leave(w.name(), w.rows(weekCustomers, "C", 100))
	w.quiet(func() {
		w.night(3, "the total owed in ZAR is", "40 of the 40 balances that can be compared are about 100 times larger than last asserted")
	})
	w.at("09:00")
	w.whole()
	w.night(0)
}

func (w *week) away() {
	w.whole()
	good := read(w.t, w.config)
	w.leave(w.config, strings.Replace(good, w.api.APIURL(), "http://127.0.0.1:1", 1))
	if o := w.night(4, "api_gave_up").Files[0].Outcomes; o["not_attempted"] != weekCustomers {
		w.t.Errorf("%v", o)
	}
	w.status("stopped early", "tallyman run")
	w.leave(w.config, good)
	w.at("09:00")
	w.night(0)
}

func (w *week) revoked() {
	w.whole()
	w.api.RevokeKey(sandbox.Test)
	if o := w.night(4, "credentials_refused").Files[0].Outcomes; o["updated"]+o["failed"] != 0 {
		w.t.Errorf("%v", o)
	}
	w.status("stopped early: credentials_refused", "tallyman run")
	w.api.RestoreKey(sandbox.Test)
	w.at("09:00")
	w.night(0)
}

// A file fifty times as large is held, since so much more is owed; it is right after all, and a person says so.
func (w *week) huge() {
	const many = 50 * weekCustomers
	w.leave(w.name(), w.rows(many, "C", 1))
	var id string
	w.quiet(func() {
		id = w.night(3, "the total owed in ZAR is").Files[0].FileID
	})
	if out := w.run(0, "approve", id, "--reason", "two towns more", "--by", "nomsa").stdout; !strings.Contains(out, "is released by nomsa") {
		w.t.Error(out)
	}
	w.at("09:00")
	r := w.night(0)
	if f := r.Files[0]; f.Approval == nil || f.Approval.Reason != "two towns more" || f.Outcomes["created"] != many-weekCustomers {
		w.t.Errorf("%+v", f)
	}
}

// The towns are gone again, and a person knows; the machine dies in the middle of it.
func (w *week) killed() {
	w.whole()
	id := w.night(3, "1,960 of the 2,000 customers of yesterday's file are missing").Files[0].FileID
	w.run(0, "approve", id, "--reason", "the towns have their own file now")
	if err := w.api.SetFaults(sandbox.Faults{Latency: 20 * time.Millisecond}); err != nil {
		w.t.Fatal(err)
	}
	w.at("08:00")
	cmd := w.command("run")
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	writes := len(w.api.Writes())
	waitFor(w.t, func() bool { return len(w.api.Writes()) > writes+5 })
	if err := cmd.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := w.api.SetFaults(sandbox.Faults{}); err != nil {
		w.t.Fatal(err)
	}
	w.status("was killed before its end", "tallyman run")
	w.at("09:00")
	if o := w.night(0).Files[0].Outcomes; o["updated"] != weekCustomers {
		w.t.Errorf("%v", o)
	}
}

// mount gives the data directory a file system of its own, so that one night it can be full.
func (w *week) mount() {
	if err := os.Mkdir(w.data, 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", w.data).Run(); err != nil {
		return
	}
	w.tiny = true
	w.t.Cleanup(func() { _ = exec.Command("umount", "-l", w.data).Run() })
}

func (w *week) full() {
	w.whole()
	if w.tiny {
		w.quiet(func() {
			ballast := filepath.Join(w.data, "ballast")
			if err := exec.Command("sh", "-c", "head -c 100M /dev/zero >"+ballast).Run(); err == nil {
				w.t.Fatal("the disk is not full")
			}
			if said := w.run(4, "run").stderr; !strings.Contains(said, "disk") || !strings.Contains(said, "again") {
				w.t.Errorf("it does not say that the disk is full and what to do:\n%s", said)
			}
			if left, err := filepath.Glob(filepath.Join(w.inbox, w.name())); err != nil || len(left) != 1 {
				w.t.Errorf("the inbox holds %q, %v", left, err)
			}
			if err := os.Remove(ballast); err != nil {
				w.t.Fatal(err)
			}
		})
	}
	w.at("09:00")
	w.night(0)
}

// The clock goes back by two days and then forward again. Files keep the date in their name.
func (w *week) clock() {
	w.whole()
	w.set("2026-03-24T07:30:00+02:00")
	w.night(0)
	w.at("09:00")
	if r := w.night(0); r.BusinessDate != "2026-03-25" {
		w.t.Errorf("the report is for %s", r.BusinessDate)
	}
}

// Nothing ran on the 27th. Its file is still there in the morning after, with that of the day.
func (w *week) off() {
	today := w.date
	w.date = "2026-03-27"
	w.whole()
	w.date = today
	w.whole()
	r := w.night(0)
	if len(r.Files) != 2 || r.Files[0].BusinessDate != "2026-03-27" || len(r.Absent) != 1 || r.Absent[0].Kind != nightly.AbsentRun {
		w.t.Errorf("%d files, %+v", len(r.Files), r.Absent)
	}
}
