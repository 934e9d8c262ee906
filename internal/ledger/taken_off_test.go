package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

// TestPaidOn: what counts as paid on a balance from an instant on is what a report would count as applied.
func TestPaidOn(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "a")
	sent := time.Date(2026, 3, 16, 6, 0, 0, 0, time.UTC)
	since := sent.Add(-2 * time.Hour)
	must(t, l.Record(t.Context(), f, nil, []Finished{{
		Row:       &Row{Number: 1, Operation: OperationCreate, Result: formats.OutcomeRow{Line: 2, ExternalReference: "A", Outcome: formats.Created}},
		Assertion: &Standing{CustomerID: "bcus_1", Asserted: formats.Customer{Currency: "ZAR", Balance: formats.BalanceOf(100)}, SentAt: sent, Payable: "yes"},
	}}))
	at := func(hours int) time.Time { return sent.Add(time.Duration(hours) * time.Hour) }
	must(t, l.AddPayments(t.Context(), []Payment{
		{EventID: "before", CustomerID: "bcus_1", ReceivedAt: at(1), PaidAt: since.Add(-time.Microsecond), Currency: "ZAR", Amount: 1},
		{EventID: "at once", CustomerID: "bcus_1", ReceivedAt: at(-1), PaidAt: since, Currency: "ZAR", Amount: 2, Money: "m"},
		{EventID: "the same money", CustomerID: "bcus_1", ReceivedAt: at(1), PaidAt: since, Currency: "ZAR", Amount: 2, Money: "m"},
		{EventID: "for a bill", CustomerID: "bcus_1", ReceivedAt: at(1), PaidAt: at(1), Currency: "ZAR", Amount: 4, Elsewhere: true},
		{EventID: "of another", CustomerID: "bcus_2", ReceivedAt: at(1), PaidAt: at(1), Currency: "ZAR", Amount: 8, Money: "m"},
		{EventID: "as it was acknowledged", CustomerID: "bcus_1", ReceivedAt: sent, PaidAt: at(1), Currency: "ZAR", Amount: 32},
		{EventID: "without a time", CustomerID: "bcus_1", ReceivedAt: at(2), Currency: "USD", Amount: 16},
	}, 6))
	got, err := l.PaidOn(t.Context(), since, []string{"A", "B"})
	must(t, err)
	want := map[string][]PaidOn{"A": {
		{formats.TakenOff{EventID: "at once", Amount: 2}, "ZAR", false},
		{formats.TakenOff{EventID: "as it was acknowledged", Amount: 32}, "ZAR", false},
		{formats.TakenOff{EventID: "without a time", Amount: 16}, "USD", true},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTakenOff: what a plan takes off is on record with it, another plan takes its place, and the assertion knows both the
// file's balance and what was sent.
func TestTakenOff(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "a")
	row := Row{
		Number: 1, Operation: OperationUpdate, Result: formats.OutcomeRow{Line: 2, ExternalReference: "A", Currency: "ZAR", Balance: formats.BalanceOf(100)},
		TakenOff: []formats.TakenOff{{EventID: "evt_1", Amount: 30}, {EventID: "evt_\n2", Amount: -5}},
	}
	must(t, l.Plan(t.Context(), f, []*Row{&row}, nil))
	other := begin(t, l, "2026-03-17", "b")
	known, err := l.Standings(t.Context(), other, []string{"A"})
	must(t, err)
	if d := known["A"].Doubted; len(d) != 1 || d[0].Balance != formats.BalanceOf(75) {
		t.Errorf("what may stand at Moment is what was sent: %+v", d)
	}
	row.TakenOff = row.TakenOff[1:]
	must(t, l.Plan(t.Context(), f, []*Row{&row}, nil))
	rows, err := l.Rows(t.Context(), f.ID, 1, 1)
	must(t, err)
	if diff := cmp.Diff(row.TakenOff, rows[0].TakenOff); diff != "" {
		t.Error(diff)
	}
	row.Result.Outcome, row.Result.CustomerID = formats.Updated, "bcus_1"
	must(t, l.Record(t.Context(), f, nil, []Finished{{Row: &row, Assertion: &Standing{
		CustomerID: "bcus_1", Asserted: formats.Customer{Currency: "ZAR", Balance: formats.BalanceOf(105)}, SentAt: time.Now(), Payable: "yes",
	}}}))
	var got []Assertion
	must(t, l.Assertions(t.Context(), "9999-12-31", func(a Assertion) error { got = append(got, a); return nil }))
	if len(got) != 1 || got[0].Balance != 100 || !cmp.Equal(got[0].TakenOff, row.TakenOff) {
		t.Errorf("%+v", got)
	}
}
