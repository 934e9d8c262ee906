package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tallyman/formats"
)

// Standing is what the ledger knows of the customer with a reference.
type Standing struct {
	CustomerID string // Moment's id; empty if the customer is not known to stand there
	Asserted   formats.Customer
	SentAt     time.Time // when Moment acknowledged that
	Payable    string
	Newer      bool        // it was asserted by a file of a later business date, or by a later file of the same date
	Paid       bool        // payments arrived since
	PaidSince  formats.Sum // their sum, in the asserted balance's currency
	Unresolved bool        // a row of another file for this reference was sent and has no answer
	NewerOpen  bool        // such a row is a newer file's
	// Doubted are the balances, with their currencies, that those rows say: each may stand at Moment or not.
	Doubted []formats.Customer
}

// Standings returns what is known of each of the references; one that nothing is known of is absent. file is the file
// that asks: its own rows do not count as unresolved.
func (l *Ledger) Standings(ctx context.Context, file File, references []string) (map[string]Standing, error) {
	known := make(map[string]Standing)
	list, err := json.Marshal(references)
	if err == nil {
		err = l.customers(ctx, file, string(list), known)
	}
	if err == nil && len(known) > 0 {
		err = l.paidSince(ctx, string(list), known)
	}
	if err == nil {
		err = l.unresolved(ctx, file, references, string(list), known)
	}
	if err != nil {
		return nil, fmt.Errorf("read customers from the ledger: %w", err)
	}
	return known, nil
}

// listed picks the references of a JSON array: one text for lists of any length.
const listed = `IN (SELECT value FROM json_each(?))`

const selectCustomers = `SELECT c.reference, c.customer_id, c.file_id, f.business_date, c.sent_at, c.asserted, c.payable
	FROM customers c JOIN files f ON f.id = c.file_id WHERE c.reference ` + listed

func (l *Ledger) customers(ctx context.Context, file File, list string, known map[string]Standing) error {
	found, err := l.read.QueryContext(ctx, selectCustomers, list)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var s Standing
		var reference, date, asserted string
		var by, sent int64
		if err := found.Scan(&reference, &s.CustomerID, &by, &date, &sent, &asserted, &s.Payable); err != nil {
			return err
		}
		s.Asserted.ExternalReference = reference
		if err := readCustomer(asserted, &s.Asserted); err != nil {
			return fmt.Errorf("customer %s: %w", reference, err)
		}
		s.SentAt = fromMicros(sent)
		s.Newer = file.before(date, by)
		known[reference] = s
	}
	return found.Err()
}

const selectPaid = `SELECT c.reference, p.currency, p.amount FROM customers c JOIN payments p ON p.customer_id = c.customer_id AND p.received_at > c.sent_at WHERE c.reference ` + listed

// paidSince adds up the payments that arrived after the last assertion. The sum is made here and not in SQL, where it
// could overflow.
func (l *Ledger) paidSince(ctx context.Context, list string, known map[string]Standing) error {
	found, err := l.read.QueryContext(ctx, selectPaid, list)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var reference, currency string
		var amount int64
		if err := found.Scan(&reference, &currency, &amount); err != nil {
			return err
		}
		s := known[reference]
		s.Paid = true
		if currency == s.Asserted.Currency {
			s.PaidSince = s.PaidSince.Add(amount)
		}
		known[reference] = s
	}
	return found.Err()
}

// doubt is a row of another file that was sent and has no answer.
type doubt struct {
	reference string
	date      string // business date of its file
	fileID    int64
	number    int
	says      formats.Customer // only its balance and currency
}

const selectUnresolved = `SELECT r.reference, r.number, r.currency, r.balance, f.business_date, f.id FROM rows r JOIN files f ON f.id = r.file_id
	WHERE ` + unanswered + ` AND r.reference ` + listed + ` AND r.file_id <> ?`

