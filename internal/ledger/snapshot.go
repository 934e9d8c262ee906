package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Snapshot writes the ledger as it stands to a new file, synced, 0600. A run may go on meanwhile; what it commits later is
// not in the file.
func (l *Ledger) Snapshot(ctx context.Context, path string) error {
	if err := touch(path); err != nil {
		return fmt.Errorf("copy the ledger: %w", err)
	}
	if _, err := l.read.ExecContext(ctx, `VACUUM INTO $1`, path); err != nil {
		return fmt.Errorf("copy the ledger to %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("copy the ledger: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("copy the ledger: %w", err)
	}
	return nil
}

// CheckSnapshot returns what is wrong with a file that Snapshot wrote, which nobody may be writing to; nothing if it is
// whole. It does not change the file.
func CheckSnapshot(ctx context.Context, path string) (problems []string, err error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return nil, fmt.Errorf("check ledger: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	l := &Ledger{read: db}
	err = l.each(ctx, `PRAGMA integrity_check(10)`, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		if text != "ok" {
			problems = append(problems, strings.ReplaceAll(text, "\n", " "))
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		return append(problems, err.Error()), nil // it is no database that can be read
	}
	return problems, err
}
