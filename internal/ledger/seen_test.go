package ledger

import (
	"fmt"
	"testing"
	"time"

	"tallyman/formats"
)

// Who was seen without a balance is found by the last file that had the customer, and not any more once a file gave one.
func TestSeenWithoutBalance(t *testing.T) {
	l := openTest(t, t.TempDir())
	at := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	rejected := func(number int, reference, id string, balance formats.Balance) Finished {
		row := planned(number, reference, string(formats.Rejected))
		row.Operation, row.Result.Balance, row.Result.CustomerID = OperationNone, balance, id
		return Finished{Row: &row}
	}
	nothingOwed := created(4, "R-4", 0, at)
	nothingOwed.Row.Result.Balance, nothingOwed.Assertion.Asserted.Balance = formats.Balance{}, formats.Balance{}
	record := func(date, sum string, rows ...Finished) {
		t.Helper()
		must(t, l.Record(t.Context(), begin(t, l, date, sum), nil, rows))
	}
	record("2026-11-01", "old", rejected(1, "R-0", "", formats.BalanceOf(1)), rejected(2, "R-1", "", formats.BalanceOf(10)))
	record("2026-11-20", "a", rejected(1, "R-1", "", formats.BalanceOf(11)), rejected(2, "R-2", "bcus_2", formats.Balance{}), rejected(3, "R-3", "", formats.BalanceOf(13)), nothingOwed)
	record("2026-11-21", "b", rejected(1, "R-1", "", formats.BalanceOf(12)), created(2, "R-3", 13, at), rejected(3, "", "", formats.BalanceOf(9)))
	record("2026-11-23", "late", rejected(1, "R-5", "", formats.BalanceOf(1)))

	var got []string
	for s, err := range l.SeenWithoutBalance(t.Context(), "2026-11-02", "2026-11-22") {
		must(t, err)
		got = append(got, fmt.Sprint(s))
	}
	want := []string{
		fmt.Sprint(Seen{Reference: "R-4", CustomerID: "bcus_R-4", FileName: "a.csv", BusinessDate: "2026-11-20"}),
		fmt.Sprint(Seen{Reference: "R-1", Currency: "ZAR", Balance: formats.BalanceOf(12), Rejected: true, FileName: "b.csv", BusinessDate: "2026-11-21", Line: 2}),
		fmt.Sprint(Seen{Reference: "R-2", CustomerID: "bcus_2", Currency: "ZAR", Rejected: true, FileName: "a.csv", BusinessDate: "2026-11-20", Line: 3}),
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	for range l.SeenWithoutBalance(t.Context(), "2026-11-02", "2026-11-22") {
		break // and nothing hangs
	}
}
