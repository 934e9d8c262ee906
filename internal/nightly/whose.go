package nightly

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"time"

	"tallyman/internal/ledger"
	"tallyman/reconciler"
)

// rejectedDays is how far back a rejected row may tell whose money it is: a month, as bills come.
const rejectedDays = 31

// lastDate is the last business date of a period, or one after all others if it is open at its end.
func (r *Reporter) lastDate(q ReportRequest) string {
	_, last, _ := r.dates(q)
	return cmp.Or(last, "9999-12-31")
}

// seen are the customers without a balance that the ledger came across; nil for a report from files alone.
func (r *Reporter) seen(ctx context.Context, q ReportRequest) iter.Seq2[reconciler.Seen, error] {
	if r.Ledger == nil || q.Expected != "" {
		return nil
	}
	to, from := r.lastDate(q), ""
	if day, err := time.Parse(time.DateOnly, to); err == nil && !q.To.IsZero() {
		from = day.AddDate(0, 0, -rejectedDays).Format(time.DateOnly)
	}
	return func(yield func(reconciler.Seen, error) bool) {
		for s, err := range r.Ledger.SeenWithoutBalance(ctx, from, to) {
			if !yield(seenBy(s), err) {
				return
			}
		}
	}
}

func seenBy(s ledger.Seen) reconciler.Seen {
	where := fmt.Sprintf("%s of %s", s.FileName, s.BusinessDate)
	if s.Line > 0 {
		where = fmt.Sprintf("line %d of %s", s.Line, where)
	}
	return reconciler.Seen{
		ExternalReference: s.Reference, CustomerID: s.CustomerID, Currency: s.Currency, Balance: s.Balance, Rejected: s.Rejected, Where: where,
	}
}
