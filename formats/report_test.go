package formats

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBalanceWriter(t *testing.T) {
	var file bytes.Buffer
	w, err := NewBalanceWriter(&file)
	check(t, err)
	check(t, w.Write(BalanceRow{
		BusinessDate: "2026-11-22", ExternalReference: "-7", CustomerID: "bcus_1", Name: "=cmd|' /C calc'!A0", Currency: "ZAR",
		Opening: SumOf(2000), Billed: SumOf(-5), Paid: SumOf(3000), Closing: SumOf(-1005), Status: StatusOverpaid, PaymentCount: 2,
		FirstPaidAt: time.Date(2026, 11, 22, 6, 0, 0, 0, time.FixedZone("SAST", 7200)), LastPaidAt: time.Date(2026, 11, 22, 5, 0, 0, 500, time.UTC), HasPaidAt: true,
		DueDate: "2026-10-01", LiveBalance: -1000, LiveDifference: SumOf(5), HasLive: true,
	}))
	check(t, w.Write(BalanceRow{CustomerID: "bcus_2", Name: "Zoë, \"Z\"", Currency: "JPY", Opening: SumOf(20), Closing: SumOf(20), Status: StatusUnpaid, DueDate: "2026-10-01"}))
	check(t, w.Flush())
	const want = `business_date,external_reference,customer_id,name,currency,opening_balance,billed,paid,closing_balance,status,payment_count,first_paid_at,last_paid_at,due_date,age_days,ageing_bucket,live_balance,live_difference
2026-11-22,'-7,bcus_1,'=cmd|' /C calc'!A0,ZAR,20.00,-0.05,30.00,-10.05,overpaid,2,2026-11-22T04:00:00Z,2026-11-22T05:00:00.0000005Z,2026-10-01,52,31-60,-10.00,0.05
,,bcus_2,"Zoë, ""Z""",JPY,20,0,0,20,unpaid,0,,,2026-10-01,,,,
`
	if file.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &file, want)
	}
}

func TestPaymentWriter(t *testing.T) {
	var file bytes.Buffer
	w, err := NewPaymentWriter(&file)
	check(t, err)
	check(t, w.Write(PaymentRow{
		BusinessDate: "2026-11-22", EventID: "evt_1", ObligationID: "ob_1", PaymentID: "+pay", CustomerID: "bcus_1", ExternalReference: "A-1",
		Currency: "ZAR", Amount: -15000, HasAmount: true, Status: StatusApplied, Reason: ReasonReversal,
		EventTime: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC), HasEventTime: true,
		ReceivedAt: time.Date(2026, 11, 22, 4, 0, 1, 123456000, time.UTC), Signature: SignatureVerified, JournalRef: "-x.jsonl:1",
	}))
	check(t, w.Write(PaymentRow{Status: StatusHeld, Reason: ReasonInvalidEvent, Signature: SignatureUnverified, JournalRef: "a.jsonl:2"}))
	check(t, w.Write(PaymentRow{Currency: "???", Amount: 5, HasAmount: true, HasEventTime: true, Status: StatusUnapplied}))
	check(t, w.Flush())
	const want = `business_date,event_id,obligation_id,payment_id,customer_id,external_reference,currency,amount,status,reason,event_time,received_at,signature,journal_ref
2026-11-22,evt_1,ob_1,'+pay,bcus_1,A-1,ZAR,-150.00,applied,reversal,2026-11-22T04:00:00Z,2026-11-22T04:00:01.123456Z,verified,'-x.jsonl:1
,,,,,,,,held,invalid_event,,,unverified,a.jsonl:2
,,,,,,???,5,unapplied,,0001-01-01T00:00:00Z,,,
`
	if file.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &file, want)
	}
}

func TestChangeWriter(t *testing.T) {
	var file bytes.Buffer
	w, err := NewChangeWriter(&file)
	check(t, err)
	check(t, w.Write(ChangeRow{
		BusinessDate: "2026-11-22", Kind: ChangeCustomer, ExternalReference: "-7", CustomerID: "bcus_1", Currency: "ZAR",
		Figure: "closing_balance", Old: "-10.05", New: "20.00", Detail: "=1+1",
	}))
	check(t, w.Write(ChangeRow{Kind: ChangeEvent, EventID: "evt_1", Figure: "amount", New: "1.00", JournalRef: "-x.jsonl:1"}))
	check(t, w.Flush())
	const want = `business_date,kind,external_reference,customer_id,event_id,currency,figure,old_value,new_value,journal_ref,detail
2026-11-22,customer,'-7,bcus_1,,ZAR,closing_balance,-10.05,20.00,,'=1+1
,event,,,evt_1,,amount,,1.00,'-x.jsonl:1,
`
	if file.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &file, want)
	}
}

