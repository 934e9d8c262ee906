package formats

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What is written comes back, whatever stands in it.
func TestReadExceptionsBack(t *testing.T) {
	rows := []ExceptionRow{
		{
			ID: "ex_1", Severity: SeverityBreak, Reason: ReasonUnknownCustomer, ExternalReference: "-7", CustomerID: "bcus_9", PaymentID: "=pay", EventID: "evt_1",
			Currency: "ZAR", Amount: SumOf(-5), HasAmount: true, Detail: "Find out, \"now\".", FirstSeen: time.Date(2026, 11, 20, 4, 0, 0, 500, time.UTC),
			AgeDays: 2, HasAge: true, Owner: "Lindiwe", Comment: "'=asked\nMoment",
		},
		{ID: "ex_2", Severity: SeverityNotice, Reason: ReasonOverpaid, Currency: "JPY", Amount: SumOf(math.MinInt64).AddSum(SumOf(math.MinInt64)), HasAmount: true},
		{ID: "ex_3", Severity: SeverityClosed, Reason: ReasonTornTail},
	}
	var file bytes.Buffer
	w, err := NewExceptionWriter(&file)
	check(t, err)
	for _, row := range rows {
		check(t, w.Write(row))
	}
	check(t, w.Flush())
	var got []ExceptionRow
	check(t, ReadExceptions(&file, func(row ExceptionRow) error { got = append(got, row); return nil }))
	if !reflect.DeepEqual(got, rows) {
		t.Errorf("got\n%+v\nwant\n%+v", got, rows)
	}
}

// A spreadsheet changes what it does not understand; the row is still good for the rest.
func TestReadExceptionsFromASpreadsheet(t *testing.T) {
	const file = "\ufeffreason;severity;Exception_ID;amount;currency;first_seen;age_days\r\nunknown_customer;break;ex_1;1,00;ZAR;20/11/2026 04:00;two\r\n;break;;;;;\r\n"
	var got []ExceptionRow
	check(t, ReadExceptions(strings.NewReader(file), func(row ExceptionRow) error { got = append(got, row); return nil }))
	want := []ExceptionRow{{ID: "ex_1", Severity: SeverityBreak, Reason: ReasonUnknownCustomer, Currency: "ZAR"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var fault *FileError
	if err := ReadExceptions(strings.NewReader("a,b\n1,2\n"), nil); !errors.As(err, &fault) || fault.Column != "exception_id" {
		t.Errorf("a file of another kind: %v", err)
	}
}

func TestParseSum(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		ok             bool
	}{
		{"0.00", "ZAR", true},
		{"-0.05", "ZAR", true},
		{"12.345", "BHD", true},
		{"20", "JPY", true},
		{"1701411834604692317316873037158841057.27", "ZAR", true},
		{"-1701411834604692317316873037158841057.29", "ZAR", false},
		{"1.0", "ZAR", false},
		{"20.00", "JPY", false},
		{"", "ZAR", false},
		{"1.2.3", "ZAR", false},
		{"+1.00", "ZAR", false},
		{"0x10", "ZAR", false},
	} {
		sum, ok := ParseSum(c.text, c.currency)
		if ok != c.ok || ok && sum.Major(c.currency) != c.text {
			t.Errorf("%q %s is read as %s, %v", c.text, c.currency, sum, ok)
		}
	}
}

// FuzzReadComments reads what comes back from finance as comments and as exceptions: both take the same files, and what was
// read is written so that it reads the same again.
func FuzzReadComments(f *testing.F) {
	for _, seed := range []string{
		"exception_id,reason,owner,comment\nex_1,overpaid,Lindiwe,'=asked\n", "\ufeffowner;comment;Exception_ID;reason\r\n\"a\nb\";;ex_1;x\r\n;;;\r\n",
		"exception_id,owner,comment,reason,amount,currency,first_seen,age_days\nex_1,,,x,-0.05,ZAR,2026-11-20T04:00:00Z,2\n", "a,b\n1,2\n", "exception_id,reason,owner,comment\n\"", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var fault *FileError
		comments, err := ReadComments(bytes.NewReader(text))
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("not a fault of the file: %v", err)
		}
		for id, c := range comments {
			if id == "" || c == (Comment{}) {
				t.Fatalf("comment %q: %+v", id, c)
			}
		}
		var rows []ExceptionRow
		err = ReadExceptions(bytes.NewReader(text), func(row ExceptionRow) error { rows = append(rows, row); return nil })
		if err != nil {
			if !errors.As(err, &fault) {
				t.Fatalf("not a fault of the file: %v", err)
			}
			return
		}
		var file bytes.Buffer
		w, err := NewExceptionWriter(&file)
		check(t, err)
		for _, row := range rows {
			check(t, w.Write(row))
		}
		check(t, w.Flush())
		n := 0
		check(t, ReadExceptions(&file, func(row ExceptionRow) error {
			if row.ID != rows[n].ID || row.Amount != rows[n].Amount || row.HasAmount != rows[n].HasAmount || row.Owner != rows[n].Owner {
				t.Errorf("%+v came back as %+v", rows[n], row)
			}
			n++
			return nil
		}))
		if n != len(rows) {
			t.Errorf("%d rows, %d came back", len(rows), n)
		}
	})
}
