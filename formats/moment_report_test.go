package formats

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

const momentReport = `Report Title,Moment Merchant Reconciliation Report
Version,1.0
Merchant alias,acme
From/Start Date,2026-11-22
To/End Date,2026-11-22

Transaction Type,Transaction Timestamp,Moment Transaction ID,Merchant Reference ID,Payment Method,Customer Reference,Amount,Currency
Payment,2026-11-22T14:30:00Z,673bbe2805368010f36e9bee,672b,Capitec Pay,A-1,150.00,ZAR
Refund,2026-11-22T15:30:00.5Z,673bbe2805368010f36e9bef,672c,Capitec Pay,A-1,20.00,ZAR
`

func readMomentReport(t *testing.T, text string, o MomentReportOptions) (MomentReport, []MomentReportRow) {
	t.Helper()
	var rows []MomentReportRow
	report, err := ReadMomentReport(strings.NewReader(text), o, func(row MomentReportRow) error { rows = append(rows, row); return nil })
	check(t, err)
	return report, rows
}

// A header block, then columns by their names, then rows.
func TestReadMomentReport(t *testing.T) {
	zone := time.FixedZone("SAST", 7200)
	report, rows := readMomentReport(t, momentReport, MomentReportOptions{Location: zone})
	want := MomentReport{From: time.Date(2026, 11, 22, 0, 0, 0, 0, zone), To: time.Date(2026, 11, 23, 0, 0, 0, 0, zone), Rows: 2}
	if report != want {
		t.Errorf("got %+v, want %+v", report, want)
	}
	wantRows := []MomentReportRow{
		{Type: "Payment", At: time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC), ID: "673bbe2805368010f36e9bee", MerchantReference: "672b", CustomerReference: "A-1", Currency: "ZAR", Amount: 15000, Line: 8},
		{Type: "Refund", At: time.Date(2026, 11, 22, 15, 30, 0, 5e8, time.UTC), ID: "673bbe2805368010f36e9bef", MerchantReference: "672c", CustomerReference: "A-1", Currency: "ZAR", Amount: -2000, Line: 9},
	}
	if !reflect.DeepEqual(rows, wantRows) {
		t.Errorf("got\n%+v\nwant\n%+v", rows, wantRows)
	}
}

// Columns may be called anything, in any order, and amounts be minor units.
func TestReadMomentReportColumns(t *testing.T) {
	const text = "kind;when;value;pid\npayment;2026-11-22 14:30:00;15000;pay_1\n;;;\n"
	_, rows := readMomentReport(t, text, MomentReportOptions{
		Columns: map[string]string{"type": "Kind", "timestamp": "when", "amount": "value", "payment_id": "pid"}, Minor: true, Currency: "ZAR",
	})
	if len(rows) != 1 || rows[0].Amount != 15000 || rows[0].PaymentID != "pay_1" || rows[0].Currency != "ZAR" {
		t.Errorf("%+v", rows)
	}
	// The names of the fields themselves are names of columns.
	_, rows = readMomentReport(t, "transaction_type,transaction_timestamp,reconciliation_id,amount,currency\nPayment,2026-11-22T14:30:00Z,r1,1.00,ZAR\n", MomentReportOptions{})
	if len(rows) != 1 || rows[0].ID != "r1" {
		t.Errorf("%+v", rows)
	}
}

// A file of another shape is refused with what was found and what is needed.
func TestReadMomentReportRefuses(t *testing.T) {
	header := "Transaction Type,Transaction Timestamp,Amount,Currency\n"
	for _, c := range []struct{ text, column, rule, word string }{
		{"", "", "empty_file", ""},
		{"Version,1\nid,paid,by\n1,2,3\n", "", "no_header", "id | paid | by"},
		{header + "Payment,yesterday,1.00,ZAR\n", "Transaction Timestamp", "bad_time", "such as"},
		{header + "Payment,2026-11-22T14:30:00Z,\"1,00\",ZAR\n", "Amount", "bad_amount", "minor or major"},
		{header + "Payment,2026-11-22T14:30:00Z,1.00,Rand\n", "Currency", "", ""},
		{header + "Payment,2026-11-22T14:30:00Z,\"1.00,ZAR\n", "", "", ""},
	} {
		_, err := ReadMomentReport(strings.NewReader(c.text), MomentReportOptions{}, func(MomentReportRow) error { return nil })
		var fault *FileError
		if !errors.As(err, &fault) || fault.Column != c.column || c.rule != "" && fault.Rule != c.rule || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

func FuzzReadMomentReport(f *testing.F) {
	f.Add(momentReport, false)
	f.Add("transaction_type;transaction_timestamp;amount;currency\nRefund;2026-11-22;-5;JPY\n", true)
	f.Add("\ufeffTransaction Type,Transaction Timestamp,Amount\n\"a\nb\",2026,1", false)
	f.Fuzz(func(t *testing.T, text string, minor bool) {
		n := 0
		report, err := ReadMomentReport(strings.NewReader(text), MomentReportOptions{Minor: minor}, func(row MomentReportRow) error {
			if n++; row.Refund() && row.Amount > 0 || row.Currency == "" || row.At.IsZero() && row.Line == 0 {
				t.Errorf("%+v", row)
			}
			return nil
		})
		if err == nil && report.Rows != n {
			t.Errorf("%d rows told, %d taken", report.Rows, n)
		}
	})
}
