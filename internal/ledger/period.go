package ledger

import (
	"context"
	"fmt"
)

// FilesBetween returns the files of business dates from one up to and including another, by date and within a date in the
// order in which they first came.
func (l *Ledger) FilesBetween(ctx context.Context, first, last string) ([]File, error) {
	rows, err := l.read.QueryContext(ctx, selectFile+` WHERE business_date BETWEEN $1 AND $2 ORDER BY business_date, id`, first, last)
	if err != nil {
		return nil, fmt.Errorf("read files from the ledger: %w", err)
	}
	defer rows.Close()
	var files []File
	for rows.Next() {
		f, err := scanFile(rows)
		if err != nil {
			return nil, fmt.Errorf("read files from the ledger: %w", err)
		}
		files = append(files, f)
	}
	return files, rows.Err()
}
