package reconciler_test

import (
	"fmt"
	"time"

	"tallyman/formats"
	"tallyman/reconciler"
)

// Two customers owe money; one pays, and the event is delivered twice.
func Example() {
	r, err := reconciler.New(reconciler.Options{
		From: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for id, balance := range []int64{20000, 9900} {
		err := r.Assert(reconciler.Assertion{CustomerID: fmt.Sprintf("bcus_%d", id+1), Currency: "ZAR", Balance: balance})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	event := []byte(`{"id":"evt_1","type":"obligation.amount_applied","data":{"customer_id":"bcus_1","amount":15000,"currency":"ZAR","created_at":"2026-11-22T06:00:00Z"}}`)
	for line := 1; line <= 2; line++ {
		row, err := r.Deliver(reconciler.Delivery{Body: event, Signature: formats.SignatureVerified, Ref: fmt.Sprintf("journal.jsonl:%d", line)})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.JournalRef, row.Status)
	}
	result, err := r.Result()
	if err != nil {
		fmt.Println(err)
		return
	}
	for b := range result.Balances() {
		fmt.Println(b.CustomerID, b.Opening.Major(b.Currency), "-", b.Paid.Major(b.Currency), "=", b.Closing.Major(b.Currency), b.Status)
	}
	// Output:
	// journal.jsonl:1 applied
	// journal.jsonl:2 duplicate
	// bcus_1 200.00 - 150.00 = 50.00 part_paid
	// bcus_2 99.00 - 0.00 = 99.00 unpaid
}
