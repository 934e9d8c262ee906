package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// LastRun returns the run of a command that began last before an instant and ended with one of some exit codes; with none
// given, however it ended, or not at all. ok is false if there is none. A run of the future, from before a clock was set
// back, does not count.
func (l *Ledger) LastRun(ctx context.Context, command string, before time.Time, codes ...int) (r Run, ok bool, err error) {
	query, args := selectRun+` WHERE command = $1 AND started_at < $2`, []any{command, micros(before)}
	if len(codes) > 0 {
		query += ` AND ended_at IS NOT NULL AND exit_code IN (`
		for i, code := range codes {
			if i > 0 {
				query += `, `
			}
			query += fmt.Sprint(code)
		}
		query += `)`
	}
	r, err = scanRun(l.read.QueryRowContext(ctx, query+` ORDER BY started_at DESC, id DESC LIMIT 1`, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, false, nil
	}
	if err != nil {
		return Run{}, false, fmt.Errorf("read runs from the ledger: %w", err)
	}
	return r, true, nil
}
