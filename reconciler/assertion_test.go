package reconciler_test

import (
	"errors"
	"fmt"
	"testing"

	"tallyman/formats"
	"tallyman/reconciler"
)

// Assertions taken once each are those taken one at a time; of a customer that comes again it is told whether the figures are
// equal, and nothing of it counts.
func TestAssertOnce(t *testing.T) {
	begin := func() *reconciler.Reconciler {
		r, err := reconciler.New(reconciler.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one, once := begin(), begin()
	var all []reconciler.Assertion
	for i := range 3000 {
		a := reconciler.Assertion{CustomerID: fmt.Sprint("bcus_", i), ExternalReference: fmt.Sprint("A-", i%1000), Name: fmt.Sprint("name ", i), Currency: []string{"ZAR", "JPY"}[i%2], Balance: int64(i % 7), DueDate: "2026-11-30", Payable: "yes"}
		if err := one.Assert(a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
		again := a
		switch i % 10 {
		case 3:
			again.Name = "another"
			all = append(all, again)
		case 4:
			again.Balance++
			all = append(all, again)
		case 5:
			again.Currency = "USD"
			all = append(all, again)
		}
	}
	equal, other := 0, 0
	for rest := all; len(rest) > 0; {
		some := rest[:min(len(rest), 500)]
		rest = rest[len(some):]
		if err := once.AssertOnce(some, func(i int, same bool) error {
			if some[i].Name == "another" != same {
				t.Errorf("%+v: equal %v", some[i], same)
			}
			if equal++; !same {
				other++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if equal != 900 || other != 600 {
		t.Errorf("%d came again, %d with other figures", equal, other)
	}
	balances := func(r *reconciler.Reconciler) (rows []formats.BalanceRow) {
		result, err := r.Result()
		if err != nil {
			t.Fatal(err)
		}
		for row := range result.Balances() {
			rows = append(rows, row)
		}
		return rows
	}
	want, got := balances(one), balances(once)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("other balances")
	}
	stop := errors.New("stop")
	if err := begin().AssertOnce(append(all[:1:1], all[0]), func(int, bool) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
	if err := begin().AssertOnce([]reconciler.Assertion{{CustomerID: "a"}}, nil); err == nil {
		t.Error("an assertion without a currency was taken")
	}
}

// An assertion that was taken by itself is one that a customer has already.
func TestAssertOnceAfterAssert(t *testing.T) {
	r, err := reconciler.New(reconciler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	day := at("2026-11-22T00:00:00Z")
	for i, a := range []reconciler.Assertion{{CustomerID: "a", Currency: "ZAR", Balance: 1}, {CustomerID: "b", Currency: "ZAR", Balance: 1}, {CustomerID: "b", Currency: "USD", Balance: 2, At: day}} {
		if err := r.Assert(a); err != nil {
			t.Fatal(i, err)
		}
	}
	var said []bool
	if err := r.AssertOnce([]reconciler.Assertion{{CustomerID: "a", Currency: "ZAR", Balance: 1}, {CustomerID: "b", Currency: "ZAR", Balance: 1}, {CustomerID: "b", Currency: "USD", Balance: 2}}, func(_ int, equal bool) error {
		said = append(said, equal)
		return nil
	}); err != nil || fmt.Sprint(said) != "[true false true]" {
		t.Errorf("%v, %v", said, err)
	}
}
