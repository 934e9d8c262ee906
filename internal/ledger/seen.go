package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"tallyman/formats"
)

// Seen is a customer that the ledger has come across and knows no balance of: a row of it was rejected, or Moment has it
// and no file said what it owes.
type Seen struct {
	Reference    string
	CustomerID   string // empty if it is not known
	Currency     string
	Balance      formats.Balance // what the rejected row says, if it says it
	Rejected     bool
	FileName     string // where it was seen last
	BusinessDate string // of that file
	Line         int    // of that file; 0 for one that was not rejected
}

// A rejected row counts if nobody has said since, in any file, what its customer owes. The row that max is of gives the
// other columns too (sqlite.org/lang_select.html, "Bare columns in an aggregate query").
const selectRejected = `SELECT r.reference, coalesce(r.told ->> 'customer_id', ''), r.currency, r.balance, f.name, f.business_date, coalesce(r.told ->> 'line', 0),
	max(f.business_date || printf('%020d', f.id))
	FROM files f JOIN rows r ON r.file_id = f.id AND r.outcome = 'rejected'
	WHERE f.business_date BETWEEN $1 AND $2 AND r.reference <> ''
		AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.reference = r.reference AND c.asserted ->> 'balance' IS NOT NULL)
	GROUP BY r.reference ORDER BY r.reference`

const selectWithoutBalance = `SELECT c.reference, c.customer_id, f.name, f.business_date
	FROM customers c JOIN files f ON f.id = c.file_id
	WHERE c.customer_id <> '' AND c.asserted ->> 'balance' IS NULL ORDER BY c.reference`

// SeenWithoutBalance yields the customers without a known balance: those without a row in any file that gave one, then
// those of rows that were rejected in files of business dates from one to another, both included. A customer may be both.
func (l *Ledger) SeenWithoutBalance(ctx context.Context, from, to string) iter.Seq2[Seen, error] {
	return func(yield func(Seen, error) bool) {
		stopped, err := l.eachSeen(ctx, yield, func(found *sql.Rows, s *Seen) error {
			return found.Scan(&s.Reference, &s.CustomerID, &s.FileName, &s.BusinessDate)
		}, selectWithoutBalance)
		if err == nil && !stopped {
			stopped, err = l.eachSeen(ctx, yield, func(found *sql.Rows, s *Seen) error {
				var balance sql.NullInt64
				var last string
				err := found.Scan(&s.Reference, &s.CustomerID, &s.Currency, &balance, &s.FileName, &s.BusinessDate, &s.Line, &last)
				s.Balance, s.Rejected = formats.Balance{Minor: balance.Int64, Set: balance.Valid}, true
				return err
			}, selectRejected, from, to)
		}
		if err != nil && !stopped {
			yield(Seen{}, fmt.Errorf("read customers without a balance from the ledger: %w", err))
		}
	}
}

// eachSeen yields the rows of a query; stopped says that nobody wants more of them.
func (l *Ledger) eachSeen(ctx context.Context, yield func(Seen, error) bool, scan func(*sql.Rows, *Seen) error, query string, values ...any) (stopped bool, err error) {
	found, err := l.read.QueryContext(ctx, query, values...)
	if err != nil {
		return false, err
	}
	defer found.Close()
	for found.Next() {
		var s Seen
		if err := scan(found, &s); err != nil {
			return false, err
		}
		if !yield(s, nil) {
			return true, nil
		}
	}
	return false, found.Err()
}
