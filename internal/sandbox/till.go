package sandbox

import (
	"slices"
	"sync"
)

// till remembers the payments.
type till struct {
	mu     sync.Mutex
	events []Event
}

func (t *till) add(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

func (t *till) all() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.events)
}
