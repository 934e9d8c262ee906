package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// waitFor waits until a condition holds.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("it did not happen")
		}
	}
}

// watch is an output in which a line is waited for.
type watch struct {
	text string
	seen chan string

	mu   sync.Mutex
	all  bytes.Buffer
	done bool
}

func newWatch(text string) *watch { return &watch{text: text, seen: make(chan string, 1)} }

// Write takes output and passes on the first line that holds the text.
func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	for line := range strings.Lines(w.all.String()) {
		if !w.done && strings.Contains(line, w.text) && strings.HasSuffix(line, "\n") {
			w.done = true
			w.seen <- line
		}
	}
	return len(p), nil
}

func (w *watch) wait(t *testing.T) string {
	t.Helper()
	select {
	case line := <-w.seen:
		return line
	case <-time.After(patience):
		w.mu.Lock()
		defer w.mu.Unlock()
		t.Fatalf("no line with %q in:\n%s", w.text, w.all.String())
		return ""
	}
}

// written returns all output so far.
func (w *watch) written() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}
