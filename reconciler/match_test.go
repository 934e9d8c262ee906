package reconciler_test

import (
	"fmt"
	"strings"
	"testing"

	"tallyman/formats"
	"tallyman/reconciler"
)

// Each payment meets its counterpart by the surest sign there is, and each counts once.
func TestMatch(t *testing.T) {
	webhook := func(n int, reference string, amount int64, when string) reconciler.WebhookPayment {
		return reconciler.WebhookPayment{
			EventID: fmt.Sprintf("evt_%d", n), PaymentID: fmt.Sprintf("pay_%d", n), CustomerID: "bcus_" + reference, ExternalReference: reference,
			Currency: "ZAR", Amount: amount, At: at(when), Ref: fmt.Sprintf("j:%d", n), Inside: true,
		}
	}
	reported := func(n int, reference string, amount int64, when string) reconciler.ReportPayment {
		return reconciler.ReportPayment{MomentReportRow: formats.MomentReportRow{
			Type: "Payment", ID: fmt.Sprintf("r%d", n), CustomerReference: reference, Currency: "ZAR", Amount: amount, At: at(when),
		}, Ref: fmt.Sprintf("m:%d", n), Inside: true}
	}
	outside := webhook(7, "G", 700, "2026-11-23T00:00:10Z")
	outside.Inside = false
	early := reported(8, "H", 800, "2026-11-21T23:59:00Z")
	early.Inside = false
	named := reported(2, "", 250, "2026-11-22T09:00:00Z")
	named.MerchantReference = "pay_2"
	refund := reported(5, "A", -100, "2026-11-22T12:00:00Z")
	refund.Type = "Refund"
	twice := reported(11, "", 110, "2026-11-22T09:00:00Z") // one transaction is the counterpart of one payment
	twice.PaymentID, twice.MerchantReference = "pay_0", "pay_12"
	late := reported(13, "K", 130, "2026-11-23T00:00:10Z")
	late.Inside = false
	before, after := webhook(14, "L", 140, "2026-11-23T00:00:10Z"), reported(14, "L", 140, "2026-11-23T00:00:10Z")
	before.Inside, after.Inside = false, false
	yen := reported(9, "C", 300, "2026-11-22T10:00:00Z")
	yen.Currency = "JPY"
	rows := reconciler.Match([]reconciler.WebhookPayment{
		webhook(0, "Z", 110, "2026-11-22T07:00:00Z"),
		webhook(1, "A", 100, "2026-11-22T08:00:00Z"), webhook(2, "B", 200, "2026-11-22T09:00:00Z"), webhook(3, "C", 300, "2026-11-22T10:00:00Z"),
		webhook(4, "A", 100, "2026-11-22T08:05:00Z"), webhook(6, "D", 60, "2026-11-22T11:00:00Z"), outside,
		webhook(12, "Y", 110, "2026-11-22T07:00:00Z"), webhook(13, "K", 130, "2026-11-22T23:59:59Z"), before,
	}, []reconciler.ReportPayment{
		reported(1, "A", 100, "2026-11-22T08:04:59Z"), reported(4, "A", 100, "2026-11-22T08:00:01Z"), named, refund,
		reported(6, "D", 66, "2026-11-22T11:00:00Z"), reported(7, "G", 700, "2026-11-22T23:59:59Z"), reported(10, "A", 100, "2026-11-22T08:00:00Z"), early, yen, twice, late, after,
	})
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%s %s %s %d %d %s", r.Status, r.EventID, r.ReportID, r.WebhookAmount, r.ReportAmount, r.By))
	}
	same(t, "rows", strings.Join(got, "\n"), `both evt_4 r1 100 100 customer_and_amount
both evt_2 r2 200 250 payment_id
both evt_6 r6 60 66 customer
both evt_7 r7 700 700 customer_and_amount
both evt_1 r10 100 100 customer_and_amount
both evt_0 r11 110 110 payment_id
both evt_13 r13 130 130 customer_and_amount
webhook_only evt_3  300 0 
webhook_only evt_12  110 0 
report_only  r4 0 100 
report_only  r5 0 -100 
report_only  r9 0 300 `)
}
