package ledger

import (
	"context"
	"database/sql"
	"strings"
)

// bulkRows is how many rows one statement writes: to run a statement costs as much as to write a row or two.
const bulkRows = 32

// bulk replaces rows of a table, many with one statement.
type bulk struct {
	width     int // columns
	many, one *sql.Stmt
}

// prepareBulk compiles the statements that write the given columns of a table.
func prepareBulk(ctx context.Context, db *sql.DB, table string, columns ...string) (b bulk, err error) {
	b.width = len(columns)
	values := "(" + strings.Repeat("?, ", b.width-1) + "?)"
	head := "INSERT OR REPLACE INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + values
	if b.one, err = db.PrepareContext(ctx, head); err != nil {
		return b, err
	}
	b.many, err = db.PrepareContext(ctx, head+strings.Repeat(", "+values, bulkRows-1))
	return b, err
}

// put writes n rows. row appends the values of one of them, column by column.
func (b bulk) put(ctx context.Context, tx *sql.Tx, n int, row func(i int, values []any) []any) error {
	many, one := tx.StmtContext(ctx, b.many), tx.StmtContext(ctx, b.one)
	values := make([]any, 0, b.width*min(n, bulkRows))
	for i := 0; i < n; {
		stmt, size := one, 1
		if n-i >= bulkRows {
			stmt, size = many, bulkRows
		}
		values = values[:0]
		for end := i + size; i < end; i++ {
			values = row(i, values)
		}
		if _, err := stmt.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	return nil
}
