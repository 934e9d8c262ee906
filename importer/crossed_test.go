package importer

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

// TestTakeOff: what is taken off depends on what is paid as long as nothing may have been sent, and not any more then.
func TestTakeOff(t *testing.T) {
	paid := []Payment{
		{TakenOff: formats.TakenOff{EventID: "evt_1", Amount: 2000}, Currency: "ZAR"},
		{TakenOff: formats.TakenOff{EventID: "evt_2", Amount: 500}, Currency: "USD"},
		{TakenOff: formats.TakenOff{EventID: "evt_3", Amount: 100}, Currency: "ZAR", News: true},
	}
	both, first := []formats.TakenOff{paid[0].TakenOff, paid[2].TakenOff}, []formats.TakenOff{paid[0].TakenOff}
	row := func(operation string, o formats.Outcome, attempts int) *Row {
		return &Row{Operation: operation, Result: result(o, attempts), TakenOff: first}
	}
	for _, test := range []struct {
		name    string
		c       formats.Customer
		before  *Row
		paid    []Payment
		balance int64
		off     []formats.TakenOff
	}{
		{"new", ada(), nil, paid, 24000 - 2100, both},
		{"nothing paid", ada(), nil, nil, 24000, nil},
		{"no balance", with(func(c *formats.Customer) { c.Balance = formats.Balance{} }), nil, paid, 0, nil},
		{"paid and taken back", ada(), nil, append(paid[:1:1], Payment{TakenOff: formats.TakenOff{EventID: "evt_4", Amount: -2000}, Currency: "ZAR"}), 24000, nil},
		{"beyond int64", with(func(c *formats.Customer) { c.Balance.Minor = -1 << 63 }), nil, paid, -1 << 63, nil},
		{"planned, perhaps sent", ada(), row("update", "", 0), paid, 22000, first},
		{"in doubt", ada(), row("update", formats.InDoubt, 1), paid, 22000, first},
		{"failed after it was sent", ada(), row("update", formats.Failed, 8), paid, 22000, first},
		{"in doubt, and no longer configured", ada(), row("update", formats.InDoubt, 1), nil, 22000, first},
		{"never sent", ada(), row("update", formats.NotAttempted, 0), paid, 24000 - 2100, both},
		{"decided without a request", ada(), row("", formats.NotAttempted, 0), paid, 24000 - 2100, both},
	} {
		e := &entry{customer: test.c, says: test.c.Balance, before: test.before}
		e.takeOff(test.paid)
		if e.customer.Balance.Minor != test.balance || e.says != test.c.Balance {
			t.Errorf("%s: to be sent %v, filed %v", test.name, e.customer.Balance, e.says)
		}
		if diff := cmp.Diff(test.off, e.takenOff); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestTakenOffIsToldWhereItCounts: a row that asserts nothing takes nothing off.
func TestTakenOffIsToldWhereItCounts(t *testing.T) {
	since := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	off := []formats.TakenOff{{EventID: "evt_1", Amount: 2000}}
	less := with(func(c *formats.Customer) { c.Balance.Minor = 22000 })
	for _, test := range []struct {
		verdict Verdict
		want    string
	}{
		{Verdict{Outcome: formats.Skipped, Detail: "existing"}, "existing"},
		{Verdict{Outcome: formats.Unchanged}, "balance 240.00 ZAR less 20.00 ZAR paid since 2026-11-22T00:00:00Z"},
		{Verdict{Operation: operationUpdate, Outcome: formats.Updated, Detail: "changes name"}, "changes name; balance 240.00 ZAR less 20.00 ZAR paid since 2026-11-22T00:00:00Z"},
	} {
		e := &entry{customer: less, says: ada().Balance, takenOff: off, verdict: test.verdict}
		e.explainTakenOff(since)
		if e.verdict.Detail != test.want || (e.takenOff != nil) != (test.want != "existing") {
			t.Errorf("got %q, %v", e.verdict.Detail, e.takenOff)
		}
	}
}
