package nightly

import (
	"context"
	"time"

	"tallyman/formats"
	"tallyman/internal/ledger"
)

// unnoted are the payments in the journal that the ledger has not taken over yet. A dry run keeps them beside the ledger,
// so that it decides as a run would. nil has none.
type unnoted struct {
	byCustomer map[string][]ledger.Payment
	known      map[string]bool // by event id
}

func (u *unnoted) add(_ context.Context, payments []ledger.Payment, _ int64) error {
	for _, p := range payments {
		if !u.known[p.EventID] {
			u.known[p.EventID] = true
			u.byCustomer[p.CustomerID] = append(u.byCustomer[p.CustomerID], p)
		}
	}
	return nil
}

// paidSince returns a standing that knows of the payments too.
func (u *unnoted) paidSince(s ledger.Standing) ledger.Standing {
	if u == nil {
		return s
	}
	for _, p := range u.byCustomer[s.CustomerID] {
		if !p.ReceivedAt.After(s.SentAt) {
			continue
		}
		s.Paid = true
		if p.Currency == s.Asserted.Currency {
			s.PaidSince = s.PaidSince.Add(p.Amount)
		}
	}
	return s
}

// paidOn adds the payments to those of the ledger.
func (u *unnoted) paidOn(ctx context.Context, r records, since time.Time, references []string, paid map[string][]ledger.PaidOn) error {
	if u == nil || len(u.byCustomer) == 0 {
		return nil
	}
	standings, err := r.ledger.Standings(ctx, r.file, references)
	if err != nil {
		return err
	}
	for reference, s := range standings {
		money := map[string]bool{}
		for _, p := range u.byCustomer[s.CustomerID] {
			at := p.PaidAt
			if at.IsZero() {
				at = p.ReceivedAt
			}
			if p.Elsewhere || at.Before(since) || money[p.Money] {
				continue
			}
			money[p.Money] = p.Money != ""
			paid[reference] = append(paid[reference], ledger.PaidOn{
				TakenOff: formats.TakenOff{EventID: p.EventID, Amount: p.Amount}, Currency: p.Currency, News: p.ReceivedAt.After(s.SentAt),
			})
		}
	}
	return nil
}