func TestExceptionWriterAndComments(t *testing.T) {
	var file bytes.Buffer
	w, err := NewExceptionWriter(&file)
	check(t, err)
	check(t, w.Write(ExceptionRow{
		ID: "ex_1", Severity: SeverityBreak, Reason: ReasonUnknownCustomer, CustomerID: "bcus_9", PaymentID: "pay_1", EventID: "evt_1",
		Currency: "ZAR", Amount: SumOf(100), HasAmount: true, Detail: "Find out.", FirstSeen: time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC),
		AgeDays: 2, HasAge: true, Owner: "Lindiwe", Comment: "=asked\nMoment",
	}))
	check(t, w.Write(ExceptionRow{ID: "ex_2", Severity: SeverityNotice, Reason: ReasonNotPayable, ExternalReference: "A-1"}))
	check(t, w.Flush())
	const want = `exception_id,severity,reason,external_reference,customer_id,payment_id,event_id,currency,amount,detail,first_seen,age_days,owner,comment
ex_1,break,unknown_customer,,bcus_9,pay_1,evt_1,ZAR,1.00,Find out.,2026-11-20T04:00:00Z,2,Lindiwe,"'=asked
Moment"
ex_2,notice,not_payable,A-1,,,,,,,,,,
`
	if file.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &file, want)
	}
	comments, err := ReadComments(&file)
	if err != nil || len(comments) != 1 || comments["ex_1"] != (Comment{Owner: "Lindiwe", Comment: "=asked\nMoment"}) {
		t.Errorf("comments came back as %+v, %v", comments, err)
	}
}

func TestReadCommentsFromASpreadsheet(t *testing.T) {
	comments, err := ReadComments(strings.NewReader("\ufeffcomment;Owner;note;exception_id\r\n\"see; mail\";Sipho;x;ex_1\r\n;;;ex_2\r\n"))
	if err != nil || len(comments) != 1 || comments["ex_1"] != (Comment{Owner: "Sipho", Comment: "see; mail"}) {
		t.Errorf("%+v, %v", comments, err)
	}
	_, err = ReadComments(strings.NewReader("exception_id,owner\n"))
	var fault *FileError
	if !errors.As(err, &fault) || fault.Column != "comment" {
		t.Errorf("%v, want a fault of the column comment", err)
	}
}

// Whatever text comes in, no cell of a report may run in a spreadsheet, and a reader must get the text back.
func FuzzReportText(f *testing.F) {
	f.Add("=1", "a,b")
	f.Add("'\r\n", "\"")
	f.Fuzz(func(t *testing.T, reference, name string) {
		var file bytes.Buffer
		w, err := NewBalanceWriter(&file)
		check(t, err)
		check(t, w.Write(BalanceRow{ExternalReference: reference, Name: name, Currency: "ZAR"}))
		check(t, w.Flush())
		records, err := csv.NewReader(&file).ReadAll()
		if err != nil || len(records) != 2 {
			t.Fatalf("%q, %q: %v, %d records", reference, name, err, len(records))
		}
		// encoding/csv reads CRLF in a quoted cell as LF.
		plain := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
		if got := Unescape(records[1][1]); got != plain(reference) && !strings.Contains(reference, "\r") {
			t.Fatalf("%q came back as %q", reference, got)
		}
		if got := Unescape(records[1][3]); got != plain(name) && !strings.Contains(name, "\r") {
			t.Fatalf("%q came back as %q", name, got)
		}
	})
}

func TestAgeingBucket(t *testing.T) {
	for _, c := range []struct {
		ageing Ageing
		days   int
		want   string
	}{
		{nil, -5, "current"},
		{nil, 0, "current"},
		{nil, 1, "1-30"},
		{nil, 30, "1-30"},
		{nil, 31, "31-60"},
		{nil, 60, "31-60"},
		{nil, 61, "61-90"},
		{nil, 90, "61-90"},
		{nil, 91, "90+"},
		{Ageing{7}, 0, "current"},
		{Ageing{7}, 7, "1-7"},
		{Ageing{7}, 8, "7+"},
		{Ageing{14, 120}, 15, "15-120"},
		{Ageing{14, 120}, 121, "120+"},
	} {
		if got := c.ageing.Bucket(c.days); got != c.want {
			t.Errorf("%v, %d days: %s, want %s", c.ageing, c.days, got, c.want)
		}
	}
}

