package reconciler_test

import (
	"fmt"
	"testing"

	"tallyman/formats"
	"tallyman/reconciler"
)

// BenchmarkReconcile takes 20,000 customers and 100,000 events, one in twenty of them delivered twice.
func BenchmarkReconcile(b *testing.B) {
	const customers, events = 20_000, 100_000
	bodies := make([][]byte, events)
	for i := range bodies {
		n := i
		if i%20 == 19 {
			n = i - 1
		}
		bodies[i] = fmt.Appendf(nil, `{"id":"evt_%024d","type":"obligation.amount_applied","data":{"id":"ob_%024d","amount":%d,"currency":"ZAR","payment_id":"pay_%024d","customer_id":"bcus_%020d","metadata":{"source":"app"},"created_at":"2026-11-22T06:00:00Z","updated_at":"2026-11-22T06:00:00Z"}}`,
			n, n, 100+n%900, n, n%customers)
	}
	b.SetBytes(int64(events * len(bodies[0])))
	b.ReportAllocs()
	for b.Loop() {
		r, err := reconciler.New(day())
		if err != nil {
			b.Fatal(err)
		}
		for i := range customers {
			err := r.Assert(reconciler.Assertion{CustomerID: fmt.Sprintf("bcus_%020d", i), ExternalReference: fmt.Sprintf("A-%d", i), Currency: "ZAR", Balance: 50000})
			if err != nil {
				b.Fatal(err)
			}
		}
		for _, body := range bodies {
			if _, err := r.Deliver(reconciler.Delivery{Body: body, Signature: formats.SignatureVerified, Ref: "j:1"}); err != nil {
				b.Fatal(err)
			}
		}
		result, err := r.Result()
		if err != nil || result.Breaks != 0 {
			b.Fatal(err, result.Breaks)
		}
	}
}
