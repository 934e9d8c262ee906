package ledger

import (
	"cmp"
	"context"
	"slices"

	"tallyman/formats"
)

// Most rows are finished once and for all, and then only read with their neighbours. To write a row of a table for each costs
// a fifth of what it takes to send its request. So those of a stretch of the file that are committed together are packed
// into one value, and stay as they are. All others stand in a plan or in the table rows, the rejected ones as well, since
// they are few and are looked for one by one.

// stretch is how many numbers of a file are looked for together.
const stretch = 2048

func stretchOf(number int) int { return (number - 1) / stretch }

// packs reports whether rows with an outcome are packed.
func packs(o formats.Outcome) bool { return o.Final() && o != formats.Rejected }

// putFinished writes rows that are finished, which are in order of their numbers, and removes them from where they were.
func (w *writer) putFinished(ctx context.Context, rows []Finished) error {
	for len(rows) > 0 {
		at := stretchOf(rows[0].Row.Number)
		n := 1
		for n < len(rows) && stretchOf(rows[n].Row.Number) == at {
			n++
		}
		w.packed = w.packed[:0]
		for i := range n {
			w.packed = appendFinished(w.packed, &rows[i])
		}
		if _, err := w.do.finished.ExecContext(ctx, w.file.ID, at, n, w.packed); err != nil {
			return err
		}
		if err := w.dropRows(ctx, rows[:n]); err != nil {
			return err
		}
		for i := range n {
			if err := w.moved(ctx, rows[i].Row.Number); err != nil {
				return err
			}
		}
		rows = rows[n:]
	}
	return nil
}

// dropRows removes those of some rows, which are in order of their numbers, that stand in the table rows.
func (w *writer) dropRows(ctx context.Context, rows []Finished) error {
	numbers, err := numbersOf(ctx, w.tx, w.file.ID, rows[0].Row.Number, rows[len(rows)-1].Row.Number)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if _, found := slices.BinarySearchFunc(rows, n, func(f Finished, n int) int { return cmp.Compare(f.Row.Number, n) }); !found {
			continue
		}
		if _, err := w.do.dropRow.ExecContext(ctx, w.file.ID, n); err != nil {
			return err
		}
	}
	return nil
}

// numbersOf returns the numbers in [from, to] of a file's rows in the table rows.
func numbersOf(ctx context.Context, q querier, fileID int64, from, to int) (numbers []int, err error) {
	found, err := q.QueryContext(ctx, `SELECT number FROM rows WHERE file_id = ? AND number BETWEEN ? AND ?`, fileID, from, to)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var n int
		if err := found.Scan(&n); err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, found.Err()
}

const selectFinished = `SELECT count, packed FROM finished WHERE file_id = ? AND stretch BETWEEN ? AND ? ORDER BY stretch, id`

// finishedRows returns the finished rows of a file with numbers in [from, to], in order.
func finishedRows(ctx context.Context, q querier, fileID int64, from, to int) (rows []*finishedRow, err error) {
	found, err := q.QueryContext(ctx, selectFinished, fileID, stretchOf(from), stretchOf(to))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var count int
		var packed string
		if err := found.Scan(&count, &packed); err != nil {
			return nil, err
		}
		some, err := unpackFinished(make([]finishedRow, 0, max(0, min(count, stretch))), packed)
		if err != nil {
			return nil, err
		}
		for i := range some {
			if n := some[i].Number; n >= from && n <= to {
				rows = append(rows, &some[i])
			}
		}
	}
	slices.SortFunc(rows, func(a, b *finishedRow) int { return cmp.Compare(a.Number, b.Number) })
	return rows, found.Err()
}

// eachFinished calls f with the finished rows of a file, stretch by stretch, in order.
func eachFinished(ctx context.Context, q querier, fileID int64, f func([]*finishedRow) error) error {
	for at := 0; ; at++ {
		next, err := nextStretch(ctx, q, fileID, at)
		if err != nil || next < 0 {
			return err
		}
		at = next
		rows, err := finishedRows(ctx, q, fileID, at*stretch+1, (at+1)*stretch)
		if err == nil {
			err = f(rows)
		}
		if err != nil {
			return err
		}
	}
}

const selectNextStretch = `SELECT coalesce(min(stretch), -1) FROM finished WHERE file_id = ? AND stretch >= ?`

// nextStretch returns the first stretch of a file, from one on, of which rows are finished; -1 if there is none.
func nextStretch(ctx context.Context, q querier, fileID int64, from int) (at int, err error) {
	found, err := q.QueryContext(ctx, selectNextStretch, fileID, from)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	for found.Next() {
		if err := found.Scan(&at); err != nil {
			return 0, err
		}
	}
	return at, found.Err()
}