func TestSeverity(t *testing.T) {
	for _, c := range []struct {
		severity string
		reasons  []string
	}{
		{SeverityBreak, []string{
			"invalid_event", "conflicting_event", "possible_duplicate", "other_obligation", "unknown_customer", "currency_mismatch",
			"balance_drift", "crossed_payment", "totals_differ", "journal_damaged", "torn_tail", "signature_failed",
		}},
		{SeverityNotice, []string{"overpaid", "reversal", "not_payable", "starts_late", "report_gap", "completeness_unproven"}},
	} {
		for _, reason := range c.reasons {
			if got, ok := Severity(reason); got != c.severity || !ok {
				t.Errorf("%s is a %s, want a %s", reason, got, c.severity)
			}
		}
	}
	for _, reason := range []string{"", "duplicate_event", "out_of_period", "other_type"} {
		if _, ok := Severity(reason); ok {
			t.Errorf("%q is an exception", reason)
		}
	}
}

func TestWriteSummary(t *testing.T) {
	summary := Summary{
		BusinessDate: "2026-11-22", From: "2026-11-21T22:00:00Z", To: "2026-11-22T22:00:00Z", Timezone: "Africa/Johannesburg",
		Inputs:      []SummaryInput{{Path: "a&b.jsonl", SHA256: "00ff", Lines: 3}},
		Journal:     SummaryJournal{Seq: 3, SHA256: "abcd"},
		Events:      []EventTotal{{Currency: "ZAR", Status: StatusApplied, Count: 2, Sum: "170141183460469231731687303715884105.00"}},
		Customers:   []CustomerTotal{{Currency: "ZAR", Status: StatusSettled, Count: 1, Closing: "0.00"}},
		RollForward: []RollForward{{Currency: "ZAR", Opening: "20.00", Billed: "0.00", Paid: "20.00", Closing: "0.00"}},
		Checks:      []Check{{Name: "events", OK: true, Detail: "3 journal lines, 3 with a status"}},
		Previous:    &SummaryPrevious{Run: "20261123T043000Z-1a2b3c", SHA256: "ef01"},
		Days:        []DayTotal{{Date: "2026-11-22", Currency: "ZAR", Billed: "0.00", Paid: "20.00"}},
		Completeness: Completeness{
			Files:         []CompletenessFile{{Name: "za_acme_dailyfile_2026-11-22.csv", Date: "2026-11-22", DayFile: true, State: "done"}},
			ExpectedFiles: 1, Journal: JournalWhole, MomentReport: MomentReportAbsent,
		},
		Live: Live{Mode: "exceptions", Compared: 3, Drift: 1, LowersBalance: LowersNo, EvidenceNo: 2},
	}
	var file bytes.Buffer
	check(t, WriteSummary(&file, summary))
	want, err := os.ReadFile("testdata/summary.json")
	if err != nil {
		t.Fatal(err)
	}
	if file.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", &file, want)
	}
}

// A full disk must not look like a written report.
func TestReportWriteErrors(t *testing.T) {
	full := errors.New("disk full")
	disk := func() *failingWriter { return &failingWriter{full} }
	b, err := NewBalanceWriter(disk())
	check(t, err)
	p, err := NewPaymentWriter(disk())
	check(t, err)
	e, err := NewExceptionWriter(disk())
	check(t, err)
	c, err := NewChangeWriter(disk())
	check(t, err)
	for name, err := range map[string]error{"balances.csv": b.Flush(), "payments.csv": p.Flush(), "exceptions.csv": e.Flush(), "changes.csv": c.Flush(), "summary.json": WriteSummary(disk(), Summary{})} {
		if !errors.Is(err, full) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var failed error
	for range 1000 {
		if failed = p.Write(PaymentRow{EventID: "evt_1"}); failed != nil {
			break
		}
	}
	if !errors.Is(failed, full) {
		t.Errorf("writing on and on: %v", failed)
	}
}

type failingWriter struct{ err error }

func (w *failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestExceptionColumnsAreWhatCommentsNeed(t *testing.T) {
	for _, column := range []string{"exception_id", "owner", "comment"} {
		if !slices.Contains(exceptionColumns(), column) {
			t.Errorf("exceptions.csv has no column %s", column)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDaysBetween(t *testing.T) {
	for _, c := range []struct {
		first, second string
		days          int
		ok            bool
	}{
		{"2026-11-22", "2026-11-22", 0, true},
		{"2026-02-28", "2026-03-01", 1, true},
		{"2024-02-28", "2024-03-01", 2, true},
		{"2026-03-28", "2026-03-30", 2, true}, // over a change of the clocks
		{"2026-11-22", "2026-11-01", -21, true},
		{"", "2026-11-22", 0, false},
		{"2026-11-22", "", 0, false},
		{"22.11.2026", "2026-11-22", 0, false},
	} {
		if days, ok := DaysBetween(c.first, c.second); days != c.days || ok != c.ok {
			t.Errorf("from %q to %q: %d, %v", c.first, c.second, days, ok)
		}
	}
}
