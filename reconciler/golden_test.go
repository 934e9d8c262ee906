package reconciler_test

import (
	"flag"
	"os"
	"testing"

	"tallyman/formats"
	"tallyman/reconciler"
)

var update = flag.Bool("update", false, "rewrite the golden reports")

// One believable night, and every byte of its reports.
func TestGoldenReports(t *testing.T) {
	n := &night{options: day(), assertions: []reconciler.Assertion{
		{CustomerID: "bcus_a", ExternalReference: "A-1", Name: "Nomsa Dlamini", Currency: "ZAR", Balance: 45000, At: at("2026-11-21T00:00:00Z"), DueDate: "2026-10-31", Payable: "yes"},
		{CustomerID: "bcus_b", ExternalReference: "-2", Name: "=Zoë & Söhne", Currency: "ZAR", Balance: 10000, At: at("2026-11-21T00:00:00Z"), Payable: "yes"},
		{CustomerID: "bcus_b", Currency: "ZAR", Balance: 12500, At: at("2026-11-22T00:00:00Z"), SentAt: at("2026-11-22T05:00:00Z"), DueDate: "2026-11-30", Payable: "yes"},
		{CustomerID: "bcus_c", ExternalReference: "C-3", Name: "Sipho, \"Sips\"", Currency: "JPY", Balance: -20, At: at("2026-11-22T00:00:00Z"), Payable: "no"},
		{CustomerID: "bcus_d", ExternalReference: "D-4", Currency: "ZAR", Balance: 5000, At: at("2026-11-22T00:00:00Z"), Payable: "yes"},
		{CustomerID: "bcus_e", ExternalReference: "E-5", Currency: "ZAR", At: at("2026-11-22T00:00:00Z")},
	}}
	twin := zar(1, "bcus_a", 45000, "2026-11-22T06:00:00Z")
	twin.event = "evt_1b"
	n.hears(
		zar(0, "bcus_a", 1000, "2026-11-21T18:00:00Z").body(),
		zar(1, "bcus_a", 44000, "2026-11-22T06:00:00Z").body(),
		zar(1, "bcus_a", 44000, "2026-11-22T06:00:00Z").body(),
		twin.body(),
		zar(2, "bcus_b", 2500, "2026-11-22T04:30:00+02:00").body(),
		zar(3, "bcus_d", 5100, "").body(),
		zar(4, "bcus_x", 700, "2026-11-22T08:00:00Z").body(),
		paid{event: "evt_5", bill: "bill_1", amount: 800, currency: "ZAR", at: "2026-11-22T09:00:00Z"}.body(),
		zar(6, "bcus_c", 100, "2026-11-22T09:30:00Z").body(),
		zar(7, "bcus_b", -500, "2026-11-22T10:00:00Z").body(),
		[]byte(`{"id":"evt_8","type":"payment.succeeded","data":{"id":"pay_8","amount":44000,"currency":"ZAR"}}`),
		[]byte(`{"id":"evt_9","type":"obligation.amount_applied","data":{"customer_id":"bcus_a","amount":12.5,"currency":"ZAR"}}`),
		[]byte(`{"id":`),
		zar(10, "bcus_a", 9900, "2026-11-23T00:00:00Z").body(),
	)
	n.deliveries[12].ReceivedAt, n.deliveries[12].Signature = at("2026-11-22T12:00:00Z"), formats.SignatureFailed
	n.deliveries[13].Signature = formats.SignatureUnverified

	got := n.run(t).files(t)
	const file = "testdata/night.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "reports (go test -update writes them anew)", got, string(want))
}
