package nightly

import (
	"context"
	"time"

	"tallyman/importer"
	"tallyman/internal/ledger"
)

// records lets the importer keep the records of one file in the ledger.
type records struct {
	ledger  *ledger.Ledger
	file    ledger.File
	unnoted *unnoted // of a dry run
}

var _ importer.Ledger = records{}

func (r records) Standings(ctx context.Context, references []string) (map[string]importer.Standing, error) {
	known, err := r.ledger.Standings(ctx, r.file, references)
	out := make(map[string]importer.Standing, len(known))
	for reference, s := range known {
		out[reference] = importer.Standing(r.unnoted.paidSince(s))
	}
	return out, err
}

func (r records) Payments(ctx context.Context, since time.Time, references []string) (map[string][]importer.Payment, error) {
	paid, err := r.ledger.PaidOn(ctx, since, references)
	if err != nil {
		return nil, err
	}
	if err := r.unnoted.paidOn(ctx, r, since, references, paid); err != nil {
		return nil, err
	}
	out := make(map[string][]importer.Payment, len(paid))
	for reference, list := range paid {
		for _, p := range list {
			out[reference] = append(out[reference], importer.Payment(p))
		}
	}
	return out, nil
}

func (r records) Rows(ctx context.Context, from, to int) ([]*importer.Row, error) {
	rows, err := r.ledger.Rows(ctx, r.file.ID, from, to)
	out := make([]*importer.Row, len(rows))
	for i := range rows {
		out[i] = (*importer.Row)(&rows[i])
	}
	return out, err
}

func (r records) Plan(ctx context.Context, rows []*importer.Row, finished []importer.Finished) error {
	planned := make([]*ledger.Row, len(rows))
	for i, r := range rows {
		planned[i] = (*ledger.Row)(r)
	}
	return r.ledger.Plan(ctx, r.file, planned, toLedger(finished))
}

func (r records) Record(ctx context.Context, advances []importer.Advance, finished []importer.Finished) error {
	generations := make([]ledger.Advance, len(advances))
	for i := range advances {
		a := &advances[i]
		generations[i] = ledger.Advance{Row: ledger.Row(a.Row), CustomerID: a.CustomerID, Found: a.Found, Payable: a.Payable}
	}
	return r.ledger.Record(ctx, r.file, generations, toLedger(finished))
}

func toLedger(finished []importer.Finished) []ledger.Finished {
	out := make([]ledger.Finished, len(finished))
	for i, f := range finished {
		out[i] = ledger.Finished{Row: (*ledger.Row)(f.Row), Assertion: (*ledger.Standing)(f.Assertion)}
	}
	return out
}

// noRecords are the records of a file where there is no ledger yet: a dry run makes none.
type noRecords struct{}

var _ importer.Ledger = noRecords{}

func (noRecords) Standings(context.Context, []string) (map[string]importer.Standing, error) {
	return nil, nil
}

func (noRecords) Payments(context.Context, time.Time, []string) (map[string][]importer.Payment, error) {
	return nil, nil
}
func (noRecords) Rows(context.Context, int, int) ([]*importer.Row, error) { return nil, nil }
func (noRecords) Plan(context.Context, []*importer.Row, []importer.Finished) error {
	return errDryRun
}

func (noRecords) Record(context.Context, []importer.Advance, []importer.Finished) error {
	return errDryRun
}
