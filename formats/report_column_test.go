package formats_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
)

// Every field stands under its own name: each is given something else, that nothing but its column may show.
func TestColumnsOfReports(t *testing.T) {
	sent, told := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC), time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	match := formats.MatchRow{
		BusinessDate: "2026-11-22", Status: formats.MatchBoth, EventID: "evt_1", PaymentID: "pay_1", ExternalReference: "A", CustomerID: "bcus_1",
		ReportID: "r_1", Type: "Payment", Currency: "ZAR", WebhookAmount: 100, ReportAmount: 250, EventTime: sent, ReportTime: told,
		JournalRef: "j:1", ReportRef: "m:2", By: "payment_id",
	}
	webhook, report := match, match
	webhook.Status, report.Status = formats.MatchWebhookOnly, formats.MatchReportOnly
	assertion := formats.AssertionRow{
		BusinessDate: "2026-11-22", ExternalReference: "A", CustomerID: "bcus_1", Currency: "ZAR", Balance: 100, DueDate: "2026-12-01", SentAt: sent,
		Source: "a.csv:2", TakenOff: formats.SumOf(30),
	}
	none := assertion
	none.TakenOff = formats.Sum{}
	for _, c := range []struct {
		write func(io.Writer) error
		want  string
	}{
		{
			func(w io.Writer) error {
				m, err := formats.NewMatchWriter(w)
				return errors.Join(err, m.Write(match), m.Write(webhook), m.Write(report), m.Flush())
			}, `business_date,status,event_id,payment_id,external_reference,customer_id,report_id,transaction_type,currency,webhook_amount,report_amount,difference,event_time,report_time,journal_ref,report_ref,matched_by
2026-11-22,both,evt_1,pay_1,A,bcus_1,r_1,Payment,ZAR,1.00,2.50,1.50,2026-11-22T05:00:00Z,2026-11-22T06:00:00Z,j:1,m:2,payment_id
2026-11-22,webhook_only,evt_1,pay_1,A,bcus_1,r_1,Payment,ZAR,1.00,,,2026-11-22T05:00:00Z,2026-11-22T06:00:00Z,j:1,m:2,payment_id
2026-11-22,report_only,evt_1,pay_1,A,bcus_1,r_1,Payment,ZAR,,2.50,,2026-11-22T05:00:00Z,2026-11-22T06:00:00Z,j:1,m:2,payment_id
`,
		},
		{
			func(w io.Writer) error {
				a, err := formats.NewAssertionWriter(w)
				return errors.Join(err, a.Write(assertion), a.Write(none), a.Flush())
			}, `business_date,external_reference,customer_id,currency,balance,due_date,sent_at,source,taken_off
2026-11-22,A,bcus_1,ZAR,1.00,2026-12-01,2026-11-22T05:00:00Z,a.csv:2,0.30
2026-11-22,A,bcus_1,ZAR,1.00,2026-12-01,2026-11-22T05:00:00Z,a.csv:2,
`,
		},
	} {
		var got bytes.Buffer
		if err := c.write(&got); err != nil {
			t.Fatal(err)
		}
		if text := strings.ReplaceAll(got.String(), "\r\n", "\n"); text != c.want {
			t.Errorf("got\n%s\nwant\n%s", text, c.want)
		}
	}
}
