package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// statements are those that an import runs for each row, compiled once.
type statements struct {
	planRow, advanceRow, finishRow    *sql.Stmt
	putCustomer, supersede, putAssert *sql.Stmt
}

// prepare compiles the statements on the one connection that writes.
func (l *Ledger) prepare(ctx context.Context) error {
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&l.stmts.planRow, `INSERT OR REPLACE INTO rows (file_id, number, line, reference, operation, outcome, idempotency, body_sha256,
			generation, refused, planned_at, customer_id, currency, balance, payable, http_status, attempts, reason, detail)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`},
		{&l.stmts.advanceRow, `UPDATE rows SET operation = $3, idempotency = $4, body_sha256 = $5, generation = $6, planned_at = $7, refused = 0
			WHERE file_id = $1 AND number = $2`},
		{&l.stmts.finishRow, `UPDATE rows SET outcome = $3, refused = $4, customer_id = $5, payable = $6, http_status = $7, attempts = $8,
			reason = $9, detail = $10 WHERE file_id = $1 AND number = $2`},
		{&l.stmts.putCustomer, `INSERT INTO customers (reference, customer_id, file_id, business_date, sent_at, asserted, payable) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (reference) DO UPDATE SET customer_id = excluded.customer_id, file_id = excluded.file_id, business_date = excluded.business_date,
			sent_at = excluded.sent_at, asserted = excluded.asserted, payable = excluded.payable`},
		{&l.stmts.supersede, `UPDATE rows SET superseded = 1 WHERE ` + unanswered + ` AND reference = $1 AND file_id <> $2`},
		{&l.stmts.putAssert, `INSERT OR REPLACE INTO assertions (customer_id, reference, file_id, line, business_date, currency, balance, name, due_date, payable, sent_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`},
	} {
		var err error
		if *s.to, err = l.write.PrepareContext(ctx, s.text); err != nil {
			return fmt.Errorf("prepare the ledger's statements: %w", err)
		}
	}
	return nil
}

// in returns the statements as they run in a transaction.
func (s statements) in(ctx context.Context, tx *sql.Tx) statements {
	for _, stmt := range []**sql.Stmt{&s.planRow, &s.advanceRow, &s.finishRow, &s.putCustomer, &s.supersede, &s.putAssert} {
		*stmt = tx.StmtContext(ctx, *stmt)
	}
	return s
}
