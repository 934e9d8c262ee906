package nightly

import (
	"context"
	"errors"
	"io/fs"

	"tallyman/formats"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
)

// notePayments takes the payments that came since the last time from the journal into the ledger, so that the importer
// can tell which balances were paid on after they were asserted.
func notePayments(ctx context.Context, l *ledger.Ledger, journalDir string) error {
	known, err := l.PaymentsUpTo(ctx)
	if err != nil {
		return err
	}
	var payments []ledger.Payment
	upTo := known
	flush := func() error {
		err := l.AddPayments(ctx, payments, upTo)
		payments = payments[:0]
		return err
	}
	_, err = journal.Read(ctx, journalDir, func(line journal.Line) error {
		if line.Err != nil || line.Record.Bare || line.Record.Seq <= known {
			return nil
		}
		upTo = line.Record.Seq
		e := formats.ParseEvent(line.Record.Body)
		if e.Problem != 0 || e.Type != formats.EventAmountApplied || e.CustomerID == "" {
			return nil
		}
		payments = append(payments, ledger.Payment{
			EventID: e.ID, CustomerID: e.CustomerID, ReceivedAt: line.Record.ReceivedAt, Currency: e.Currency, Amount: e.Amount,
		})
		if len(payments) < 1000 {
			return nil
		}
		return flush()
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if upTo == known {
		return nil
	}
	return flush()
}
