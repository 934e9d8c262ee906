package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progressEvery is how often a plain line tells how far an import is.
const progressEvery = 10 * time.Second

// progress tells how far a long import is, a line every ten seconds. A short one says nothing.
type progress struct {
	out io.Writer
	now func() time.Time

	mu   sync.Mutex
	last time.Time
}

func newProgress(a *app) *progress { return &progress{out: a.stderr, now: a.now, last: a.now()} }

func (p *progress) report(file string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	_, _ = fmt.Fprintf(p.out, "tallyman: %s: %d of %d records\n", printable(file), done, total)
}
