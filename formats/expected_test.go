package formats

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func readExpected(text string) ([]ExpectedRow, ExpectedCounts, error) {
	var rows []ExpectedRow
	counts, err := ReadExpected(strings.NewReader(text), func(row ExpectedRow) error {
		rows = append(rows, row)
		return nil
	})
	return rows, counts, err
}

func TestReadExpected(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		rows   []ExpectedRow
		counts ExpectedCounts
	}{
		"the three columns": {
			"customer_id,currency,balance\nbcus_1,ZAR,15000\nbcus_2,JPY,-20\n",
			[]ExpectedRow{{CustomerID: "bcus_1", Currency: "ZAR", Balance: 15000, Line: 2}, {CustomerID: "bcus_2", Currency: "JPY", Balance: -20, Line: 3}},
			ExpectedCounts{Rows: 2, Taken: 2},
		},
		"semicolons, byte order mark, another order, further columns": {
			"\ufeffbalance;x;Customer_ID ;currency;name;due_date;external_reference;payable\r\n0;?;bcus_1;ZAR;\"Thabo; Zoë\";2026-11-30;-7;no\r\n",
			[]ExpectedRow{{CustomerID: "bcus_1", Currency: "ZAR", Name: "Thabo; Zoë", DueDate: "2026-11-30", ExternalReference: "-7", Payable: "no", Line: 2}},
			ExpectedCounts{Rows: 1, Taken: 1},
		},
		"an outcome file": {
			"line,external_reference,outcome,customer_id,currency,balance,payable,http_status,attempts,reason,detail\n" +
				"2,A,created,bcus_1,ZAR,1,yes,201,1,,\n3,B,updated,bcus_2,ZAR,2,yes,200,1,,\n4,C,unchanged,bcus_3,ZAR,3,,,0,,\n" +
				"5,D,rejected,,ZAR,4,,,0,bad_phone,\n6,E,failed,bcus_5,ZAR,5,,500,3,,\n7,F,in_doubt,bcus_6,ZAR,6,,,3,,\n" +
				"8,G,skipped,bcus_7,ZAR,7,,,0,,\n9,A,duplicate,bcus_1,ZAR,9,,,0,,\n10,H,created,bcus_8,,,yes,201,1,,\n",
			[]ExpectedRow{
				{CustomerID: "bcus_1", Currency: "ZAR", Balance: 1, ExternalReference: "A", Payable: "yes", Line: 2},
				{CustomerID: "bcus_2", Currency: "ZAR", Balance: 2, ExternalReference: "B", Payable: "yes", Line: 3},
				{CustomerID: "bcus_3", Currency: "ZAR", Balance: 3, ExternalReference: "C", Line: 4},
			},
			ExpectedCounts{Rows: 9, Taken: 3, LeftOut: 6},
		},
		"a customer again with equal figures": {
			"customer_id,currency,balance,name\nbcus_1,ZAR,1,first\nbcus_1,ZAR,1,second\n",
			[]ExpectedRow{{CustomerID: "bcus_1", Currency: "ZAR", Balance: 1, Name: "first", Line: 2}},
			ExpectedCounts{Rows: 2, Taken: 1, Repeated: 1},
		},
		"lines are physical": {
			"customer_id,currency,balance,name\n\nbcus_1,ZAR,1,\"a\nb\"\nbcus_2,ZAR,1,\n",
			[]ExpectedRow{{CustomerID: "bcus_1", Currency: "ZAR", Balance: 1, Name: "a\nb", Line: 3}, {CustomerID: "bcus_2", Currency: "ZAR", Balance: 1, Line: 5}},
			ExpectedCounts{Rows: 2, Taken: 2},
		},
		"a header alone": {"customer_id,currency,balance\n", nil, ExpectedCounts{}},
	} {
		rows, counts, err := readExpected(c.text)
		if err != nil || !slices.Equal(rows, c.rows) || counts != c.counts {
			t.Errorf("%s: %v\ngot  %+v %+v\nwant %+v %+v", name, err, rows, counts, c.rows, c.counts)
		}
	}
}

