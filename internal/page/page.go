package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"tallyman/internal/overview"
)

//go:embed page.html.tmpl
var source string

//go:embed page.css
var style string

// Options say how a page is made.
type Options struct {
	Merchant string // for the title; may be empty
	Location *time.Location
}

// Write makes the page of the report that o was read from. The same report gives the same bytes.
func Write(w io.Writer, o *overview.Overview, options Options) error {
	if options.Location == nil {
		options.Location = time.UTC
	}
	page, err := template.New("page").Funcs(template.FuncMap{
		"amount": readable, "count": grouped, "words": overview.Words, "explain": overview.Explain, "negative": negative,
	}).Parse(source)
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	v := view{Overview: o, Options: options, Style: template.CSS(style)}
	if err := page.Execute(w, v); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// view is what the template is filled with.
type view struct {
	*overview.Overview
	Options
	Style template.CSS // ours, from page.css
}

// Title is what the page is called.
func (v view) Title() string {
	title := "Reconciliation of all events"
	if v.Summary.BusinessDate != "" {
		title = "Reconciliation " + v.Summary.BusinessDate
	}
	if v.Merchant != "" {
		title = v.Merchant + " · " + title
	}
	return title
}

// From and To are the ends of the period in the report's zone.
func (v view) From() string { return v.local(v.Summary.From) }

// To is the end of the period.
func (v view) To() string { return v.local(v.Summary.To) }

func (v view) local(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return ""
	}
	return t.In(v.Location).Format("2 January 2006, 15:04")
}

// SignedAt is when the figures were signed.
func (v view) SignedAt() string { return v.Signed.At.In(v.Location).Format("2 January 2006, 15:04") }

// Breaks and Notices count the exceptions.
func (v view) BreakCount() int64 { return v.severity("break") }

// NoticeCount counts what is worth knowing and needs nobody.
func (v view) NoticeCount() int64 { return v.severity("notice") }

func (v view) severity(severity string) int64 {
	var n int64
	for _, g := range v.Exceptions {
		if g.Severity == severity {
			n += g.Count
		}
	}
	return n
}

// PassedChecks counts the checks that agree.
func (v view) PassedChecks() int {
	n := 0
	for _, c := range v.Summary.Checks {
		if c.OK {
			n++
		}
	}
	return n
}

// MoreBreaks and MoreChanges are how many rows the page does not show.
func (v view) MoreBreaks() int64 { return v.BreakCount() - int64(len(v.Overview.Breaks)) }

// MoreChanges is how many changes the page does not show.
func (v view) MoreChanges() int { return v.ChangeCount - len(v.Changes) }

// roll is one line of the roll-forward.
type roll struct {
	Currency, Opening, Billed, Paid, Closing string
	Foots                                    bool
}

// Rolls is the roll-forward by currency, with its check.
func (v view) Rolls() []roll {
	var list []roll
	for _, t := range v.Summary.RollForward {
		list = append(list, roll{t.Currency, t.Opening, t.Billed, t.Paid, t.Closing, overview.Foots(t)})
	}
	return list
}

// readable groups the digits of a decimal by thousands, with narrow spaces that do not break, and a real minus sign.
// Other text is left as it is.
func readable(text string) string {
	digits, sign := strings.TrimPrefix(text, "-"), ""
	if digits != text {
		sign = "−"
	}
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return text
	}
	var b strings.Builder
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(d)
	}
	if point {
		b.WriteString("." + fraction)
	}
	return sign + b.String()
}

func grouped(n any) string { return readable(fmt.Sprint(n)) }

func negative(text string) bool { return strings.HasPrefix(text, "-") }
