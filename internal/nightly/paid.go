package nightly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"tallyman/formats"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
)

// takePayments is where payments go that came since the last time, with the number of the journal line they reach up to.
type takePayments func(ctx context.Context, payments []ledger.Payment, upTo int64) error

// notePayments takes the payments that came since the last time from the journal into the ledger, so that the importer
// can tell which balances were paid on after they were asserted. Imported ones are few and may be of any time, so they are
// looked at again each time; the ledger knows those that it has. A dry run, which writes nothing there, takes them itself.
func notePayments(ctx context.Context, l *ledger.Ledger, journalDir string, take takePayments) error {
	known, err := l.PaymentsUpTo(ctx)
	if err != nil {
		return err
	}
	upTo, err := notePaymentsBehind(ctx, journalDir, known, true, take)
	if err != nil {
		return err
	}
	_, err = notePaymentsBehind(ctx, filepath.Join(journalDir, journal.ImportedName), upTo, false, take)
	return err
}

// notePaymentsBehind takes over the payments of one journal and returns how far the ledger has got in the lines that were
// received. Of those only the ones behind known are new; imported ones have numbers of their own.
func notePaymentsBehind(ctx context.Context, dir string, known int64, received bool, take takePayments) (upTo int64, err error) {
	var payments []ledger.Payment
	upTo = known
	flush := func() error {
		err := take(ctx, payments, upTo)
		payments = payments[:0]
		return err
	}
	_, err = journal.Read(ctx, dir, func(line journal.Line) error {
		if line.Err != nil || line.Record.Bare || received && line.Record.Seq <= known {
			return nil
		}
		if received {
			upTo = line.Record.Seq
		}
		e := formats.ParseEvent(line.Record.Body)
		if e.Problem != 0 || e.Type != formats.EventAmountApplied || e.CustomerID == "" {
			return nil
		}
		at := line.Record.ReceivedAt
		if at.IsZero() {
			at = e.CreatedAt
		}
		payments = append(payments, ledger.Payment{
			EventID: e.ID, CustomerID: e.CustomerID, ReceivedAt: at, PaidAt: e.CreatedAt, Currency: e.Currency, Amount: e.Amount,
			Elsewhere: e.AccountID != "" || e.BillID != "", Money: sameMoney(&e),
		})
		if len(payments) < 1000 {
			return nil
		}
		return flush()
	})
	if errors.Is(err, fs.ErrNotExist) {
		return upTo, nil
	}
	if err != nil {
		return upTo, err
	}
	if upTo == known && len(payments) == 0 {
		return upTo, nil
	}
	return upTo, flush()
}

// sameMoney tells money that comes again under another event id, as a possible duplicate in a report is told; empty if the
// event does not say enough.
func sameMoney(e *formats.Event) string {
	if e.ObligationID == "" || e.PaymentID == "" {
		return ""
	}
	return fmt.Sprintf("%q %q %t", e.ObligationID, e.PaymentID, e.Amount < 0)
}