func TestReadExpectedFaults(t *testing.T) {
	const header = "customer_id,currency,balance,due_date,payable,name\n"
	for name, c := range map[string]struct {
		text, rule, column string
		line               int
	}{
		"empty":                   {"", "empty_file", "", 0},
		"no balance column":       {"customer_id,currency\n", "missing_column", "balance", 1},
		"balance column twice":    {"customer_id,currency,balance,Balance\n", "doubled_column", "balance", 1},
		"optional column twice":   {"customer_id,currency,balance,name,name\n", "doubled_column", "name", 1},
		"other balance":           {header + "bcus_1,ZAR,1,,,\nbcus_2,ZAR,1,,,\nbcus_1,ZAR,2,,,\n", "conflicting_customer", "customer_id", 4},
		"other currency":          {header + "bcus_1,ZAR,1,,,\nbcus_1,USD,1,,,\n", "conflicting_customer", "customer_id", 3},
		"balance in major units":  {header + "bcus_1,ZAR,1.00,,,\n", "bad_balance", "balance", 2},
		"balance beyond int64":    {header + "bcus_1,ZAR,9223372036854775808,,,\n", "bad_balance", "balance", 2},
		"no currency":             {header + "bcus_1,,1,,,\n", "missing_currency", "currency", 2},
		"unknown currency":        {header + "bcus_1,zar,1,,,\n", "bad_currency", "currency", 2},
		"due date that is none":   {header + "bcus_1,ZAR,1,2026-02-30,,\n", "bad_due_date", "due_date", 2},
		"payable that is neither": {header + "bcus_1,ZAR,1,,maybe,\n", "bad_payable", "payable", 2},
		"space around the id":     {header + "bcus_1 ,ZAR,1,,,\n", "bad_customer_id", "customer_id", 2},
		"name not UTF-8":          {header + "bcus_1,ZAR,1,,,\xff\n", "bad_encoding", "name", 2},
		"ragged row":              {header + "bcus_1,ZAR,1\n", "ragged_row", "", 2},
		"quote not closed":        {header + "\"bcus_1,ZAR,1,,,\n", "unclosed_quote", "", 2},
		"UTF-16":                  {"\xff\xfec\x00u\x00", "bad_encoding", "", 1},
	} {
		_, _, err := readExpected(c.text)
		var fault *FileError
		if !errors.As(err, &fault) {
			t.Errorf("%s: %v, want a *FileError", name, err)
			continue
		}
		if fault.Rule != c.rule || fault.Column != c.column || fault.Line != c.line || fault.Remedy == "" {
			t.Errorf("%s: %v, want %s at line %d, %q", name, err, c.rule, c.line, c.column)
		}
	}
}

func TestReadExpectedStopsWithTaker(t *testing.T) {
	enough := errors.New("enough")
	_, err := ReadExpected(strings.NewReader("customer_id,currency,balance\na,ZAR,1\nb,ZAR,1\n"), func(ExpectedRow) error { return enough })
	if !errors.Is(err, enough) {
		t.Fatalf("%v, want the taker's error", err)
	}
}

func FuzzReadExpected(f *testing.F) {
	f.Add("customer_id,currency,balance\nbcus_1,ZAR,15000\n")
	f.Add("\ufeffcustomer_id;currency;balance;outcome\nbcus_1;ZAR;15000;created\nbcus_1;ZAR;1;failed\n")
	f.Add("customer_id,currency,balance\n\"a\nb\",ZAR,-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, counts, err := readExpected(text)
		var fault *FileError
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("%q: %v is no *FileError", text, err)
		}
		if err == nil && (counts.Rows != counts.Taken+counts.LeftOut+counts.Repeated || counts.Taken != len(rows)) {
			t.Fatalf("%q: %+v, %d rows", text, counts, len(rows))
		}
	})
}

func ExampleReadExpected() {
	file := strings.NewReader("customer_id,currency,balance,outcome\nbcus_1,ZAR,15000,created\n,ZAR,9900,rejected\n")
	counts, err := ReadExpected(file, func(row ExpectedRow) error {
		fmt.Println(row.CustomerID, "owes", FormatMajor(row.Balance, row.Currency), row.Currency)
		return nil
	})
	fmt.Println(counts.LeftOut, "left out", err)
	// Output:
	// bcus_1 owes 150.00 ZAR
	// 1 left out <nil>
}
