package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tallyman/formats"
)

// Census compares a file that is about to be imported with what is on record. It keeps the file's customers in a
// database of its own, on disk, so that a file of any size takes little memory. It is for one goroutine.
type Census struct {
	conn    *sql.Conn
	path    string
	insert  *sql.Stmt
	pending []any
	indexed bool
}

const (
	censusName  = "census.db"
	censusCells = 4   // of one customer
	censusBatch = 200 // customers that are written together
)

// NewCensus begins a census whose database is in a directory. It must be closed, before the next one in that directory.
func (l *Ledger) NewCensus(ctx context.Context, dir string) (_ *Census, err error) {
	c := &Census{path: filepath.Join(dir, censusName)}
	if err := touch(c.path); err != nil {
		return nil, fmt.Errorf("compare the file with the ledger: %w", err)
	}
	if c.conn, err = l.read.Conn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("compare the file with the ledger: %w", err), os.Remove(c.path))
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("compare the file with the ledger: %w", err), c.Close(ctx))
		}
	}()
	if _, err := c.conn.ExecContext(ctx, `ATTACH DATABASE $1 AS census`, c.path); err != nil {
		return nil, err
	}
	// Nobody needs it after a crash.
	for _, text := range []string{
		`PRAGMA census.journal_mode = OFF`, `PRAGMA census.synchronous = OFF`,
		`CREATE TABLE census.seen (reference TEXT NOT NULL, currency TEXT NOT NULL, balance INTEGER, good INTEGER NOT NULL) STRICT`,
		`BEGIN`,
	} {
		if _, err := c.conn.ExecContext(ctx, text); err != nil {
			return nil, err
		}
	}
	rows := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?), ", censusBatch), ", ")
	c.insert, err = c.conn.PrepareContext(ctx, `INSERT INTO census.seen (reference, currency, balance, good) VALUES `+rows)
	return c, err
}

// Close ends the census and removes what it kept.
func (c *Census) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	if c.insert != nil {
		errs = append(errs, c.insert.Close())
	}
	// The connection goes back to the others: nothing may stay open or attached on it. What was not begun cannot be ended.
	_, _ = c.conn.ExecContext(ctx, `ROLLBACK`)
	_, _ = c.conn.ExecContext(ctx, `DETACH DATABASE census`)
	return errors.Join(append(errs, c.conn.Close(), os.Remove(c.path))...)
}

// Add counts a customer of the file. One that is not good is there, and says nothing about balances.
func (c *Census) Add(ctx context.Context, customer *formats.Customer, good bool) error {
	c.pending = append(c.pending, customer.ExternalReference, customer.Currency, nullBalance(customer.Balance), boolInt(good))
	if len(c.pending) < censusBatch*censusCells {
		return nil
	}
	_, err := c.insert.ExecContext(ctx, c.pending...)
	c.pending = c.pending[:0]
	return c.wrap(err)
}

// settle writes what is left, so that it can be asked for.
func (c *Census) settle(ctx context.Context) error {
	if len(c.pending) == 0 {
		return nil
	}
	rows := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?), ", len(c.pending)/censusCells), ", ")
	_, err := c.conn.ExecContext(ctx, `INSERT INTO census.seen (reference, currency, balance, good) VALUES `+rows, c.pending...)
	c.pending = c.pending[:0]
	return c.wrap(err)
}

func (c *Census) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("compare the file with the ledger: %w", writeError(err))
}

// each calls f with each row of an earlier file that stood for a customer.
func (c *Census) each(ctx context.Context, fileID int64, f func(*formats.OutcomeRow) error) error {
	for last := 0; ; {
		rows, err := c.unpacked(ctx, fileID, last)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for i := range rows {
			if err := f(&rows[i].Result); err != nil {
				return err
			}
		}
		last = rows[len(rows)-1].Number
	}
	return eachFinished(ctx, c.conn, fileID, func(rows []*finishedRow) (err error) {
		for i := 0; i < len(rows) && err == nil; i++ {
			if r := &rows[i].Result; r.Outcome != formats.Duplicate {
				err = f(r)
			}
		}
		return err
	})
}

// unpacked returns the first of these rows that are not packed behind a number, in order: what they say of customers.
func (c *Census) unpacked(ctx context.Context, fileID int64, behind int) (rows []Row, err error) {
	found, err := c.conn.QueryContext(ctx, `SELECT number, reference, currency, balance FROM rows WHERE file_id = $1 AND number > $2 AND reference <> ''
		AND (outcome <> 'rejected' OR told ->> 'reason' = 'existing') ORDER BY number LIMIT $3`,
		fileID, behind, stretch)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var r Row
		var balance sql.NullInt64
		if err := found.Scan(&r.Number, &r.Result.ExternalReference, &r.Result.Currency, &balance); err != nil {
			return nil, err
		}
		r.Result.Balance = formats.Balance{Minor: balance.Int64, Set: balance.Valid}
		rows = append(rows, r)
	}
	return rows, found.Err()
}

