package formats

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a record of a file: where it stands, which rule it breaks and what the sender
// can do about it. Rule is a short fixed word, safe for logs; Value is the offending text, which may be shown in outcome
// files and never in logs.
type Problem struct {
	Line   int    // physical line, the header being 1
	Column string // the column's name as the format calls it; empty for the whole record
	Rule   string // for example "bad_phone"
	Remedy string // what is expected, and what to do
	Value  string // the text as it came; may be personal data
}

// Error describes the problem without its value: "line 7, phone: bad_phone: write it as …".
func (p *Problem) Error() string {
	if p.Column == "" {
		return fmt.Sprintf("line %d: %s: %s", p.Line, p.Rule, p.Remedy)
	}
	return fmt.Sprintf("line %d, %s: %s: %s", p.Line, p.Column, p.Rule, p.Remedy)
}

// Detail describes the problem for an outcome file, value included.
func (p *Problem) Detail() string {
	var b strings.Builder
	if p.Column != "" {
		b.WriteString(p.Column)
		b.WriteString(": ")
	}
	b.WriteString(p.Remedy)
	if p.Value != "" {
		fmt.Fprintf(&b, " (is %q)", clip(p.Value, 80))
	}
	return b.String()
}

// Explain tells all problems of a record for an outcome file, values included: the first one's rule, and a detail that has
// the rules of the others in it.
func Explain(problems []*Problem) (reason, detail string) {
	for i, p := range problems {
		if i == 0 {
			reason, detail = p.Rule, p.Detail()
			continue
		}
		detail += "; " + p.Rule + ": " + p.Detail()
	}
	return reason, detail
}

// FileError is a fault of a whole file: not one of its records may be used.
type FileError struct {
	Line   int    // physical line where it shows; 0 if the fault has no place
	Column string // the column's name, if the fault is one column's
	Rule   string // short fixed word, for example "unclosed_quote"
	Remedy string // what is wrong and what to do
}

// Error describes the fault: "line 1: missing_column: …".
func (e *FileError) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.Rule, e.Remedy)
	case e.Column == "":
		return fmt.Sprintf("line %d: %s: %s", e.Line, e.Rule, e.Remedy)
	default:
		return fmt.Sprintf("line %d, %s: %s: %s", e.Line, e.Column, e.Rule, e.Remedy)
	}
}

// clip shortens a text to at most n runes, marking the cut.
func clip(s string, n int) string {
	runes := 0
	for i := range s {
		if runes == n {
			return s[:i] + "…"
		}
		runes++
	}
	return s
}
