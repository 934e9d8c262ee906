package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// The states of a file.
const (
	FileOpen     = "open"     // begun; rows may be unfinished
	FileDone     = "done"     // every record has an outcome, and none needs another try
	FileRejected = "rejected" // refused as a whole
	FileHeld     = "held"     // a guard holds it
)

// File is a customer file, known by business date and content.
type File struct {
	ID           int64
	BusinessDate string // YYYY-MM-DD
	SHA256       string // lower-case hex
	Name         string
	DayFile      bool // its name fits inbox.pattern
	Records      int
	State        string
	Reason       string // why it was rejected or is held
	FirstSeen    time.Time
	RunID        string // the last run that worked on it
}

// OvertakenBy reports whether a file that came later was done in the place of this one, which is not done: it has its
// name, or both are day files of one date. Nothing is left to do for it then.
func (f File) OvertakenBy(later File) bool {
	same := later.Name == f.Name || (later.DayFile && f.DayFile && later.BusinessDate == f.BusinessDate)
	return same && f.State != FileDone && later.State == FileDone
}

// Begin records that a run works on a file, and returns it as it stands: with its id, and the state in which an earlier
// run left it, or open if there was none.
func (l *Ledger) Begin(ctx context.Context, f File) (File, error) {
	err := l.transaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO files (business_date, sha256, name, day_file, state, first_seen, run_id) VALUES ($1, $2, $3, $4, 'open', $5, $6)
			ON CONFLICT (business_date, sha256) DO UPDATE SET run_id = excluded.run_id, day_file = max(day_file, excluded.day_file)`,
			f.BusinessDate, f.SHA256, f.Name, boolInt(f.DayFile), micros(f.FirstSeen), f.RunID)
		if err != nil {
			return err
		}
		f, err = scanFile(tx.QueryRowContext(ctx, selectFile+` WHERE business_date = $1 AND sha256 = $2`, f.BusinessDate, f.SHA256))
		return err
	})
	return f, err
}

// Conclude records how a file stands after a run.
func (l *Ledger) Conclude(ctx context.Context, id int64, state, reason string, records int) error {
	return l.transaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE files SET state = $2, reason = $3, records = $4 WHERE id = $1`, id, state, reason, records)
		return err
	})
}

// Files returns the files that came last, newest first.
func (l *Ledger) Files(ctx context.Context, limit int) ([]File, error) {
	return l.files(ctx, ` ORDER BY id DESC LIMIT $1`, limit)
}

// FilesOf returns the files that a run worked on last, in the order in which they first came.
func (l *Ledger) FilesOf(ctx context.Context, runID string) ([]File, error) {
	return l.files(ctx, ` WHERE run_id = $1 ORDER BY id`, runID)
}

// FilesBetween returns the files of business dates from one up to and including another, by date and within a date in the
// order in which they first came.
func (l *Ledger) FilesBetween(ctx context.Context, first, last string) ([]File, error) {
	return l.files(ctx, ` WHERE business_date BETWEEN $1 AND $2 ORDER BY business_date, id`, first, last)
}

func (l *Ledger) files(ctx context.Context, condition string, args ...any) ([]File, error) {
	rows, err := l.read.QueryContext(ctx, selectFile+condition, args...)
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

// FindFile returns the file with a business date and content; ok is false if there is none.
func (l *Ledger) FindFile(ctx context.Context, businessDate, sha256 string) (f File, ok bool, err error) {
	f, err = scanFile(l.read.QueryRowContext(ctx, selectFile+` WHERE business_date = $1 AND sha256 = $2`, businessDate, sha256))
	if errors.Is(err, sql.ErrNoRows) {
		return File{}, false, nil
	}
	if err != nil {
		return File{}, false, fmt.Errorf("read files from the ledger: %w", err)
	}
	return f, true, nil
}

const selectFile = `SELECT id, business_date, sha256, name, day_file, records, state, reason, first_seen, run_id FROM files`

// scanner is a row that can be read, of *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

func scanFile(row scanner) (File, error) {
	var f File
	var seen int64
	err := row.Scan(&f.ID, &f.BusinessDate, &f.SHA256, &f.Name, &f.DayFile, &f.Records, &f.State, &f.Reason, &seen, &f.RunID)
	f.FirstSeen = fromMicros(seen)
	return f, err
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// HasDayFile reports whether a day file of a business date has come, whatever became of it.
func (l *Ledger) HasDayFile(ctx context.Context, businessDate string) (bool, error) {
	var n int
	err := l.read.QueryRowContext(ctx, `SELECT count(*) FROM files WHERE business_date = $1 AND day_file = 1`, businessDate).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("read files from the ledger: %w", err)
	}
	return n > 0, nil
}
