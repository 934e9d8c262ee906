package reconciler

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"tallyman/formats"
)

// Result is the outcome of a reconciliation. The rows of balances.csv come from Balances, those of payments.csv came from
// Deliver.
type Result struct {
	// BusinessDate is the report's date, YYYY-MM-DD: that of the options, else the one that the end of the period less an
	// instant belongs to, else empty.
	BusinessDate string
	// Exceptions are the rows of exceptions.csv in the order of the report.
	Exceptions []formats.ExceptionRow
	// Breaks and Notices count them; any break needs a person.
	Breaks, Notices int
	// The totals of summary.json.
	Events      []formats.EventTotal
	Customers   []formats.CustomerTotal
	RollForward []formats.RollForward
	Checks      []formats.Check
	Days        []formats.DayTotal

	from, to  time.Time
	tolerance int64
	customers *book
	order     []uint32 // numbers of the customers by external reference, then id

	// What it takes to continue the exceptions of an earlier report.
	own      []formats.ExceptionRow
	open     map[string]bool // of the watched ones: open, though not of this period
	comments map[string]formats.Comment
	dateOf   func(time.Time) string

	live map[string]liveFigure // by customer id
}

// Result ends the reconciliation. It is an error to ask for it twice.
func (r *Reconciler) Result() (*Result, error) {
	if r.stage == finished {
		return nil, errors.New("the result was taken before")
	}
	r.stage = finished
	if err := errors.Join(r.memory.first.spilled.close(), r.memory.money.spilled.close()); err != nil {
		return nil, fmt.Errorf("free what was spilled to disk: %w", err)
	}
	result := &Result{
		BusinessDate: r.options.BusinessDate, from: r.options.From, to: r.options.To,
		tolerance: r.options.Tolerance, customers: r.customers,
		open: r.watch.open, comments: r.options.Comments, dateOf: r.options.DateOf,
	}
	r.memory = newMemory(nil) // no event is asked for any more
	var sorting sync.WaitGroup
	sorting.Go(func() { result.order = r.customers.order() })
	for _, c := range r.customers.whole {
		slices.SortFunc(c.lines, func(a, b *line) int { return cmp.Compare(a.currency, b.currency) })
	}
	totals := newBalanceTotals()
	for l := range result.linesOf(nil) { // as they came, which is how they stand in memory
		row := result.row(l)
		totals.add(l, row)
		l.walk(func(p *point, billed formats.Sum) { r.days.bill(p.at, l.currency, billed) })
		r.exceptLine(row, l)
	}
	r.exceptUnpayable(result.linesOf(nil))
	r.watch.seeCrossed(result.linesOf(nil))
	result.Events = r.journal.eventTotals()
	result.Customers = totals.customerTotals()
	result.RollForward = totals.rollForward()
	result.Days = r.days.totals()
	result.Checks = r.check(totals)
	result.own = r.found
	sorting.Wait()
	if err := result.suggest(r.options.Seen); err != nil {
		return nil, err
	}
	for i := range result.own {
		result.age(&result.own[i])
	}
	result.Continue(nil)
	return result, nil
}

// lines are the lines of balances.csv in its order: by external reference, then customer id, then currency. A line is
// valid until the next one.
func (r *Result) lines() iter.Seq[*line] { return r.linesOf(r.order) }

// linesOf are the lines of some customers, or of all as they came if order is nil.
func (r *Result) linesOf(order []uint32) iter.Seq[*line] {
	return func(yield func(*line) bool) {
		for c := range r.customers.all(order) {
			for _, l := range c.lines {
				if l.reported(l.movement()) && !yield(l) {
					return
				}
			}
		}
	}
}

// Balances yields the rows of balances.csv, sorted by external reference, then customer id, then currency.
func (r *Result) Balances() iter.Seq[formats.BalanceRow] { return r.balances(r.order) }

// BalancePieces cuts balances.csv into pieces, in its order, for who has millions of rows: the pieces may be gone through
// at the same time, as long as nothing else is done with the result. Each is of size customers at most.
func (r *Result) BalancePieces(size int) iter.Seq[iter.Seq[formats.BalanceRow]] {
	return func(yield func(iter.Seq[formats.BalanceRow]) bool) {
		for order := range slices.Chunk(r.order, size) {
			if !yield(r.balances(order)) {
				return
			}
		}
	}
}

func (r *Result) balances(order []uint32) iter.Seq[formats.BalanceRow] {
	return func(yield func(formats.BalanceRow) bool) {
		for l := range r.linesOf(order) {
			if !yield(r.row(l)) {
				return
			}
		}
	}
}

// row puts together one row of balances.csv.
func (r *Result) row(l *line) formats.BalanceRow {
	m := l.movement()
	row := formats.BalanceRow{
		BusinessDate:      r.BusinessDate,
		ExternalReference: l.customer.reference,
		CustomerID:        l.customer.id,
		Name:              l.customer.name,
		Currency:          l.currency,
		Opening:           m.opening,
		Billed:            m.billed,
		Paid:              m.paid,
		Closing:           m.closing,
		Status:            status(m.closing, l.count, r.tolerance),
		PaymentCount:      l.count,
		FirstPaidAt:       l.first.time,
		LastPaidAt:        l.last.time,
		HasPaidAt:         l.first.known,
		DueDate:           l.dueDate,
	}
	if live, ok := r.live[l.customer.id]; ok && live.currency == l.currency {
		row.LiveBalance, row.LiveDifference, row.HasLive = live.balance, live.difference, true
	}
	return row
}

// status names where a customer stands, from what is left, whether anything was paid, and how far from 0 still is 0.
func status(closing formats.Sum, payments, tolerance int64) string {
	sign := closing.Sign()
	if closing.Abs().Cmp(formats.SumOf(tolerance)) <= 0 {
		sign = 0
	}
	switch {
	case payments > 0 && sign > 0:
		return formats.StatusPartPaid
	case payments > 0 && sign < 0:
		return formats.StatusOverpaid
	case payments > 0:
		return formats.StatusSettled
	case sign > 0:
		return formats.StatusUnpaid
	case sign < 0:
		return formats.StatusInCredit
	default:
		return formats.StatusNothingDue
	}
}

// Summary puts together what the result knows of summary.json. The caller adds Timezone, Inputs and Journal.
func (r *Result) Summary() formats.Summary {
	return formats.Summary{
		BusinessDate: r.BusinessDate,
		From:         bound(r.from),
		To:           bound(r.to),
		Events:       r.Events,
		Customers:    r.Customers,
		RollForward:  r.RollForward,
		Exceptions:   r.exceptionTotals(),
		Checks:       r.Checks,
		Days:         r.Days,
	}
}

func bound(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// exceptionTotals counts the exceptions by severity and reason.
func (r *Result) exceptionTotals() []formats.ExceptionTotal {
	var totals []formats.ExceptionTotal
	for _, row := range r.Exceptions {
		i := slices.IndexFunc(totals, func(t formats.ExceptionTotal) bool {
			return t.Severity == row.Severity && t.Reason == row.Reason
		})
		if i < 0 {
			i = len(totals)
			totals = append(totals, formats.ExceptionTotal{Severity: row.Severity, Reason: row.Reason})
		}
		totals[i].Count++
	}
	slices.SortFunc(totals, func(a, b formats.ExceptionTotal) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Reason, b.Reason))
	})
	return totals
}