// unresolved notes the rows of other files that were sent and have no answer: those of the table, and those that a killed
// run has left in plans.
func (l *Ledger) unresolved(ctx context.Context, file File, references []string, list string, known map[string]Standing) error {
	doubts, err := l.plannedDoubts(ctx, file, references)
	if err != nil {
		return err
	}
	if some, err := someUnanswered(ctx, l.read, file); err != nil || !some && len(doubts) == 0 {
		return err
	}
	found, err := l.read.QueryContext(ctx, selectUnresolved, list, file.ID)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var d doubt
		var balance sql.NullInt64
		if err := found.Scan(&d.reference, &d.number, &d.says.Currency, &balance, &d.date, &d.fileID); err != nil {
			return err
		}
		d.says.Balance = formats.Balance{Minor: balance.Int64, Set: balance.Valid}
		doubts = append(doubts, d)
	}
	slices.SortStableFunc(doubts, func(a, b doubt) int { return cmp.Compare(a.fileID, b.fileID) })
	for _, d := range doubts {
		off, err := takenOff(ctx, l.read, d.fileID, d.number, d.number)
		if err != nil {
			return err
		}
		d.says.Balance = less(d.says.Balance, off[d.number])
		s := known[d.reference]
		s.Unresolved = true
		s.Doubted = append(s.Doubted, d.says)
		s.NewerOpen = s.NewerOpen || file.before(d.date, d.fileID)
		known[d.reference] = s
	}
	return found.Err()
}

// plannedDoubts returns the rows of other files' plans for some references.
func (l *Ledger) plannedDoubts(ctx context.Context, file File, references []string) ([]doubt, error) {
	chunks, err := plannedRows(ctx, l.read, `file_id <> ?`, file.ID)
	var doubts []doubt
	for _, c := range chunks {
		other, err := scanFile(l.read.QueryRowContext(ctx, selectFile+` WHERE id = ?`, c.fileID))
		if err != nil {
			return nil, err
		}
		for _, r := range c.rows {
			if slices.Contains(references, r.Result.ExternalReference) {
				says := formats.Customer{Currency: r.Result.Currency, Balance: r.Result.Balance}
				doubts = append(doubts, doubt{r.Result.ExternalReference, other.BusinessDate, other.ID, r.Number, says})
			}
		}
	}
	return doubts, err
}

// before reports whether a file comes before another one: by business date, and within a date by which came first.
func (f File) before(date string, id int64) bool {
	return date > f.BusinessDate || date == f.BusinessDate && id > f.ID
}

// unanswered picks rows that were sent and have no answer, as the index rows_unresolved does.
const unanswered = `outcome IN ('', 'in_doubt') AND operation <> '' AND superseded = 0`

const selectSome = `SELECT reference FROM rows WHERE ` + unanswered + ` AND file_id <> ? LIMIT 1`

// someUnanswered finds out whether there is any such row of another file, so that not each reference has to be looked at.
func someUnanswered(ctx context.Context, q querier, file File) (bool, error) {
	found, err := q.QueryContext(ctx, selectSome, file.ID)
	if err != nil {
		return false, err
	}
	defer found.Close()
	return found.Next(), found.Err()
}

// supersede notes that rows of other files for these customers, sent and without an answer, are nobody's doubt any more.
func (w *writer) supersede(ctx context.Context, asserting []Finished) error {
	if some, err := someUnanswered(ctx, w.tx, w.file); err != nil || !some {
		return err
	}
	for i := range asserting {
		if _, err := w.do.supersede.ExecContext(ctx, asserting[i].Row.Result.ExternalReference, w.file.ID); err != nil {
			return err
		}
	}
	return nil
}

// putCustomers writes what stands of customers.
func (w *writer) putCustomers(ctx context.Context, asserting []Finished) error {
	return w.do.customers.put(ctx, w.tx, len(asserting), func(i int, values []any) []any {
		s := asserting[i].Assertion
		w.text = appendCustomer(w.text[:0], &s.Asserted)
		return append(values, asserting[i].Row.Result.ExternalReference, s.CustomerID, w.file.ID, micros(s.SentAt), string(w.text), s.Payable)
	})
}