// Missing returns how many customers an earlier file had, and how many of them are gone.
func (c *Census) Missing(ctx context.Context, fileID int64) (gone, of int64, err error) {
	if err := c.settle(ctx); err != nil {
		return 0, 0, err
	}
	if !c.indexed {
		if _, err := c.conn.ExecContext(ctx, `CREATE INDEX census.seen_by_reference ON seen (reference)`); err != nil {
			return 0, 0, c.wrap(err)
		}
		c.indexed = true
	}
	var references []string
	err = c.each(ctx, fileID, func(r *formats.OutcomeRow) (err error) {
		if references = append(references, r.ExternalReference); len(references) == stretch {
			of += stretch
			var some int64
			some, err = c.notSeen(ctx, references)
			gone, references = gone+some, references[:0]
		}
		return err
	})
	if err != nil {
		return 0, 0, c.wrap(err)
	}
	some, err := c.notSeen(ctx, references)
	return gone + some, of + int64(len(references)), c.wrap(err)
}

// notSeen counts those of some references that the file does not have.
func (c *Census) notSeen(ctx context.Context, references []string) (n int64, err error) {
	list, err := json.Marshal(references)
	if err != nil || len(references) == 0 {
		return 0, err
	}
	err = c.conn.QueryRowContext(ctx, `SELECT count(*) FROM json_each($1) r WHERE NOT EXISTS (SELECT 1 FROM census.seen s WHERE s.reference = r.value)`, string(list)).Scan(&n)
	return n, err
}

// Totals returns what is owed together in each currency, by currency: in an earlier file, and in this one. What a
// reference says twice counts once, and if it says different balances, not at all.
func (c *Census) Totals(ctx context.Context, fileID int64) (before, now map[string]formats.Sum, err error) {
	if err := c.settle(ctx); err != nil {
		return nil, nil, err
	}
	before = map[string]formats.Sum{}
	err = c.each(ctx, fileID, func(r *formats.OutcomeRow) error {
		if r.Balance.Set {
			before[r.Currency] = before[r.Currency].Add(r.Balance.Minor)
		}
		return nil
	})
	if err != nil {
		return nil, nil, c.wrap(err)
	}
	now, err = c.add(ctx, `SELECT min(currency), min(balance) FROM census.seen WHERE good = 1 AND balance IS NOT NULL
		GROUP BY reference HAVING min(balance) = max(balance) AND min(currency) = max(currency)`)
	return before, now, err
}

// add sums up here and not in SQL, where it could overflow.
func (c *Census) add(ctx context.Context, query string, args ...any) (map[string]formats.Sum, error) {
	found, err := c.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, c.wrap(err)
	}
	defer found.Close()
	totals := map[string]formats.Sum{}
	for found.Next() {
		var currency string
		var balance int64
		if err := found.Scan(&currency, &balance); err != nil {
			return nil, c.wrap(err)
		}
		totals[currency] = totals[currency].Add(balance)
	}
	return totals, c.wrap(found.Err())
}

// Balances calls f for each balance of the file whose customer was asserted in the same currency before: with what was
// asserted last, and with what the file says.
func (c *Census) Balances(ctx context.Context, f func(before, now int64)) error {
	if err := c.settle(ctx); err != nil {
		return err
	}
	found, err := c.conn.QueryContext(ctx, `SELECT c.asserted ->> 'balance', s.balance FROM census.seen s JOIN customers c ON c.reference = s.reference
		WHERE s.good = 1 AND s.balance IS NOT NULL AND c.asserted ->> 'balance' IS NOT NULL AND c.asserted ->> 'currency' = s.currency`)
	if err != nil {
		return c.wrap(err)
	}
	defer found.Close()
	for found.Next() {
		var before, now int64
		if err := found.Scan(&before, &now); err != nil {
			return c.wrap(err)
		}
		f(before, now)
	}
	return c.wrap(found.Err())
}

// AnyCustomer reports whether customers are on record.
func (l *Ledger) AnyCustomer(ctx context.Context) (bool, error) {
	return l.exists(ctx, `SELECT EXISTS (SELECT 1 FROM customers WHERE $1)`, 1)
}
