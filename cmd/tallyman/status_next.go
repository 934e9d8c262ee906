package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tallyman/formats"
	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

// nextStep is one thing that needs a person, and what helps.
type nextStep struct {
	What string `json:"what"`
	Do   string `json:"do"` // a command, or what to do in words
}

// nextSteps works out from runs, files and the outbox what is to be done. It is empty if nothing is.
func nextSteps(s *statusAnswer) []nextStep {
	steps := []nextStep{}
	if !s.Ledger {
		return append(steps, nextStep{"nothing was imported yet", "tallyman doctor, then tallyman import --dry-run FILE"})
	}
	for _, absent := range s.Absent {
		steps = append(steps, nextStep{absent.Detail, absent.Do})
	}
	told := map[string]bool{} // runs whose files need no step of their own
	for _, command := range []string{"run", "import"} {
		i := slices.IndexFunc(s.Runs, func(r runInfo) bool { return r.Command == command })
		if i < 0 {
			continue
		}
		r := s.Runs[i]
		if r.result != nil && s.stillMissing(r.result.Missing) {
			steps = append(steps, nextStep{"no day file has come for " + r.result.Missing, "ask the biller for it; tallyman run takes it"})
		}
		steps = append(steps, afterRun(r, s.Files)...)
		told[r.ID] = r.State != runEnded || (r.result != nil && r.result.Stopped != "")
	}
	for i, f := range s.Files {
		if !told[f.RunID] && !overtaken(f, s.Files[:i]) {
			steps = append(steps, afterFile(f)...)
		}
	}
	if len(s.Outbox) > 0 {
		steps = append(steps, nextStep{count(len(s.Outbox), "result file") + " not delivered", "tallyman run delivers them; tallyman doctor tries the mailbox"})
	}
	if len(s.Mail) > 0 {
		steps = append(steps, nextStep{count(len(s.Mail), "report") + " not sent by mail", "tallyman run sends them; if it stays so, look at notify.smtp"})
	}
	if s.Journal.State != "" && s.Journal.State != formats.JournalWhole {
		steps = append(steps, nextStep{
			"the journal was found " + strings.ReplaceAll(s.Journal.State, "_", " ") + " by run " + s.Journal.Checked,
			"tallyman journal verify names each damage; tallyman journal repair moves a torn tail aside",
		})
	}
	steps = append(steps, afterSigned(s.Signed)...)
	if s.Journal.Trouble != "" {
		steps = append(steps, nextStep{"the journal cannot be read: " + s.Journal.Trouble, "tallyman journal verify"})
	}
	return steps
}

// stillMissing reports whether the day file that a run missed is still to be asked for, and not named already.
func (s *statusAnswer) stillMissing(date string) bool {
	return date != "" &&
		!slices.ContainsFunc(s.Absent, func(a nightly.Absence) bool { return a.Date == date && a.Kind != nightly.AbsentRun }) &&
		!slices.ContainsFunc(s.Files, func(f fileInfo) bool { return f.DayFile && f.BusinessDate == date })
}

// afterRun is what the last run of a command leaves to do.
func afterRun(r runInfo, files []fileInfo) []nextStep {
	again := "tallyman " + r.Command
	if r.Command == "import" {
		again = "the same tallyman import again"
		if slices.ContainsFunc(files, func(f fileInfo) bool { return f.RunID == r.ID && f.State == ledger.FileOpen }) {
			again = "tallyman import --retry " + r.ID
		}
	}
	switch {
	case r.State == runRunning:
		return nil
	case r.State == runKilled:
		return []nextStep{{"run " + r.ID + " was killed before its end", again}}
	case r.result == nil:
		return nil
	}
	var steps []nextStep
	if r.result.Stopped != "" {
		steps = append(steps, nextStep{"run " + r.ID + " stopped early: " + r.result.Stopped, again})
	}
	for _, f := range r.result.Files {
		if n := f.Outcomes[formats.Rejected]; n > 0 {
			steps = append(steps, nextStep{
				fmt.Sprintf("%s: %s of %d rejected", f.Name, count(n, "record"), f.Read), "correct them in the rejects file, then tallyman import --date " + f.BusinessDate + " " + shellWord(f.Rejects),
			})
		}
	}
	return append(steps, afterNight(r.result)...)
}

// shellWord is a path as it can be typed in a command: the name in it is the biller's.
func shellWord(path string) string {
	if !strings.ContainsAny(path, " \t'\"`$&;|<>()[]{}*?!#~") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// afterNight is what a nightly pass leaves to do beside its files.
func afterNight(r *nightly.Result) []nextStep {
	var steps []nextStep
	for _, fault := range r.Faults {
		steps = append(steps, nextStep{fault, "tallyman doctor tries the mailbox; tallyman run tries again"})
	}
	for _, waiting := range r.Waiting {
		what, do, ok := strings.Cut(waiting, "; import it with: ")
		if !ok {
			what, do, _ = strings.Cut(waiting, "; ")
			do = "nothing: " + do
		}
		steps = append(steps, nextStep{"left in the inbox: " + what, do})
	}
	if r.Report != nil && r.Report.Breaks > 0 {
		steps = append(steps, nextStep{
			fmt.Sprintf("the report for %s has %s", r.BusinessDate, count(r.Report.Breaks, "break")),
			"open " + filepath.Join(r.Report.Dir, "exceptions.csv") + "; tallyman decide releases or drops held events",
		})
	}
	return steps
}

// afterFile is what a file that is not done with leaves to do.
func afterFile(f fileInfo) []nextStep {
	name := fmt.Sprintf("%s (%s) for %s", f.Name, f.FileID, f.BusinessDate)
	switch f.State {
	case ledger.FileHeld:
		return []nextStep{{name + " is held: " + f.Reason, "tallyman approve " + f.FileID + " --reason TEXT if it is right; else have a corrected file sent"}}
	case ledger.FileOpen:
		if f.Approval != nil && f.Approval.HeldFor == f.Reason {
			return []nextStep{{name + " is approved and not imported yet", "tallyman run imports it; at once: tallyman import --retry " + f.RunID}}
		}
		return []nextStep{{name + " has unfinished records", "tallyman import --retry " + f.RunID}}
	case ledger.FileRejected:
		return []nextStep{{name + " was rejected as a whole: " + f.Reason, "have it corrected and sent again; tallyman check FILE tells before"}}
	}
	return nil
}

// overtaken reports whether one of the files that came later was done in the place of a file.
func overtaken(f fileInfo, later []fileInfo) bool {
	return slices.ContainsFunc(later, func(other fileInfo) bool {
		return f.onRecord().OvertakenBy(other.onRecord())
	})
}
