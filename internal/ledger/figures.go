package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// RunCount says how often a command ended in one way.
type RunCount struct {
	Command  string
	Ended    bool // false: it is still running, or was killed
	ExitCode int  // meaningful if it ended
	Count    int64
	LastEnd  time.Time // zero if it did not
}

// CountRuns counts the runs on record, by command and exit code.
func (l *Ledger) CountRuns(ctx context.Context) ([]RunCount, error) {
	var counts []RunCount
	err := l.each(ctx, `SELECT command, ended_at IS NOT NULL, coalesce(exit_code, 0), count(*), coalesce(max(ended_at), 0)
		FROM runs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, func(rows *sql.Rows) error {
		var c RunCount
		var end int64
		err := rows.Scan(&c.Command, &c.Ended, &c.ExitCode, &c.Count, &end)
		c.LastEnd = fromMicros(end)
		counts = append(counts, c)
		return err
	})
	return counts, err
}

// LastEnded returns the run of a command that ended last; ok is false if none has.
func (l *Ledger) LastEnded(ctx context.Context, command string) (r Run, ok bool, err error) {
	err = l.each(ctx, selectRun+` WHERE command = $1 AND ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT 1`, func(rows *sql.Rows) error {
		ok = true
		r, err = scanRun(rows)
		return err
	}, command)
	return r, ok, err
}

// FileCorrected is what CountFiles calls a file that is not done and needs nobody, since another was done in its place
// (File.OvertakenBy). It is no state on record.
const FileCorrected = "corrected"

// CountFiles counts the files on record by their state, and apart from it those that were corrected since: whoever is
// woken by a held file must not be woken for ever.
func (l *Ledger) CountFiles(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{FileOpen: 0, FileDone: 0, FileRejected: 0, FileHeld: 0, FileCorrected: 0}
	err := l.each(ctx, `SELECT CASE WHEN state <> $1 AND EXISTS (
			SELECT 1 FROM files o WHERE o.id > f.id AND o.state = $1
				AND (o.name = f.name OR (o.day_file = 1 AND f.day_file = 1 AND o.business_date = f.business_date))
		) THEN $2 ELSE state END, count(*) FROM files f GROUP BY 1`, func(rows *sql.Rows) error {
		var state string
		var n int64
		err := rows.Scan(&state, &n)
		counts[state] = n
		return err
	}, FileDone, FileCorrected)
	return counts, err
}

// each runs a query and hands each row to f.
func (l *Ledger) each(ctx context.Context, query string, f func(*sql.Rows) error, args ...any) error {
	rows, err := l.read.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read from the ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return fmt.Errorf("read from the ledger: %w", err)
		}
	}
	return rows.Err()
}
