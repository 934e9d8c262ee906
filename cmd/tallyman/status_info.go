package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

// The states of a run.
const (
	runRunning = "running"
	runKilled  = "killed" // it has no end on record, and is not at work
	runEnded   = "ended"
)

// runInfo is one run.
type runInfo struct {
	ID           string    `json:"id"`
	Command      string    `json:"command"`
	BusinessDate string    `json:"business_date"`
	StartedAt    time.Time `json:"started_at"`
	EndedAt      time.Time `json:"ended_at,omitzero"`
	State        string    `json:"state"`
	Exit         int       `json:"exit"` // meaningful once ended
	Line         string    `json:"line"` // what it did

	result *nightly.Result // nil without an end that can be read
}

func newRunInfo(r ledger.Run, holder nightly.Holder) runInfo {
	info := runInfo{
		ID: r.ID, Command: r.Command, BusinessDate: r.BusinessDate, StartedAt: r.StartedAt, EndedAt: r.EndedAt, State: runEnded, Exit: r.ExitCode,
	}
	switch {
	case !r.EndedAt.IsZero():
		info.result = &nightly.Result{}
		if err := json.Unmarshal([]byte(r.Summary), info.result); err != nil {
			info.result, info.Line = nil, "what it did is not on record"
			return info
		}
		info.Line = runLine(info.result)
	case holder.Began(r.StartedAt):
		info.State, info.Line = runRunning, "at work"
	default:
		info.State, info.Line = runKilled, "was killed; run the same command again"
	}
	return info
}

// runLine is what a run did, in a line of a table.
func runLine(r *nightly.Result) string {
	total, faults := r.Total()
	parts := []string{count(len(r.Files), "file")}
	if faults > 0 {
		parts = append(parts, fmt.Sprintf("%d rejected as a whole", faults))
	}
	if held := r.HeldFiles(); held > 0 {
		parts = append(parts, fmt.Sprintf("%d held", held))
	}
	if total.Read > 0 {
		parts = append(parts, total.Footing())
	}
	if r.Report != nil {
		parts = append(parts, count(r.Report.Breaks, "break"))
	}
	for _, absent := range r.Absent {
		parts = append(parts, strings.ReplaceAll(absent.Kind, "_", " ")+" "+absent.Date)
	}
	if len(r.Faults) > 0 {
		parts = append(parts, count(len(r.Faults), "fault"))
	}
	if r.Stopped != "" {
		parts = append(parts, "stopped early")
	}
	return strings.Join(parts, ", ")
}

// fileInfo is one customer file.
type fileInfo struct {
	FileID       string    `json:"file_id"` // first 12 digits of the SHA-256
	SHA256       string    `json:"sha256"`
	Name         string    `json:"name"`
	BusinessDate string    `json:"business_date"`
	DayFile      bool      `json:"day_file"`
	State        string    `json:"state"`
	Records      int       `json:"records"`
	Reason       string    `json:"reason"` // why it was rejected or is held
	FirstSeen    time.Time `json:"first_seen"`
	RunID        string    `json:"run_id"` // the last run that worked on it

	Approval *nightly.Approval `json:"approval,omitempty"` // of a file that was held
	// Overtaken says that a later file was done in its place: nothing is left to do.
	Overtaken bool   `json:"overtaken,omitempty"`
	Corrects  string `json:"corrects,omitempty"` // file id of the day file of the same date that came before
}

// onRecord is of the file what ledger.File.OvertakenBy looks at.
func (f fileInfo) onRecord() ledger.File {
	return ledger.File{Name: f.Name, BusinessDate: f.BusinessDate, DayFile: f.DayFile, State: f.State}
}

func newFileInfo(f ledger.File) fileInfo {
	return fileInfo{
		FileID: f.SHA256[:min(12, len(f.SHA256))], SHA256: f.SHA256, Name: f.Name, BusinessDate: f.BusinessDate, DayFile: f.DayFile,
		State: f.State, Records: f.Records, Reason: f.Reason, FirstSeen: f.FirstSeen, RunID: f.RunID,
	}
}
