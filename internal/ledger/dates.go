package ledger

import (
	"context"
	"fmt"
	"time"
)

// DayFileDates returns the business dates, from one on, of which a day file has come, whatever became of it, in order.
func (l *Ledger) DayFileDates(ctx context.Context, from string) ([]string, error) {
	found, err := l.read.QueryContext(ctx, `SELECT DISTINCT business_date FROM files WHERE day_file = 1 AND business_date >= $1 ORDER BY business_date`, from)
	if err != nil {
		return nil, fmt.Errorf("read files from the ledger: %w", err)
	}
	defer found.Close()
	var dates []string
	for found.Next() {
		var date string
		if err := found.Scan(&date); err != nil {
			return nil, fmt.Errorf("read files from the ledger: %w", err)
		}
		dates = append(dates, date)
	}
	return dates, found.Err()
}

// RanBetween reports whether a run of a command began in [from, to).
func (l *Ledger) RanBetween(ctx context.Context, command string, from, to time.Time) (yes bool, err error) {
	err = l.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM runs WHERE command = $1 AND started_at >= $2 AND started_at < $3)`,
		command, micros(from), micros(to)).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("read runs from the ledger: %w", err)
	}
	return yes, nil
}
