package nightly

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tallyman/formats"
	"tallyman/importer"
)

// Notice is what others are told of a run that has ended: the document of notify.webhook_url. It is made from the run's
// record alone, and holds names of files, counts and totals, but nothing that a customer file or an event says of a
// customer.
type Notice struct {
	RunID        string                   `json:"run_id"`
	Command      string                   `json:"command"`
	Version      string                   `json:"version"`
	Merchant     string                   `json:"merchant"`
	Mode         string                   `json:"mode"`
	BusinessDate string                   `json:"business_date"`
	StartedAt    time.Time                `json:"started_at"`
	EndedAt      time.Time                `json:"ended_at"`
	ExitCode     int                      `json:"exit_code"`
	Status       string                   `json:"status"` // done, needs_person, stopped or failed
	Needs        []string                 `json:"needs"`  // what needs a person, a sentence each; never null
	Read         int                      `json:"read"`
	Outcomes     map[formats.Outcome]int  `json:"outcomes"` // of the records of all files
	Files        []NoticeFile             `json:"files"`
	Missing      string                   `json:"missing,omitempty"` // the business date whose file has not come
	Absent       []Absence                `json:"absent"`            // what did not happen, that file included; never null
	Stopped      string                   `json:"stopped,omitempty"` // why the run stopped early, a fixed word
	RollForward  []formats.RollForward    `json:"roll_forward"`
	Breaks       int                      `json:"breaks"`
	Notices      int                      `json:"notices"`
	Exceptions   []formats.ExceptionTotal `json:"exceptions"`
	Requests     int64                    `json:"requests"`
	Throttled    int64                    `json:"throttled"`
}

// NoticeFile is what is told of one customer file.
type NoticeFile struct {
	Name         string                  `json:"name"`
	FileID       string                  `json:"file_id"`
	BusinessDate string                  `json:"business_date"`
	State        string                  `json:"state"`
	Read         int                     `json:"read"`
	Outcomes     map[formats.Outcome]int `json:"outcomes,omitempty"`
}

// Notice tells how the run ended: with an exit code of the program.
func (r *Result) Notice(exit int) Notice {
	total, _ := r.Total()
	n := Notice{
		RunID: r.RunID, Command: r.Command, Version: r.Version, Merchant: r.Merchant, Mode: r.Mode, BusinessDate: r.BusinessDate,
		StartedAt: r.StartedAt, EndedAt: r.EndedAt, ExitCode: exit, Status: statusOf(exit), Needs: []string{},
		Read: total.Read, Outcomes: total.Outcomes, Files: []NoticeFile{}, Missing: r.Missing, Absent: append([]Absence{}, r.Absent...),
		RollForward: []formats.RollForward{}, Exceptions: []formats.ExceptionTotal{}, Requests: r.Requests, Throttled: r.Throttled,
	}
	shown := *r
	shown.Files = nil
	for _, f := range r.Files {
		n.Files = append(n.Files, NoticeFile{f.Name, f.FileID, f.BusinessDate, f.State, f.Read, f.Outcomes})
		if f.Fault != "" {
			// The fault may quote the file: a header, for one, which is a customer if the file has none.
			f.Fault = "tallyman status " + r.RunID + " says why"
		}
		shown.Files = append(shown.Files, f)
	}
	n.Needs = append(n.Needs, shown.NeedsPerson()...)
	if r.stop != nil {
		n.Stopped = "interrupted"
		if stop, ok := errors.AsType[*importer.StopError](r.stop); ok {
			n.Stopped = stop.Reason
		}
	}
	if r.Report != nil {
		n.Breaks, n.Notices = r.Report.Breaks, r.Report.Notices
		n.RollForward = append(n.RollForward, r.Report.Summary.RollForward...)
		n.Exceptions = append(n.Exceptions, r.Report.Summary.Exceptions...)
	}
	return n
}

func statusOf(exit int) string {
	switch exit {
	case ExitDone:
		return "done"
	case ExitNeedsPerson:
		return "needs_person"
	case ExitStopped, 130: // 130: by a signal
		return "stopped"
	default:
		return "failed"
	}
}

// JSON is the notice as a document.
func (n Notice) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the notice: %w", err)
	}
	return append(text, '\n'), nil
}

// Text is the notice in a few lines for people.
func (n Notice) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): run %s for %s ended with exit code %d: %s\n", n.Merchant, n.Mode, n.RunID, n.BusinessDate, n.ExitCode, strings.ReplaceAll(n.Status, "_", " "))
	fmt.Fprintf(&b, "%s; %s\n", several(len(n.Files), "file"), FileResult{Read: n.Read, Outcomes: n.Outcomes}.Footing())
	for _, t := range n.RollForward {
		fmt.Fprintf(&b, "%s opening %s + billed %s - paid %s = closing %s\n", t.Currency, t.Opening, t.Billed, t.Paid, t.Closing)
	}
	if n.Breaks+n.Notices > 0 {
		fmt.Fprintf(&b, "%s, %s\n", several(n.Breaks, "break"), several(n.Notices, "notice"))
	}
	if n.Stopped != "" {
		fmt.Fprintf(&b, "stopped early: %s\n", strings.ReplaceAll(n.Stopped, "_", " "))
	}
	for _, need := range n.Needs {
		fmt.Fprintf(&b, "needs a person: %s\n", need)
	}
	for _, a := range n.Absent {
		// What needs a person has been said.
		if a.Kind != AbsentFile && (a.Kind != AbsentDate || a.Known) {
			fmt.Fprintf(&b, "did not happen: %s\n", a.Detail)
		}
	}
	if n.ExitCode != ExitDone {
		fmt.Fprintf(&b, "what to do next: tallyman status %s\n", n.RunID)
	}
	return b.String()
}

// several counts things in words: "1 file", "2 files".
func several(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
