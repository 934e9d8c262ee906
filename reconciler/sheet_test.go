package reconciler_test

import (
	"bytes"
	"fmt"
	"testing"

	"tallyman/formats"
	"tallyman/reconciler"
)

// The rows of a sheet are those of the same lines delivered one at a time, whatever is expected of a line before those ahead
// of it are known, and however often the sheet was used before.
func TestSheet(t *testing.T) {
	lines := [][]byte{
		zar(1, "bcus_1", 100, "2026-11-22T05:00:00Z").body(),
		zar(1, "bcus_1", 100, "2026-11-22T05:00:00Z").body(),
		zar(1, "bcus_1", 999, "2026-11-22T05:00:00Z").body(),
		zar(2, "bcus_1", -5, "2026-11-22T05:00:00.25Z").body(),
		zar(3, "bcus_2", 5, "2026-11-21T05:00:00Z").body(),
		zar(4, "bcus_9", 5, "2026-11-22T07:00:00+02:00").body(),
		paid{event: "evt_5", customer: "bcus_1", amount: 3, currency: "USD", at: "2026-11-22T05:00:00Z"}.body(),
		paid{event: "evt_6", customer: "bcus_1", bill: "bill_1", amount: 3, currency: "ZAR", at: "2026-11-22T05:00:00Z"}.body(),
		[]byte(`{"id":"evt_7","type":"other","data":{"customer_id":"bcus_1"}}`),
		[]byte(`no event`),
		paid{event: "evt_8", obligation: "ob_1", payment: "pay_1", customer: "bcus_1", amount: 100, currency: "ZAR", at: "2026-11-22T06:00:00Z"}.body(),
		zar(9, "bcus_2", 7, "").body(),
		zar(10, "bcus_2", 7, "2500-01-01T00:00:00Z").body(),
		zar(3, "bcus_2", 5, "2026-11-21T05:00:00Z").body(),
	}
	begin := func() *reconciler.Reconciler {
		r, err := reconciler.New(day())
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			if err := r.Assert(reconciler.Assertion{CustomerID: fmt.Sprint("bcus_", n), ExternalReference: fmt.Sprint("-A", n), Currency: "ZAR", Balance: 1000}); err != nil {
				t.Fatal(err)
			}
		}
		return r
	}
	var want bytes.Buffer
	one := begin()
	w, err := formats.NewPaymentWriter(&want)
	if err != nil || w.Flush() != nil {
		t.Fatal(err)
	}
	want.Reset()
	for i, body := range lines {
		row, err := one.Deliver(reconciler.Delivery{Body: body, Signature: formats.SignatureUnverified, Ref: fmt.Sprint("j:", i+1)})
		if err != nil || w.Write(row) != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for size := 1; size <= len(lines); size++ {
		r := begin()
		reader := formats.NewEventReader(r.Key())
		var sheet reconciler.Sheet
		var got bytes.Buffer
		for from := 0; from < len(lines); from += size {
			sheet.Lines = sheet.Lines[:0]
			for i := from; i < min(from+size, len(lines)); i++ {
				var fields formats.EventFields
				reader.ReadBody(lines[i], &fields)
				sheet.Lines = append(sheet.Lines, reconciler.Placing{
					Delivery: reconciler.Delivery{Body: lines[i], Signature: formats.SignatureUnverified}, File: "j", Line: int64(i + 1), Fields: &fields,
				})
			}
			r.Prepare(&sheet)
			if err := r.Place(&sheet); err != nil {
				t.Fatal(err)
			}
			for text := range r.Rows(&sheet) {
				got.Write(text)
			}
		}
		if got.String() != want.String() {
			t.Fatalf("sheets of %d lines:\n%s\nwant\n%s", size, &got, &want)
		}
	}
}
