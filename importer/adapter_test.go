package importer

import (
	"context"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/internal/ledger"
	"tallyman/internal/moment"
)

// onDisk keeps the records of one file in a real ledger.
type onDisk struct {
	ledger *ledger.Ledger
	file   ledger.File
}

var _ Ledger = onDisk{}

func (d onDisk) Standings(ctx context.Context, references []string) (map[string]Standing, error) {
	known, err := d.ledger.Standings(ctx, d.file, references)
	out := make(map[string]Standing, len(known))
	for reference, s := range known {
		out[reference] = Standing(s)
	}
	return out, err
}

func (d onDisk) Payments(ctx context.Context, since time.Time, references []string) (map[string][]Payment, error) {
	paid, err := d.ledger.PaidOn(ctx, since, references)
	out := make(map[string][]Payment, len(paid))
	for reference, list := range paid {
		for _, p := range list {
			out[reference] = append(out[reference], Payment(p))
		}
	}
	return out, err
}

func (d onDisk) Rows(ctx context.Context, from, to int) ([]*Row, error) {
	rows, err := d.ledger.Rows(ctx, d.file.ID, from, to)
	var out []*Row
	for i := range rows {
		out = append(out, (*Row)(&rows[i]))
	}
	return out, err
}

func (d onDisk) Plan(ctx context.Context, rows []*Row, finished []Finished) error {
	planned := make([]*ledger.Row, len(rows))
	for i, r := range rows {
		planned[i] = (*ledger.Row)(r)
	}
	return d.ledger.Plan(ctx, d.file, planned, toLedger(finished))
}

func (d onDisk) Record(ctx context.Context, advances []Advance, finished []Finished) error {
	next := make([]ledger.Advance, len(advances))
	for i := range advances {
		a := &advances[i]
		next[i] = ledger.Advance{Row: ledger.Row(a.Row), CustomerID: a.CustomerID, Found: a.Found, Payable: a.Payable}
	}
	return d.ledger.Record(ctx, d.file, next, toLedger(finished))
}

func toLedger(finished []Finished) []ledger.Finished {
	out := make([]ledger.Finished, len(finished))
	for i, f := range finished {
		out[i] = ledger.Finished{Row: (*ledger.Row)(f.Row), Assertion: (*ledger.Standing)(f.Assertion)}
	}
	return out
}

// openLedger opens a ledger that is closed when the test ends.
func openLedger(t testing.TB, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func begin(t testing.TB, l *ledger.Ledger, date, sha string) onDisk {
	t.Helper()
	f, err := l.Begin(t.Context(), ledger.File{BusinessDate: date, SHA256: sha, Name: sha + ".csv", FirstSeen: time.Now(), RunID: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	return onDisk{l, f}
}

// overHTTP is a real client.
type overHTTP struct{ client *moment.Client }

var _ API = overHTTP{}

func (o overHTTP) Create(ctx context.Context, key string, body []byte) Answer {
	return fromMoment(o.client.Create(ctx, key, body))
}

func (o overHTTP) Retrieve(ctx context.Context, customer string) Answer {
	return fromMoment(o.client.Retrieve(ctx, customer))
}

func (o overHTTP) Update(ctx context.Context, customer string, body []byte) Answer {
	return fromMoment(o.client.Update(ctx, customer, body))
}

func fromMoment(a moment.Answer) Answer {
	class := map[moment.Class]Class{
		moment.Silence: Silence, moment.NotSent: NotSent, moment.OK: OK, moment.NotFound: NotFound, moment.Conflict: Conflict,
		moment.InFlight: InFlight, moment.KeyReused: KeyReused, moment.Invalid: Invalid, moment.Throttled: Throttled,
		moment.ServerError: ServerError, moment.Unauthorized: Unauthorized, moment.Misconfigured: Misconfigured,
	}[a.Class]
	c := a.Customer
	r := Remote{ID: c.ID, Payable: c.Payable, Customer: formats.Customer{
		ExternalReference: c.ExternalReference, Name: c.Name, Email: c.Email, Phone: c.Phone, Currency: c.Currency,
		Balance: formats.Balance{Minor: c.Balance, Set: c.HasBalance}, Metadata: c.Metadata,
	}}
	return Answer{Class: class, Status: a.Status, Replayed: a.Replayed, Customer: r, Problem: a.Problem.String(), Err: a.Err, GiveUp: a.GiveUp}
}
