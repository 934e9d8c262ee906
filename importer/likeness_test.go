package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tallyman/formats"
	"tallyman/internal/ledger"
)

// TestMemoryIsLikeTheLedger does the same to the simulation's records and to a real ledger, and sees the same in both.
func TestMemoryIsLikeTheLedger(t *testing.T) {
	empty := emptyLedger(t)
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ledger.FileName), empty, 0o600); err != nil {
			rt.Fatal(err)
		}
		l, err := ledger.Open(t.Context(), dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer l.Close()
		m := newMemory()
		pairs := make([]pair, 3)
		for i, date := range []string{"2026-11-20", "2026-11-20", "2026-11-21"} {
			pairs[i] = pair{m.begin(date), begin(t, l, date, fmt.Sprint("f", i))}
		}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			p := pairs[rapid.IntRange(0, 2).Draw(rt, "file")]
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				p.plan(t, rt)
			case 1, 2:
				p.record(t, rt)
			case 3:
				payment := memoryPayment{
					customer: fmt.Sprint("bcus_", rapid.IntRange(0, 3).Draw(rt, "payer")), at: drawTime(rt), currency: drawCurrency(rt), amount: rapid.Int64().Draw(rt, "amount"),
				}
				m.pay(payment)
				err := l.AddPayments(t.Context(), []ledger.Payment{{
					EventID: fmt.Sprint("evt_", len(m.payments)), CustomerID: payment.customer, ReceivedAt: payment.at, Currency: payment.currency, Amount: payment.amount,
				}}, int64(len(m.payments)))
				if err != nil {
					rt.Fatal(err)
				}
			}
			for _, p := range pairs {
				p.compare(t, rt)
			}
		}
	})
}

// emptyLedger returns the bytes of a new ledger: to make one takes longer than to copy it.
func emptyLedger(t *testing.T) []byte {
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), dir)
	if err == nil {
		err = l.Close()
	}
	data, readErr := os.ReadFile(filepath.Join(dir, ledger.FileName))
	if err := errors.Join(err, readErr); err != nil {
		t.Fatal(err)
	}
	return data
}

// pair is one file in both.
type pair struct {
	memory *memoryFile
	disk   onDisk
}

func drawTime(rt *rapid.T) time.Time {
	return time.Date(2026, 11, 22, 0, 0, rapid.IntRange(0, 20).Draw(rt, "second"), 0, time.UTC)
}

func drawCurrency(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"ZAR", "USD"}).Draw(rt, "currency")
}

func drawRow(rt *rapid.T, number int) Row {
	r := Row{
		Number: number, Operation: rapid.SampledFrom([]string{"", "create", "update"}).Draw(rt, "operation"), PlannedAt: drawTime(rt),
		Generation: rapid.IntRange(0, 2).Draw(rt, "generation"), Refused: rapid.Bool().Draw(rt, "refused"), Result: drawResult(rt, number),
	}
	if r.Operation != "" {
		r.BodySHA256[0], r.Key = byte(number), "key"
	}
	return r
}

func drawResult(rt *rapid.T, number int) formats.OutcomeRow {
	o := formats.OutcomeRow{
		Line: number + 1, ExternalReference: fmt.Sprint("R", number%3), Currency: drawCurrency(rt),
		Outcome: rapid.SampledFrom([]formats.Outcome{"", "", formats.InDoubt, formats.Created, formats.Failed, formats.NotAttempted}).Draw(rt, "outcome"),
	}
	if rapid.Bool().Draw(rt, "balance") {
		o.Balance = formats.BalanceOf(rapid.Int64().Draw(rt, "minor"))
	}
	return o
}

func drawAssertion(rt *rapid.T, r Row) *Standing {
	if !r.Result.Outcome.Final() || rapid.Bool().Draw(rt, "asserts nothing") {
		return nil
	}
	return &Standing{
		CustomerID: fmt.Sprint("bcus_", rapid.IntRange(0, 3).Draw(rt, "customer")), SentAt: drawTime(rt), Payable: "yes",
		Asserted: formats.Customer{ExternalReference: r.Result.ExternalReference, Name: "Zoë", Currency: drawCurrency(rt), Balance: formats.BalanceOf(rapid.Int64().Draw(rt, "asserted"))},
	}
}

func (p pair) plan(t *testing.T, rt *rapid.T) {
	var rows []*Row
	var finished []Finished
	for n := range rapid.IntRange(1, 4).Draw(rt, "rows") {
		r := drawRow(rt, n+1)
		if p.memory.rows[r.Number].Result.Outcome.Final() {
			continue
		}
		if r.Operation == "" {
			finished = append(finished, Finished{Row: &r, Assertion: drawAssertion(rt, r)})
		} else {
			r.Result.Outcome = "" // it is yet to be sent
			rows = append(rows, &r)
		}
	}
	for _, err := range []error{p.memory.Plan(t.Context(), rows, finished), p.disk.Plan(t.Context(), rows, finished)} {
		if err != nil {
			rt.Fatal(err)
		}
	}
}

func (p pair) record(t *testing.T, rt *rapid.T) {
	var advances []Advance
	var finished []Finished
	for _, n := range sortedNumbers(p.memory.rows) {
		r := p.memory.rows[n]
		if r.Result.Outcome.Final() {
			continue
		}
		switch rapid.IntRange(0, 3).Draw(rt, "row") {
		case 0:
			result := drawResult(rt, r.Number)
			result.Currency, result.Balance = r.Result.Currency, r.Result.Balance
			result.Attempts, result.HTTPStatus, result.Reason, result.Detail, result.CustomerID, result.Payable = 2, 409, "why", "because", "bcus_9", "no"
			r.Refused, r.Result = rapid.Bool().Draw(rt, "refused"), result
			finished = append(finished, Finished{Row: &r, Assertion: drawAssertion(rt, r)})
		case 1:
			r.Operation, r.Key, r.Generation, r.PlannedAt, r.Result.Outcome = "update", "k2", 7, drawTime(rt), ""
			a := Advance{Row: r}
			if rapid.Bool().Draw(rt, "found") {
				a.CustomerID, a.Payable = "bcus_1", "yes"
				a.Found = formats.Customer{ExternalReference: r.Result.ExternalReference, Name: "found", Currency: "ZAR", Balance: formats.BalanceOf(5)}
			}
			advances = append(advances, a)
		}
	}
	for _, err := range []error{p.memory.Record(t.Context(), advances, finished), p.disk.Record(t.Context(), advances, finished)} {
		if err != nil {
			rt.Fatal(err)
		}
	}
}

func (p pair) compare(t *testing.T, rt *rapid.T) {
	inMemory, _ := p.memory.Rows(t.Context(), 1, 9)
	onDisk, err := p.disk.Rows(t.Context(), 1, 9)
	if err != nil {
		rt.Fatal(err)
	}
	if diff := cmp.Diff(inMemory, onDisk, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("rows (-memory +ledger):\n%s", diff)
	}
	references := []string{"R0", "R1", "R2", "R3"}
	known, _ := p.memory.Standings(t.Context(), references)
	stored, err := p.disk.Standings(t.Context(), references)
	if err != nil {
		rt.Fatal(err)
	}
	sortDoubted := cmpopts.SortSlices(func(a, b formats.Customer) bool {
		return a.Currency+fmt.Sprint(a.Balance) < b.Currency+fmt.Sprint(b.Balance)
	})
	if diff := cmp.Diff(known, stored, cmpopts.EquateEmpty(), sortDoubted, cmp.Comparer(func(a, b formats.Sum) bool { return a == b })); diff != "" {
		rt.Fatalf("standings (-memory +ledger):\n%s", diff)
	}
}
