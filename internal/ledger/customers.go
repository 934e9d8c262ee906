package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
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

// chunk is how many values stand in one IN list.
const chunk = 500

// Standings returns what is known of each of the references; one that nothing is known of is absent. file is the file
// that asks: its own rows do not count as unresolved.
func (l *Ledger) Standings(ctx context.Context, file File, references []string) (map[string]Standing, error) {
	known := make(map[string]Standing)
	for len(references) > 0 {
		n := min(chunk, len(references))
		if err := l.standings(ctx, file, references[:n], known); err != nil {
			return nil, fmt.Errorf("read customers from the ledger: %w", err)
		}
		references = references[n:]
	}
	return known, nil
}

func (l *Ledger) standings(ctx context.Context, file File, references []string, known map[string]Standing) error {
	list, args := inList(references)
	found, err := l.read.QueryContext(ctx, `SELECT reference, customer_id, file_id, business_date, sent_at, asserted, payable FROM customers WHERE reference IN `+list, args...)
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
		if err := json.Unmarshal([]byte(asserted), &s.Asserted); err != nil {
			return fmt.Errorf("customer %s: %w", reference, err)
		}
		s.SentAt = fromMicros(sent)
		s.Newer = file.before(date, by)
		known[reference] = s
	}
	if err := found.Err(); err != nil {
		return err
	}
	if err := l.paidSince(ctx, list, args, known); err != nil {
		return err
	}
	return l.unresolved(ctx, file, list, args, known)
}

// paidSince adds up the payments that arrived after the last assertion. The sum is made here and not in SQL, where it
// could overflow.
func (l *Ledger) paidSince(ctx context.Context, list string, args []any, known map[string]Standing) error {
	found, err := l.read.QueryContext(ctx, `SELECT c.reference, p.currency, p.amount FROM customers c JOIN payments p ON p.customer_id = c.customer_id AND p.received_at > c.sent_at
		WHERE c.reference IN `+list, args...)
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

// unresolved notes the rows of other files that were sent and have no answer.
func (l *Ledger) unresolved(ctx context.Context, file File, list string, args []any, known map[string]Standing) error {
	found, err := l.read.QueryContext(ctx, `SELECT r.reference, r.currency, r.balance, f.business_date, f.id FROM rows r JOIN files f ON f.id = r.file_id
		WHERE `+unanswered+` AND r.reference IN `+list+fmt.Sprintf(` AND r.file_id <> %d ORDER BY r.reference, f.id`, file.ID), args...)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var reference, date string
		var by int64
		var balance sql.NullInt64
		var c formats.Customer
		if err := found.Scan(&reference, &c.Currency, &balance, &date, &by); err != nil {
			return err
		}
		c.Balance = formats.Balance{Minor: balance.Int64, Set: balance.Valid}
		s := known[reference]
		s.Unresolved = true
		s.Doubted = append(s.Doubted, c)
		s.NewerOpen = s.NewerOpen || file.before(date, by)
		known[reference] = s
	}
	return found.Err()
}

// before reports whether a file comes before another one: by business date, and within a date by which came first.
func (f File) before(date string, id int64) bool {
	return date > f.BusinessDate || date == f.BusinessDate && id > f.ID
}

// unanswered picks rows that were sent and have no answer, as the index rows_unresolved does.
const unanswered = `outcome IN ('', 'in_doubt') AND operation <> '' AND superseded = 0`

func inList(values []string) (string, []any) {
	args := make([]any, len(values))
	marks := make([]string, len(values))
	for i, v := range values {
		args[i] = v
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return "(" + strings.Join(marks, ", ") + ")", args
}

// assert writes what finished rows say of their customers: the customer as last asserted, and the assertion itself.
func (do statements) assert(ctx context.Context, file File, finished []Finished) error {
	for i := range finished {
		f := &finished[i]
		s := f.Assertion
		if s == nil {
			continue
		}
		if err := do.customer(ctx, file, f.Result.ExternalReference, s); err != nil {
			return err
		}
		if _, err := do.supersede.ExecContext(ctx, f.Result.ExternalReference, file.ID); err != nil {
			return err
		}
		if !f.Result.Balance.Set {
			continue
		}
		if _, err := do.putAssert.ExecContext(ctx, s.CustomerID, f.Result.ExternalReference, file.ID, f.Result.Line, file.BusinessDate, f.Result.Currency, f.Result.Balance.Minor,
			s.Asserted.Name, s.Asserted.DueDate, s.Payable, micros(s.SentAt)); err != nil {
			return err
		}
	}
	return nil
}

// customer writes what stands of a customer.
func (do statements) customer(ctx context.Context, file File, reference string, s *Standing) error {
	asserted, err := json.Marshal(s.Asserted)
	if err != nil {
		return err
	}
	_, err = do.putCustomer.ExecContext(ctx, reference, s.CustomerID, file.ID, file.BusinessDate, micros(s.SentAt), string(asserted), s.Payable)
	return err
}
