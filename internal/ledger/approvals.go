package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Approval is a person's word that a held file is right.
type Approval struct {
	HeldFor    string // why it was held
	Reason     string // why it is right all the same
	By         string
	ApprovedAt time.Time
}

// Approve releases a held file, on record: it is open from then on, and no guard looks at it again. ok is false, and
// nothing is changed, if the file is not held.
func (l *Ledger) Approve(ctx context.Context, fileID int64, a Approval) (ok bool, err error) {
	err = l.transaction(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE files SET state = 'open' WHERE id = $1 AND state = 'held'`, fileID)
		if err != nil {
			return err
		}
		changed, err := done.RowsAffected()
		if ok = changed == 1; err != nil || !ok {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO approvals (file_id, held_for, reason, approved_by, approved_at) VALUES ($1, $2, $3, $4, $5)`,
			fileID, a.HeldFor, a.Reason, a.By, micros(a.ApprovedAt))
		return err
	})
	return ok && err == nil, err
}

// ApprovalOf returns the approval of a file; ok is false if it has none.
func (l *Ledger) ApprovalOf(ctx context.Context, fileID int64) (a Approval, ok bool, err error) {
	var at int64
	err = l.read.QueryRowContext(ctx, `SELECT held_for, reason, approved_by, approved_at FROM approvals WHERE file_id = $1`, fileID).
		Scan(&a.HeldFor, &a.Reason, &a.By, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return Approval{}, false, nil
	}
	if err != nil {
		return Approval{}, false, fmt.Errorf("read approvals from the ledger: %w", err)
	}
	a.ApprovedAt = fromMicros(at)
	return a, true, nil
}

// Approved returns the files that were approved and are not finished, in the order in which they first came.
func (l *Ledger) Approved(ctx context.Context) ([]File, error) {
	return l.files(ctx, ` WHERE state = $1 AND id IN (SELECT file_id FROM approvals) ORDER BY id`, FileOpen)
}

// FindFiles returns the files whose SHA-256 begins with a piece, in lower-case hex, in the order in which they first came.
func (l *Ledger) FindFiles(ctx context.Context, piece string) ([]File, error) {
	return l.files(ctx, ` WHERE substr(sha256, 1, length($1)) = $1 ORDER BY id`, piece)
}
