package overview

import (
	"fmt"

	"tallyman/formats"
)

// Input is one thing that the figures are made of, and what is known of it.
type Input struct {
	Name, Text string
	State      State
}

// State is how good a thing is.
type State int

// The states of an input. Unknown is what a report does not say.
const (
	Unknown State = iota
	Good
	Bad
	Neutral // neither good nor bad
)

// Inputs says what the figures are made of: customer files, the journal, Moment's own report, the live comparison.
func (o *Overview) Inputs() []Input {
	return []Input{o.customerFiles(), o.journal(), o.momentReport(), o.live(), o.previous()}
}

func (o *Overview) customerFiles() Input {
	in := Input{Name: "Customer files"}
	c := o.Summary.Completeness
	if c.ExpectedFiles == 0 && len(c.Files) == 0 {
		in.Text = "none was expected: the balances come from one file"
		if len(o.Summary.Inputs) > 0 {
			in.Text = "none was expected by date"
		}
		return in
	}
	counts := map[string]int{}
	for _, f := range c.Files {
		counts[f.State]++
	}
	came := datesCame(c)
	in.Text = fmt.Sprintf("%d expected, %d came", c.ExpectedFiles, came)
	for _, state := range []string{fileHeld, fileRejected} {
		if counts[state] > 0 {
			in.Text += fmt.Sprintf(", %d %s", counts[state], state)
		}
	}
	in.State = Good
	if came < c.ExpectedFiles || counts[fileHeld]+counts[fileRejected] > 0 {
		in.State = Bad
	}
	return in
}

func (o *Overview) journal() Input {
	in := Input{Name: "Journal of payments"}
	switch state := o.Summary.Completeness.Journal; {
	case state == formats.JournalWhole && len(o.Summary.Inputs) == 0:
		in.Text = "empty: nothing was received yet"
	case state == formats.JournalWhole && o.Summary.Journal.Seq == 0:
		in.Text = "read; its lines are not bound to each other"
	case state == formats.JournalWhole:
		in.Text, in.State = "verified: every line is bound to the one before", Good
	case state != "":
		in.Text, in.State = "not whole: "+Words(state), Bad
	default:
		in.Text = "not known whether it is whole"
	}
	if seq := o.Summary.Journal.Seq; seq > 0 {
		in.Text += fmt.Sprintf("; up to line %d", seq)
	}
	return in
}

func (o *Overview) momentReport() Input {
	in := Input{Name: "Moment's report"}
	c := o.Summary.Completeness
	switch {
	case c.MomentReport == formats.MomentReportAbsent || c.MomentReport == "":
		in.Text = "not given, so nothing proves that every payment was told"
	case c.MomentReport == formats.MomentReportGap:
		in.Text, in.State = "given, and it has a gap", Bad
	case c.Proven:
		in.Text, in.State = "given, and it proves that every payment was told", Good
	default:
		in.Text = "given; it does not prove that every payment was told"
	}
	return in
}

func (o *Overview) live() Input {
	in := Input{Name: "Balances at Moment"}
	l := o.Summary.Live
	switch {
	case l.Stopped != "":
		in.Text = fmt.Sprintf("%d compared, then no more: %s", l.Compared, l.Stopped)
	case l.Compared == 0:
		in.Text = "not compared"
	case l.Drift > 0:
		in.Text, in.State = fmt.Sprintf("%d compared, %d differ", l.Compared, l.Drift), Bad
	default:
		in.Text, in.State = fmt.Sprintf("%d compared, none differs", l.Compared), Good
	}
	return in
}

func (o *Overview) previous() Input {
	in := Input{Name: "Report before this one", State: Neutral}
	if p := o.Summary.Previous; p != nil {
		in.Text = fmt.Sprintf("%s, %d changes since", p.Run, o.ChangeCount)
		return in
	}
	in.Text = "none for this date"
	return in
}
