package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

// statusText is the overview as a person sees it.
func statusText(s *statusAnswer, zone *time.Location) string {
	var b strings.Builder
	fmt.Fprintf(&b, "merchant %s, data in %s\n", s.Merchant, s.DataDir)
	if s.Holder != "" {
		fmt.Fprintf(&b, "at work: %s\n", printable(s.Holder))
	}
	if !s.Ledger {
		b.WriteString("there is no ledger yet: nothing was run\n")
	}
	if len(s.Runs) > 0 {
		b.WriteString("\nRUNS\n")
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, r := range s.Runs {
			_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Command, orDash(r.BusinessDate), shortTime(r.StartedAt, zone), r.ending(), printable(r.Line))
		}
		_ = w.Flush()
	}
	if len(s.Files) > 0 {
		b.WriteString("\nFILES\n")
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, f := range s.Files {
			_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", f.FileID, f.BusinessDate, f.State, count(f.Records, "record"), printable(f.Name)+f.fate())
		}
		_ = w.Flush()
	}
	for i, name := range s.Outbox {
		if i == 0 {
			b.WriteString("\nNOT DELIVERED\n")
		}
		fmt.Fprintf(&b, "  %s\n", printable(name))
	}
	for i, name := range s.Mail {
		if i == 0 {
			b.WriteString("\nNOT SENT BY MAIL\n")
		}
		fmt.Fprintf(&b, "  %s\n", printable(name))
	}
	b.WriteString("\nJOURNAL\n")
	switch j := s.Journal; {
	case j.Trouble != "":
		fmt.Fprintf(&b, "  %s\n", printable(j.Trouble))
	case j.Seq == 0:
		b.WriteString("  nothing was received yet\n")
	default:
		fmt.Fprintf(&b, "  last event: number %d, received %s; %s, %d bytes\n", j.Seq, shortTime(j.Last, zone), count(j.Segments, "segment"), j.Bytes)
	}
	if s.Journal.State != "" {
		fmt.Fprintf(&b, "  %s when run %s read it\n", strings.ReplaceAll(s.Journal.State, "_", " "), s.Journal.Checked)
	}
	if !s.NextDue.IsZero() {
		fmt.Fprintf(&b, "\nNEXT DUE\n  %s, by schedule (tallyman schedule, or a crontab of your own)\n", shortTime(s.NextDue, zone))
	}
	b.WriteString(signedText(s.Signed, zone))
	b.WriteString("\nNEXT\n")
	for _, step := range s.Next {
		fmt.Fprintf(&b, "  %s\n    -> %s\n", printable(step.What), printable(step.Do))
	}
	if len(s.Next) == 0 {
		b.WriteString("  nothing to do\n")
	}
	return b.String()
}

// fate says what else there is to know of a file.
func (f fileInfo) fate() string {
	fate := ""
	if f.Corrects != "" {
		fate += ", corrects " + f.Corrects
	}
	if f.Overtaken {
		fate += ", corrected since"
	}
	if f.Approval != nil {
		fate += ", approved by " + printable(f.Approval.By)
	}
	return fate
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// ending is the exit code of a run, or why it has none.
func (r runInfo) ending() string {
	if r.State != runEnded {
		return r.State
	}
	return fmt.Sprintf("exit %d", r.Exit)
}

// runAnswer is what `tallyman status --json RUN-ID` says.
type runAnswer struct {
	Run    runInfo         `json:"run"`
	Result json.RawMessage `json:"result,omitempty"` // run.json
}

// statusOfRun shows one run, named by its id or as much of its beginning as no other has.
func (a *app) statusOfRun(ctx context.Context, l *ledger.Ledger, holder nightly.Holder, id string, zone *time.Location) error {
	run, err := findRun(ctx, l, id)
	if err != nil {
		return err
	}
	answer := runAnswer{Run: newRunInfo(run, holder)}
	if answer.Run.result != nil {
		answer.Result = json.RawMessage(run.Summary)
	}
	return a.answer(answer, runStory(answer.Run, zone))
}

// allRuns is more than a ledger ever has.
const allRuns = 1 << 30

func findRun(ctx context.Context, l *ledger.Ledger, id string) (ledger.Run, error) {
	if run, ok, err := l.FindRun(ctx, id); ok || err != nil {
		return run, err
	}
	runs, err := l.Runs(ctx, allRuns)
	if err != nil {
		return ledger.Run{}, err
	}
	var found []ledger.Run
	var ids []string
	for _, run := range runs {
		if strings.HasPrefix(run.ID, id) {
			found, ids = append(found, run), append(ids, run.ID)
		}
	}
	switch {
	case len(found) == 0:
		return ledger.Run{}, usage(fmt.Errorf("there is no run %q: tallyman status lists the last ones", id))
	case len(found) > 1:
		return ledger.Run{}, usage(fmt.Errorf("%q is the beginning of %d runs (%s): write more of it", id, len(found), strings.Join(ids[:min(5, len(ids))], ", ")))
	}
	return found[0], nil
}

// runStory is run.json in words.
func runStory(r runInfo, zone *time.Location) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s, began %s", r.Command, r.ID, r.ending(), shortTime(r.StartedAt, zone))
	if r.State != runEnded {
		fmt.Fprintf(&b, "\n%s\n", printable(r.Line))
		return b.String()
	}
	fmt.Fprintf(&b, ", took %s\n", r.EndedAt.Sub(r.StartedAt).Round(time.Second))
	result := r.result
	if result == nil {
		fmt.Fprintf(&b, "%s\n", printable(r.Line))
		return b.String()
	}
	fmt.Fprintf(&b, "merchant %s, mode %s, %s, tallyman %s, configuration %.12s\n", result.Merchant, result.Mode, result.BaseURL, result.Version, result.ConfigHash)
	fmt.Fprintf(&b, "%d requests, %d of them told to slow down\n", result.Requests, result.Throttled)
	for _, f := range result.Files {
		describeFile(&b, result, f)
	}
	for _, waiting := range result.Waiting {
		fmt.Fprintf(&b, "left in the inbox: %s\n", printable(waiting))
	}
	if result.Report != nil {
		b.WriteString(reportText(result.Report))
	}
	for _, absent := range result.Absent {
		fmt.Fprintf(&b, "did not happen: %s\n", printable(absent.Detail))
	}
	if result.Stopped != "" {
		fmt.Fprintf(&b, "stopped early: %s\n", printable(result.Stopped))
	}
	for _, need := range result.NeedsPerson() {
		fmt.Fprintf(&b, "needs a person: %s\n", printable(need))
	}
	return b.String()
}
