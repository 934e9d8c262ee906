package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// statements are those that an import runs often, compiled once.
type statements struct {
	rows, customers           bulk
	plan, dropPlan, supersede *sql.Stmt
	finished, dropRow         *sql.Stmt
}

// prepare compiles the statements on the one connection that writes.
func (l *Ledger) prepare(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("prepare the ledger's statements: %w", err)
		}
	}()
	if l.stmts.rows, err = prepareBulk(ctx, l.write, "rows", "file_id", "number", "reference", "operation", "outcome", "currency", "balance",
		"told"); err != nil {
		return err
	}
	if l.stmts.customers, err = prepareBulk(ctx, l.write, "customers", "reference", "customer_id", "file_id", "sent_at", "asserted", "payable"); err != nil {
		return err
	}
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&l.stmts.plan, `INSERT INTO plans (file_id, first, last, packed) VALUES (?, ?, ?, ?)`},
		{&l.stmts.dropPlan, `DELETE FROM plans WHERE id = ?`},
		{&l.stmts.finished, `INSERT INTO finished (file_id, stretch, count, packed) VALUES (?, ?, ?, ?)`},
		{&l.stmts.dropRow, `DELETE FROM rows WHERE file_id = ? AND number = ?`},
		{&l.stmts.supersede, `UPDATE rows SET superseded = 1 WHERE ` + unanswered + ` AND reference = ? AND file_id <> ?`},
	} {
		if *s.to, err = l.write.PrepareContext(ctx, s.text); err != nil {
			return err
		}
	}
	return nil
}

// writer writes rows of one file in one transaction.
type writer struct {
	tx    *sql.Tx
	do    statements
	file  File
	plans []openPlan // as they are once the transaction is on disk
	*room
}

// room is what one transaction after the other packs and writes in.
type room struct {
	text   []byte // the JSON of a row or a customer
	packed []byte // rows
}

// batch runs f, which writes many rows of a file, in a transaction that is on disk when batch returns nil.
func (l *Ledger) batch(ctx context.Context, file File, f func(context.Context, *writer) error) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	w := &writer{do: l.stmts, file: file, room: &l.room}
	for _, p := range l.plans {
		p.open = slices.Clone(p.open)
		w.plans = append(w.plans, p)
	}
	err := l.transaction(ctx, func(tx *sql.Tx) error {
		// A cancelled context ends the transaction as a whole; to watch it for each statement costs a goroutine each.
		ctx := context.WithoutCancel(ctx)
		w.tx = tx
		for _, stmt := range []**sql.Stmt{&w.do.plan, &w.do.dropPlan, &w.do.supersede, &w.do.finished, &w.do.dropRow} {
			*stmt = tx.StmtContext(ctx, *stmt)
		}
		if l.planning != file.ID {
			if err := w.unpack(ctx); err != nil {
				return err
			}
		}
		return f(ctx, w)
	})
	if err == nil {
		l.plans, l.planning = w.plans, file.ID
	}
	return err
}
