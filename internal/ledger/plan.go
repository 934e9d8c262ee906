package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// To write a row of a table costs more than to send a request. So the rows of a chunk that are to be sent are put on
// record together, as one value in plans, and each moves to the table rows with its outcome. When the last one has moved,
// the plan is dropped.

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
	var packed []byte
	for i := range rows {
		at := rows[i].Number - first
		p.open[at/64] |= 1 << (at % 64)
		packed = appendRow(packed, rows[i])
	}
	result, err := w.do.plan.ExecContext(ctx, w.file.ID, first, last, packed)
	if err != nil {
		return err
	}
	if p.id, err = result.LastInsertId(); err != nil {
		return err
	}
	w.plans = append(w.plans, p)
	return nil
}

// moved notes that a row stands in the table now, and drops its plan if that was the last one.
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
		rows := make([]Finished, len(p.rows))
		for i := range p.rows {
			rows[i].Row = &p.rows[i]
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

// plannedChunk is what of one plan does not stand in the table.
type plannedChunk struct {
	fileID int64
	rows   []Row // by number
}

// plannedRows returns the rows of the plans that fulfil a condition, those left out that stand in the table. Whoever reads
// both must read plans first: a row that moves meanwhile is seen twice then, and not overlooked.
func plannedRows(ctx context.Context, q querier, condition string, args ...any) ([]plannedChunk, error) {
	found, err := q.QueryContext(ctx, `SELECT file_id, packed FROM plans WHERE `+condition+` ORDER BY id`, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var chunks []plannedChunk
	for found.Next() {
		var c plannedChunk
		var packed []byte
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

// leaveOut drops the rows that stand in the table.
func (c *plannedChunk) leaveOut(ctx context.Context, q querier) error {
	if len(c.rows) == 0 {
		return nil
	}
	found, err := q.QueryContext(ctx, `SELECT number FROM rows WHERE file_id = ? AND number BETWEEN ? AND ?`, c.fileID, c.rows[0].Number, c.rows[len(c.rows)-1].Number)
	if err != nil {
		return err
	}
	defer found.Close()
	moved := map[int]bool{}
	for found.Next() {
		var number int
		if err := found.Scan(&number); err != nil {
			return err
		}
		moved[number] = true
	}
	c.rows = slices.DeleteFunc(c.rows, func(r Row) bool { return moved[r.Number] })
	return found.Err()
}

// withPlanned returns the rows of the table together with those of plans, in order.
func withPlanned(rows []Row, chunks []plannedChunk, from, to int) []Row {
	n := len(rows)
	for _, c := range chunks {
		for _, r := range c.rows {
			_, moved := slices.BinarySearchFunc(rows[:n], r.Number, byNumber)
			if r.Number >= from && r.Number <= to && !moved {
				rows = append(rows, r)
			}
		}
	}
	if len(rows) > n {
		slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.Number, b.Number) })
	}
	return rows
}

func byNumber(r Row, number int) int { return cmp.Compare(r.Number, number) }

// isNew reports whether nothing is on record of a chunk.
func (w *writer) isNew(ctx context.Context, first, last int) (bool, error) {
	for _, p := range w.plans {
		if int64(first) < p.first+int64(len(p.open))*64 && int64(last) >= p.first {
			return false, nil
		}
	}
	var known bool
	err := w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM rows WHERE file_id = ? AND number BETWEEN ? AND ?)`, w.file.ID, first, last).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for rows that are known: %w", err)
	}
	return !known, nil
}
