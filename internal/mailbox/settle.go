package mailbox

import (
	"context"
	"fmt"
	"time"
)

// Settled parts entries of a listing into files that stand still and files
// that still grow. A file with a partner (.done, .sha256, .md5) stands still at
// once; for the others the inbox is looked at a second time, Settle or more
// after the first look. Files that are gone by then are in neither part:
// somebody else took them.
func (m *Mailbox) Settled(ctx context.Context, entries []Entry) (ready, growing []Entry, err error) {
	due, open := settleTime(entries, m.opts.Settle)
	if m.opts.Settle == 0 || !open {
		return entries, nil, nil
	}
	if err := wait(ctx, time.Until(due)); err != nil {
		return nil, nil, fmt.Errorf("wait for files to settle: %w", err)
	}
	again, _, err := m.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := make(map[string]Entry, len(again))
	for _, e := range again {
		now[e.Name] = e
	}
	for _, before := range entries {
		after, there := now[before.Name]
		switch {
		case !there:
			m.opts.Log.Info("file is gone from the mailbox", "file", before.Name)
		case after.complete(), after.same(before):
			ready = append(ready, after)
		default:
			growing = append(growing, after)
		}
	}
	return ready, growing, nil
}

// settleTime returns when the second look is due, and whether any file needs
// one.
func settleTime(entries []Entry, settle time.Duration) (due time.Time, open bool) {
	for _, e := range entries {
		if e.complete() {
			continue
		}
		seen := e.seen
		if seen.IsZero() {
			seen = time.Now()
		}
		if at := seen.Add(settle); !open || at.After(due) {
			due, open = at, true
		}
	}
	return due, open
}
