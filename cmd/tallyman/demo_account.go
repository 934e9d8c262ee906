package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"tallyman/formats"
	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

// convince checks that the demonstration showed what it is to show: the outcomes foot with what stands at the stand-in,
// every payment has its place, and all totals agree.
func (d *demo) convince(morning, evening *nightly.Result) error {
	if len(morning.Files) != 1 || morning.Stop() != nil || evening.Stop() != nil || len(morning.Faults)+len(evening.Faults) > 0 {
		return fmt.Errorf("a run did not go through: %s", strings.Join(append(morning.NeedsPerson(), evening.NeedsPerson()...), "; "))
	}
	created, there := morning.Files[0].Outcomes[formats.Created], len(d.box.Customers(sandbox.Test))
	if created == 0 || created != there {
		return fmt.Errorf("%d records are said to be created, and %d customers are there", created, there)
	}
	var events int64
	for _, e := range evening.Report.Summary.Events {
		events += e.Count
	}
	if sent := len(d.box.Payments()); events != int64(sent) || d.box.Deliveries().GivenUp > 0 {
		return fmt.Errorf("%d payments were made, and the report has %d", sent, events)
	}
	for _, c := range evening.Report.Summary.Checks {
		if !c.OK {
			return fmt.Errorf("the check %s failed: %s", c.Name, c.Detail)
		}
	}
	return nil
}

// account tells a newcomer what happened.
func (d *demo) account(dir string, morning, evening *nightly.Result) string {
	var b strings.Builder
	f, s := morning.Files[0], evening.Report.Summary
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "%-16s%s\n", label, fmt.Sprintf(format, args...))
	}
	b.WriteString("One night, on this machine alone. The other side was a stand-in for Moment and for an\nSFTP server: no money moved, and nothing is left running.\n\n")
	line("What came in", "%s, by SFTP, with %d records", f.Name, f.Read)
	line("What was done", "%s", f.Footing())
	for _, p := range f.Problems {
		line("", "%d %s: %s (line %d: %s)", p.Count, p.Outcome, p.Reason, p.Line, p.Detail)
	}
	for _, e := range s.Events {
		line(label("What was paid", &b), "%s", eventLine(e))
	}
	line("", "(%d of them were delivered twice, and count once)", d.box.Deliveries().Delivered-len(d.box.Payments()))
	for _, r := range s.RollForward {
		line("What is left", "%s: opening %s + billed %s - paid %s = closing %s", r.Currency, r.Opening, r.Billed, r.Paid, r.Closing)
	}
	for _, c := range s.Customers {
		line("", "%d %s, together %s %s", c.Count, c.Status, c.Closing, c.Currency)
	}
	for _, e := range s.Exceptions {
		line(label("To look at", &b), "%d %s: %s", e.Count, e.Severity, e.Reason)
	}
	exit := max(morning.ExitCode(), evening.ExitCode())
	line("A real run", "would have ended with exit code %d: %s", exit, exitMeaning(exit))
	b.WriteString("\nWhere to look:\n")
	for _, at := range [][2]string{
		{"the file as it came", filepath.Join(d.box.InboxDir(), "archive", f.Name)},
		{"a row a record", f.Outcome},
		{"rejected, with why", f.Rejects},
		{"the payments", filepath.Join(d.cfg.DataDir, "journal")},
		{"the report", evening.Report.Dir},
		{"the page, to open", filepath.Join(evening.Report.Dir, nightly.PageFile)},
		{"the workbook", filepath.Join(evening.Report.Dir, nightly.WorkbookFile)},
		{"the configuration", d.cfg.File()},
	} {
		fmt.Fprintf(&b, "  %-20s%s\n", at[0], at[1])
	}
	fmt.Fprintf(&b, "Everything is in %s; remove it when you have seen enough.\n", dir)
	return b.String()
}

// label returns the label for the first line of a group and nothing for the others.
func label(text string, b *strings.Builder) string {
	if strings.Contains(b.String(), text) {
		return ""
	}
	return text
}

// eventLine tells one group of payments.
func eventLine(e formats.EventTotal) string {
	text := fmt.Sprintf("%d %s, %s %s", e.Count, e.Status, e.Sum, e.Currency)
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	return text
}

func exitMeaning(code int) string {
	if code == exitDone {
		return "done, nothing needs a person"
	}
	return "done, and something needs a person"
}
