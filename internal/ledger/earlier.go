package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Started reports whether records of a file are on record: some of it may have been sent.
func (l *Ledger) Started(ctx context.Context, fileID int64) (bool, error) {
	return l.exists(ctx, `SELECT EXISTS (SELECT 1 FROM rows WHERE file_id = $1) OR EXISTS (SELECT 1 FROM finished WHERE file_id = $1)
		OR EXISTS (SELECT 1 FROM plans WHERE file_id = $1)`, fileID)
}

// FirstEver reports whether no file but this one has been imported to its end.
func (l *Ledger) FirstEver(ctx context.Context, fileID int64) (bool, error) {
	others, err := l.exists(ctx, `SELECT EXISTS (SELECT 1 FROM files WHERE state = 'done' AND id <> $1)`, fileID)
	return !others, err
}

// IsNeeded reports whether the bytes of a file with that content are still needed for some business date: it is open, or
// held and not corrected since by another day file of its date.
func (l *Ledger) IsNeeded(ctx context.Context, sha256 string) (bool, error) {
	return l.exists(ctx, `SELECT EXISTS (SELECT 1 FROM files f WHERE sha256 = $1 AND (state = 'open' OR state = 'held' AND NOT EXISTS (
		SELECT 1 FROM files c WHERE c.business_date = f.business_date AND c.day_file = 1 AND f.day_file = 1 AND c.id > f.id AND c.state = 'done')))`, sha256)
}

func (l *Ledger) exists(ctx context.Context, query string, arg any) (yes bool, err error) {
	if err := l.read.QueryRowContext(ctx, query, arg).Scan(&yes); err != nil {
		return false, fmt.Errorf("read from the ledger: %w", err)
	}
	return yes, nil
}

// imported picks the files of which every record is on record. An interrupted one is no measure for others.
const imported = `records > 0 AND state IN ('done', 'open')
	AND records = (SELECT count(*) FROM rows WHERE file_id = files.id) + (SELECT coalesce(sum(count), 0) FROM finished WHERE file_id = files.id)`

// DayFileBefore returns the imported day file that comes before a file: the last one of an earlier business date, or, if
// there is none, the last other one of its own. ok is false if there is none either.
func (l *Ledger) DayFileBefore(ctx context.Context, f File) (before File, ok bool, err error) {
	return l.file(ctx, ` WHERE day_file = 1 AND business_date <= $1 AND id <> $2 AND `+imported+`
		ORDER BY business_date < $1 DESC, business_date DESC, id DESC LIMIT 1`, f.BusinessDate, f.ID)
}

// SameContent returns the last day file of an earlier business date that has the same bytes.
func (l *Ledger) SameContent(ctx context.Context, f File) (before File, ok bool, err error) {
	return l.file(ctx, ` WHERE day_file = 1 AND sha256 = $1 AND business_date < $2 ORDER BY business_date DESC LIMIT 1`, f.SHA256, f.BusinessDate)
}

// Corrected returns the last day file of a file's own business date that came before it with other content, whatever
// became of that.
func (l *Ledger) Corrected(ctx context.Context, f File) (before File, ok bool, err error) {
	return l.file(ctx, ` WHERE day_file = 1 AND business_date = $1 AND id < $2 ORDER BY id DESC LIMIT 1`, f.BusinessDate, f.ID)
}

func (l *Ledger) file(ctx context.Context, condition string, args ...any) (f File, ok bool, err error) {
	f, err = scanFile(l.read.QueryRowContext(ctx, selectFile+condition, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return File{}, false, nil
	}
	if err != nil {
		return File{}, false, fmt.Errorf("read files from the ledger: %w", err)
	}
	return f, true, nil
}
