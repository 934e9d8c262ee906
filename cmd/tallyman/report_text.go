package main

import (
	"fmt"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"tallyman/internal/nightly"
	"tallyman/internal/overview"
)

// How many rows the tables on a terminal have, so that all of it stays below 30 lines.
const (
	mostCurrencies = 5
	mostReasons    = 5
	mostSentences  = 3
)

// reportText is what a person sees of a report: the verdict, the control totals, what to look at, where the files are.
func reportText(r *nightly.Report) string {
	var b strings.Builder
	s := r.Summary
	period := s.BusinessDate
	if period == "" {
		period = "all events"
	}
	verdict := "all right"
	if len(r.Reasons) > 0 {
		verdict = "NOT ALL RIGHT"
	}
	fmt.Fprintf(&b, "report for %s (%s): %s\n", period, s.Timezone, verdict)
	for _, reason := range r.Reasons[:min(len(r.Reasons), mostSentences)] {
		fmt.Fprintf(&b, "  - %s\n", printable(reason))
	}
	more(&b, len(r.Reasons)-mostSentences, "reason", "report.html or the tables below")
	totals := newTable("currency", "opening", "+ billed", "- paid", "= closing", "check")
	for _, t := range s.RollForward[:min(len(s.RollForward), mostCurrencies)] {
		check := "adds up"
		if !overview.Foots(t) {
			check = "DOES NOT ADD UP"
		}
		totals.AppendRow(pretty.Row{printable(t.Currency), t.Opening, t.Billed, t.Paid, t.Closing, check})
	}
	render(&b, totals)
	more(&b, len(s.RollForward)-mostCurrencies, "currency row", "summary.json")
	look := newTable("severity", "reason", "count")
	for _, e := range s.Exceptions[:min(len(s.Exceptions), mostReasons)] {
		look.AppendRow(pretty.Row{e.Severity, e.Reason, e.Count})
	}
	render(&b, look)
	more(&b, len(s.Exceptions)-mostReasons, "reason", "exceptions.csv")
	b.WriteString(liveText(s.Live))
	b.WriteString(matchText(s.Completeness))
	if r.LeftOut > 0 {
		fmt.Fprintf(&b, "  %s of the expected file left out: no customer, no balance, or an outcome that asserts nothing\n", count(r.LeftOut, "row"))
	}
	if r.Signed != nil {
		fmt.Fprintf(&b, "  signed by %s: %s\n", printable(r.Signed.By), printable(r.Signed.Story()))
	}
	fmt.Fprintf(&b, "  files: %s\n", r.Dir)
	return b.String()
}

// more says how many rows are not shown, and where they are.
func more(b *strings.Builder, n int, what, where string) {
	if n > 0 {
		fmt.Fprintf(b, "  and %s more: see %s\n", count(n, what), where)
	}
}

// newTable makes a table of a few columns, the numbers to the right.
func newTable(columns ...string) pretty.Writer {
	t := pretty.NewWriter()
	style := pretty.StyleLight
	style.Options = pretty.Options{SeparateHeader: true, SeparateColumns: true}
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	header := make(pretty.Row, len(columns))
	configs := make([]pretty.ColumnConfig, len(columns))
	for i, name := range columns {
		header[i] = name
		align := text.AlignRight
		if i == 0 || name == "check" || name == "reason" {
			align = text.AlignLeft
		}
		configs[i] = pretty.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	return t
}

// render writes a table that has rows, a step to the right.
func render(b *strings.Builder, t pretty.Writer) {
	if t.Length() == 0 {
		return
	}
	for line := range strings.Lines(t.Render()) {
		b.WriteString(" " + strings.TrimRight(line, " \n") + "\n")
	}
}
