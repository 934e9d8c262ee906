package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// The rows of a chunk that are to be sent are put on record together, as one value in plans, and each moves on with its
// outcome. When the last one has moved, the plan is dropped.

// openPlan is a plan of which rows have not moved yet.
type openPlan struct {
	id, first int64
	open      []uint64 // a bit for each number from first on
	left      int
}

// has reports whether a row of the plan with that number has not moved yet.
func (p *openPlan) has(number int) bool {
	at := int64(number) - p.first
	return at >= 0 && at < int64(len(p.open))*64 && p.open[at/64]&(1<<(at%64)) != 0
}

// put writes a plan of rows, which are in order of their numbers.
func (w *writer) plan(ctx context.Context, rows []*Row) error {
	first, last := rows[0].Number, rows[len(rows)-1].Number
	p := openPlan{first: int64(first), open: make([]uint64, (last-first)/64+1), left: len(rows)}
	w.packed = w.packed[:0]
	for i := range rows {
		at := rows[i].Number - first
		p.open[at/64] |= 1 << (at % 64)
		w.packed = appendRow(w.packed, rows[i])
	}
	result, err := w.do.plan.ExecContext(ctx, w.file.ID, first, last, w.packed)
	if err != nil {
		return err
	}
	if p.id, err = result.LastInsertId(); err != nil {
		return err
	}
	w.plans = append(w.plans, p)
	return nil
}

// moved notes that a row stands elsewhere now, and drops its plan if that was the last one.
func (w *writer) moved(ctx context.Context, number int) error {
	i := slices.IndexFunc(w.plans, func(p openPlan) bool { return p.has(number) })
	if i < 0 {
		return nil
	}
	p := &w.plans[i]
	at := int64(number) - p.first
	p.open[at/64] &^= 1 << (at % 64)
	if p.left--; p.left > 0 {
		return nil
	}
	if _, err := w.do.dropPlan.ExecContext(ctx, p.id); err != nil {
		return err
	}
	w.plans = slices.Delete(w.plans, i, i+1)
	return nil
}

// unpack moves the rows of all plans to the table as they are, so that they are found by reference. They are those of
// another file, or of a run that was killed.
func (w *writer) unpack(ctx context.Context) error {
	w.plans = nil
	left, err := plannedRows(ctx, w.tx, `1 = 1`)
	if err != nil {
		return err
	}
	for _, p := range left {
		rows := make([]*Row, len(p.rows))
		for i := range p.rows {
			rows[i] = &p.rows[i]
		}
		if err := w.putRows(ctx, p.fileID, rows); err != nil {
			return err
		}
	}
	_, err = w.tx.ExecContext(ctx, `DELETE FROM plans`)
	return err
}

// querier is a database or a transaction of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// plannedChunk is what of one plan does not stand elsewhere.
type plannedChunk struct {
	fileID int64
	rows   []Row // by number
}

// plannedRows returns the rows of the plans that fulfil a condition, those left out that have moved.
func plannedRows(ctx context.Context, q querier, condition string, args ...any) ([]plannedChunk, error) {
	found, err := q.QueryContext(ctx, `SELECT file_id, packed FROM plans WHERE `+condition+` ORDER BY id`, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var chunks []plannedChunk
	for found.Next() {
		var c plannedChunk
		var packed string
		if err := found.Scan(&c.fileID, &packed); err != nil {
			return nil, err
		}
		if c.rows, err = unpackRows(packed); err != nil {
			return nil, err
		}
		chunks = append(chunks, c)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	for i := range chunks {
		if err := chunks[i].leaveOut(ctx, q); err != nil {
			return nil, err
		}
	}
	return chunks, nil
}

// leaveOut drops the rows that have moved: they are packed as finished, or stand in the table rows.
func (c *plannedChunk) leaveOut(ctx context.Context, q querier) error {
	if len(c.rows) == 0 {
		return nil
	}
	first, last := c.rows[0].Number, c.rows[len(c.rows)-1].Number
	others, err := numbersOf(ctx, q, c.fileID, first, last)
	if err != nil {
		return err
	}
	finished, err := finishedRows(ctx, q, c.fileID, first, last)
	if err != nil {
		return err
	}
	moved := map[int]bool{}
	for _, n := range others {
		moved[n] = true
	}
	for i := range finished {
		moved[finished[i].Number] = true
	}
	c.rows = slices.DeleteFunc(c.rows, func(r Row) bool { return moved[r.Number] })
	return nil
}

// isNew reports whether nothing is on record of a chunk.
func (w *writer) isNew(ctx context.Context, first, last int) (bool, error) {
	for _, p := range w.plans {
		if int64(first) < p.first+int64(len(p.open))*64 && int64(last) >= p.first {
			return false, nil
		}
	}
	var known bool
	err := w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM rows WHERE file_id = $1 AND number BETWEEN $2 AND $3)
		OR EXISTS (SELECT 1 FROM finished WHERE file_id = $1 AND stretch BETWEEN $4 AND $5)`, w.file.ID, first, last, stretchOf(first), stretchOf(last)).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for rows that are known: %w", err)
	}
	return !known, nil
}
