package ledger

import "context"

// Unsettled returns the files that are not done with: open, or held by a guard.
func (l *Ledger) Unsettled(ctx context.Context) ([]File, error) {
	return l.files(ctx, ` WHERE state IN ('open', $1) ORDER BY id`, FileHeld)
}
