package reconciler

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"tallyman/formats"
)

// A check that cannot fail proves nothing: each is made to fail here, and must show as a break.
func TestChecksFindWrongFigures(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Reconciler)
		want  []string
	}{
		"nothing wrong": {func(*Reconciler) {}, nil},
		"a line lost":   {func(r *Reconciler) { r.journal.count++ }, []string{"events"}},
		"a line counted twice": {func(r *Reconciler) {
			r.journal.lines[lineKind{"ZAR", formats.StatusApplied, ""}].count++
		}, []string{"events"}},
		"an exception lost": {func(r *Reconciler) { r.found = r.found[1:] }, []string{"exceptions"}},
		"a payment not booked": {func(r *Reconciler) {
			r.customers.open(0).lines[0].paid = nil
		}, []string{"applied ZAR", "days ZAR"}},
		"a payment booked twice": {func(r *Reconciler) {
			l := r.customers.open(0).lines[0]
			l.pay(2, 100)
		}, []string{"applied ZAR", "days ZAR"}},
		"a day's money lost": {func(r *Reconciler) { r.days.none.moved["ZAR"].paid = formats.Sum{} }, []string{"days ZAR"}},
		"money applied in a currency that nobody owes": {func(r *Reconciler) {
			r.journal.apply("USD", 5)
		}, []string{"applied USD"}},
		"a customer lost": {func(r *Reconciler) {
			r.customers.count++
			r.customers.keep(r.customers.record(1), &customer{id: "bcus_7"})
		}, []string{"customers"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := smallNight(t)
			c.spoil(r)
			result, err := r.Result()
			if err != nil {
				t.Fatal(err)
			}
			var failed, broken []string
			for _, check := range result.Checks {
				if !check.OK {
					failed = append(failed, check.Name)
				}
			}
			for _, e := range result.Exceptions {
				if e.Reason == formats.ReasonTotalsDiffer {
					broken = append(broken, e.Detail)
				}
			}
			if !slices.Equal(failed, c.want) || len(broken) != len(c.want) {
				t.Fatalf("failed checks %q, want %q; breaks %q", failed, c.want, broken)
			}
		})
	}
}

// The roll-forward is computed twice; a walk that goes wrong is found by the other way.
func TestRollForwardIsProvenAnotherWay(t *testing.T) {
	r := smallNight(t)
	b := newBalanceTotals()
	result := &Result{customers: r.customers, order: r.customers.order()}
	for l := range result.lines() {
		b.add(l, result.row(l))
	}
	if check := b.checkRollForward("ZAR"); !check.OK {
		t.Fatal(check.Detail)
	}
	m := b.currency["ZAR"]
	m.billed, m.closing = m.billed.Add(1), m.closing.Add(1) // still foots
	if check := b.checkRollForward("ZAR"); check.OK || !strings.Contains(check.Detail, "computed again") {
		t.Errorf("%+v", check)
	}
	m.closing = m.closing.Sub(1)
	if b.checkRollForward("ZAR").OK {
		t.Error("opening + billed - paid is not closing, and the check is content")
	}
}

// The sums by another way are exact as well, and however often they are full.
func TestTally(t *testing.T) {
	var got tally
	want := new(big.Int)
	for range 7 {
		for _, amount := range []int64{math.MaxInt64, 1, math.MinInt64, -5, math.MaxInt64} {
			got.add(amount)
			got.add(amount)
			want.Add(want, new(big.Int).Mul(big.NewInt(2), big.NewInt(amount)))
		}
	}
	for _, sum := range []formats.Sum{formats.SumOf(math.MinInt64), formats.SumOf(3), formats.SumOf(math.MaxInt64).Add(math.MaxInt64)} {
		got.sub(sum)
		want.Sub(want, bigSum(sum))
	}
	if got.sum().Cmp(want) != 0 {
		t.Errorf("%s, want %s", got.sum(), want)
	}
}

// smallNight has one customer, one payment and one held line.
func smallNight(t *testing.T) *Reconciler {
	t.Helper()
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Assert(Assertion{CustomerID: "bcus_1", Currency: "ZAR", Balance: 1000}); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"id":"evt_1","type":"obligation.amount_applied","data":{"customer_id":"bcus_1","amount":100,"currency":"ZAR"}}`,
		"nonsense",
	} {
		if _, err := r.Deliver(Delivery{Body: []byte(body), Signature: formats.SignatureUnverified, Ref: "j:1"}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestMemoryKeysDoNotRunTogether(t *testing.T) {
	if digestOf("a", "bc") == digestOf("ab", "c") || digestOf("a") == digestOf("a", "") || digestOf("", "a") == digestOf("a", "") {
		t.Error("two lists of texts have one digest")
	}
	if digestOf(strings.Repeat("x", 1000)) == digestOf(strings.Repeat("x", 1001)) {
		t.Error("two long texts have one digest")
	}
}
