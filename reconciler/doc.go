// Package reconciler finds out what was owed, billed, paid and left, per customer and in total, from two kinds of input:
// assertions (this customer owes this much, as of then) and webhook events (this much was paid). It gives every event a
// place or says why it has none, names what needs a person, and proves its own arithmetic. The rules are design.md
// section 8.
//
// The package is pure: it reads no file, asks no clock, writes no log and starts no goroutine. The same assertions and
// deliveries in the same order give the same results, to the byte. Amounts are int64 minor units, sums are exact beyond
// int64, and nothing is added across currencies.
//
// Give all assertions first, then the deliveries in journal order, then take the result:
//
//	r, err := reconciler.New(reconciler.Options{From: from, To: to, BusinessDate: "2026-11-22"})
//	err = r.Assert(reconciler.Assertion{CustomerID: "bcus_1", Currency: "ZAR", Balance: 15000})
//	row, err := r.Deliver(reconciler.Delivery{Body: body, Signature: formats.SignatureVerified, Ref: "2026-11-22.jsonl:1"})
//	result, err := r.Result()
//
// A Reconciler is for one goroutine.
package reconciler
