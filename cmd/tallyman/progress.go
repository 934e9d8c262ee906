package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"golang.org/x/term"

	"tallyman/internal/nightly"
)

// progressEvery is how often a plain line tells how far an import is.
const progressEvery = 10 * time.Second

// reporter tells how far a long import is: a bar on a terminal, elsewhere a plain line every ten seconds.
type reporter interface {
	report(p nightly.Progress)
	// end is called once, after the last report.
	end()
}

// newReporter returns the reporter for where stderr goes, or none if nobody wants to see it.
func newReporter(a *app) reporter {
	switch f, ok := a.stderr.(*os.File); {
	case a.flags.quiet || a.flags.json:
		return silence{}
	case ok && term.IsTerminal(int(f.Fd())):
		return newBar(a.stderr)
	default:
		return &lines{out: a.stderr, now: a.now, last: a.now()}
	}
}

type silence struct{}

func (silence) report(nightly.Progress) {}
func (silence) end()                    {}

// lines tells it in plain lines.
type lines struct {
	out io.Writer
	now func() time.Time

	mu    sync.Mutex
	last  time.Time
	file  string
	begun time.Time
}

func (l *lines) report(p nightly.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.file != p.File {
		l.file, l.begun = p.File, now
	}
	if now.Sub(l.last) < progressEvery {
		return
	}
	l.last = now
	_, _ = fmt.Fprintf(l.out, "tallyman: %s: %d of %d records%s%s\n", printable(p.File), p.Done, p.Total, refusals(p), l.left(p, now))
}

// left guesses how long the rest will take, from what the file has taken so far.
func (l *lines) left(p nightly.Progress, now time.Time) string {
	took := now.Sub(l.begun)
	if p.Done == 0 || took <= 0 {
		return ""
	}
	rest := took / time.Duration(p.Done) * time.Duration(p.Total-p.Done)
	return fmt.Sprintf(", about %s left", rest.Round(time.Second))
}

func (l *lines) end() {}

func refusals(p nightly.Progress) string {
	if p.Refused == 0 {
		return ""
	}
	return fmt.Sprintf(", %d refused for now", p.Refused)
}

// bar draws it on a terminal: records, rate, refusals, time left.
type bar struct {
	writer progress.Writer
	drawn  chan struct{}

	mu      sync.Mutex
	file    string
	tracker *progress.Tracker
}

func newBar(out io.Writer) *bar {
	w := progress.NewWriter()
	w.SetOutputWriter(out)
	w.SetAutoStop(false)
	w.SetUpdateFrequency(200 * time.Millisecond)
	w.SetTrackerPosition(progress.PositionRight)
	style := progress.StyleDefault
	style.Visibility.ETA, style.Visibility.Speed, style.Visibility.Percentage = true, true, true
	w.SetStyle(style)
	b := &bar{writer: w, drawn: make(chan struct{})}
	go func() {
		defer close(b.drawn)
		w.Render()
	}()
	return b
}

func (b *bar) report(p nightly.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tracker == nil || b.file != p.File {
		b.finish()
		b.file, b.tracker = p.File, &progress.Tracker{Total: int64(p.Total)}
		b.writer.AppendTracker(b.tracker)
	}
	b.tracker.UpdateMessage(printable(p.File) + refusals(p))
	b.tracker.SetValue(int64(p.Done))
}

func (b *bar) finish() {
	if b.tracker != nil {
		b.tracker.MarkAsDone()
	}
}

func (b *bar) end() {
	b.mu.Lock()
	b.finish()
	b.mu.Unlock()
	// Stop does nothing as long as the drawing has not begun, so it is said until it is heard.
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		b.writer.Stop()
		select {
		case <-b.drawn:
			return
		case <-again.C:
		}
	}
}

// shownNight is a night whose progress is shown until it is closed.
type shownNight struct {
	*nightly.Night
	shown reporter
}

// closing ends a night and keeps the error of what it did in front.
func (n shownNight) closing(err error) error {
	n.shown.end()
	return errors.Join(err, n.Close())
}
