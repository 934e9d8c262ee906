package nightly

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tallyman/formats"
	"tallyman/importer"
)

// Result is what a run did: run.json, and the document of --json.
type Result struct {
	RunID        string    `json:"run_id"`
	Command      string    `json:"command"`
	Version      string    `json:"version"`
	DryRun       bool      `json:"dry_run"`
	Merchant     string    `json:"merchant"`
	Mode         string    `json:"mode"`
	BaseURL      string    `json:"base_url"`
	ConfigHash   string    `json:"config_sha256"`
	BusinessDate string    `json:"business_date"` // of the report, or of the import
	StartedAt    time.Time `json:"started_at"`
	EndedAt      time.Time `json:"ended_at"`
	Requests     int64     `json:"requests"`
	Throttled    int64     `json:"throttled"`
	Traffic      *Traffic  `json:"traffic,omitempty"` // nil in a dry run

	Files   []FileResult `json:"files"`
	Waiting []string     `json:"waiting,omitempty"`  // in the inbox and not taken, with the reason
	Missing string       `json:"missing,omitempty"`  // the business date whose file has not come
	Absent  []Absence    `json:"absent,omitempty"`   // what did not happen, that file included
	Faults  []string     `json:"faults,omitempty"`   // what went wrong around the files: mailbox, delivery
	Stopped string       `json:"stopped,omitempty"`  // why the run stopped early
	Retry   string       `json:"retry_of,omitempty"` // the run whose unfinished records were tried again
	Report  *Report      `json:"report,omitempty"`
	stop    error
}

// FileResult is what became of one customer file.
type FileResult struct {
	Name         string                  `json:"name"`
	FileID       string                  `json:"file_id"` // first 12 digits of the SHA-256
	SHA256       string                  `json:"sha256"`
	BusinessDate string                  `json:"business_date"`
	DayFile      bool                    `json:"day_file"`
	State        string                  `json:"state"`              // done, open, rejected, held
	Fault        string                  `json:"fault,omitempty"`    // why the file was rejected
	Held         []Hold                  `json:"held,omitempty"`     // why the file is held
	Approval     *Approval               `json:"approval,omitempty"` // of a file that was held
	Corrects     string                  `json:"corrects,omitempty"` // file id of the day file of the same date that came before
	Notes        []string                `json:"notes,omitempty"`
	Read         int                     `json:"read"`
	Outcomes     map[formats.Outcome]int `json:"outcomes,omitempty"`
	Problems     []importer.Problem      `json:"problems,omitempty"`
	Outcome      string                  `json:"outcome_file,omitempty"`
	Rejects      string                  `json:"rejects_file,omitempty"`
}

// needsPerson reports whether the file does.
func (f FileResult) needsPerson() bool {
	return f.Fault != "" || len(f.Held) > 0 || f.Outcomes[formats.Rejected]+f.Outcomes[formats.Failed]+f.Outcomes[formats.InDoubt]+f.Outcomes[formats.NotAttempted] > 0
}

// stopEarly notes why the run stopped before its end.
func (r *Result) stopEarly(why error) { r.stop, r.Stopped = why, why.Error() }

// Stop returns why the run stopped early, or nil.
func (r *Result) Stop() error { return r.stop }

// Unforeseen reports whether the run stopped for a fault of tallyman itself. What was done is on record all the same.
func (r *Result) Unforeseen() bool {
	var stop *importer.StopError
	return errors.As(r.stop, &stop) && stop.Reason == "internal_error"
}

// NeedsPerson lists what needs one, in words.
func (r *Result) NeedsPerson() []string {
	var needs []string
	for _, f := range r.Files {
		switch {
		case f.Fault != "":
			needs = append(needs, fmt.Sprintf("%s was rejected: %s", f.Name, f.Fault))
		case len(f.Held) > 0:
			needs = append(needs, fmt.Sprintf("%s (%s) is held: %s; if it is right: tallyman approve %s --reason TEXT", f.Name, f.FileID, f.HeldFor(), f.FileID))
		case f.needsPerson():
			needs = append(needs, fmt.Sprintf("%s: %s", f.Name, f.shortfall()))
		}
	}
	needs = append(needs, r.Faults...)
	if r.Missing != "" {
		needs = append(needs, "no day file has come for "+r.Missing)
	}
	for _, a := range r.Absent {
		if a.Kind == AbsentDate && !a.Known {
			needs = append(needs, a.Detail)
		}
	}
	if r.Report != nil {
		needs = append(needs, r.Report.NeedsPerson()...)
	}
	return needs
}

// HeldFor says in one line why the file is held; empty if it is not.
func (f FileResult) HeldFor() string { return heldFor(f.Held) }

// shortfall counts the records that did not make it.
func (f FileResult) shortfall() string {
	var parts []string
	for _, o := range []formats.Outcome{formats.Rejected, formats.Failed, formats.InDoubt, formats.NotAttempted} {
		if n := f.Outcomes[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(parts, ", ") + " of " + fmt.Sprint(f.Read)
}

// Total adds up the files: their records and outcomes, and how many files were rejected as a whole.
func (r *Result) Total() (total FileResult, rejected int) {
	total.Outcomes = map[formats.Outcome]int{}
	for _, f := range r.Files {
		total.Read += f.Read
		if f.Fault != "" {
			rejected++
		}
		for outcome, n := range f.Outcomes {
			total.Outcomes[outcome] += n
		}
	}
	return total, rejected
}

// HeldFiles counts the files that are held.
func (r *Result) HeldFiles() int {
	held := 0
	for _, f := range r.Files {
		if len(f.Held) > 0 {
			held++
		}
	}
	return held
}

// Footing is the account of the file in one line: "read 200 = 190 created + 10 rejected".
func (f FileResult) Footing() string {
	var parts []string
	for _, o := range formats.Outcomes {
		if n := f.Outcomes[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	if len(parts) == 0 {
		parts = []string{"0"}
	}
	return fmt.Sprintf("read %d = %s", f.Read, strings.Join(parts, " + "))
}

// The exit codes that a run can end with (design.md section 4); they are on record with it. The program has more.
const (
	ExitDone        = 0 // nothing needs a person
	ExitFailed      = 1 // for a reason nobody foresaw
	ExitNeedsPerson = 3
	ExitStopped     = 4 // early; the same command goes on
)

// ExitCode is the code that tells how the run ended.
func (r *Result) ExitCode() int {
	switch {
	case r.Unforeseen():
		return ExitFailed
	case r.stop != nil:
		return ExitStopped
	case len(r.NeedsPerson()) > 0:
		return ExitNeedsPerson
	default:
		return ExitDone
	}
}
