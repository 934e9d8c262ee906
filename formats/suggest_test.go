package formats

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSuggest(t *testing.T) {
	for _, c := range []struct{ why, file, want string }{
		{"the API's names", "external_reference;name;balance\nA;b;100\n", `files:
  format: customers
  delimiter: ";"
  amounts: minor  # guess: all balances are integers: cents, or whole rand?
  currency: ZAR  # guess: the file does not say
`},
		{"Moment's billing file", "acc,first_name,last_name,sa_identification_number,mobile_phone_number,amount_due\n1,a,b,8001015009087,0821234567,1.50\n2,a,c,0002290000088,,2.00\n", `files:
  format: moment-billing-file
  delimiter: ","
  currency: ZAR  # guess: the file does not say
  phone_country: ZA  # guess: some numbers have no country code
  reference_column: "acc"  # guess: it could be a key: it is different in every row
`},
		{"somebody's export", "Account No;First Name;Surname;Cell;Balance Due;Due Date\n7;J\xf6rg;x;0821234567;1 234,56;13/12/2026\n8;y;z;;-2,00;01/12/2026\n", `files:
  format: columns
  encoding: windows-1252  # guess: byte 0xF6 is not UTF-8, and Windows-1252 is the commonest of the others; look at a name with an accent
  delimiter: ";"
  amounts: major  # guess: balances have decimals or signs between thousands
  decimal: ","
  group: " "
  currency: ZAR  # guess: the file does not say
  phone_country: ZA  # guess: some numbers have no country code
  columns:
    external_reference: "Account No"  # guess: by the column's name
    name: "{First Name} {Surname}"  # guess: by the column's name
    phone: "Cell"  # guess: by the column's name
    balance: "Balance Due"  # guess: by the column's name
    due_date: "{Due Date|date:DD/MM/YYYY}"  # guess: by the column's name
`},
		{"dates that could be either", "ref,due_date\nA,01/02/2026\n", `files:
  format: columns
  delimiter: ","
  columns:
    external_reference: "ref"  # guess: by the column's name
    due_date: "{due_date|date:DD/MM/YYYY}"  # guess: day or month first? every date fits both
`},
		{"a trailer as wide as the rest", "external_reference,name,balance\nA,b,100\nB,c,150\nTOTAL,2,250\n", `files:
  format: customers
  delimiter: ","
  amounts: minor  # guess: all balances are integers: cents, or whole rand?
  currency: ZAR  # guess: the file does not say
  trailer: {match: "TOTAL", count_column: "name", sum_column: "balance"}  # guess: the last row begins so and counts 2 records, which is right
`},
		{"a trailer of its own shape", "Rekening;Naam;Saldo;Selfoon\n7;x;1,50;\n8;y;2,00;\n9;2;3,50\n\n", `files:
  format: columns
  delimiter: ";"
  amounts: major  # guess: balances have decimals or signs between thousands
  decimal: ","
  currency: ZAR  # guess: the file does not say
  columns:
    external_reference: "Rekening"  # guess: it could be a key: it is different in every row
    name: "Naam"  # guess: by the column's name
    phone: "Selfoon"  # guess: by the column's name
    balance: "Saldo"  # guess: by the column's name
  trailer: {match: "9", count_column: "Naam", sum_column: "Saldo"}  # guess: the last row begins so and counts 2 records, which is right
`},
		{"a trailer without a count", "ref,name,balance\nA,b,100\nEND,,100\n", `files:
  format: columns
  delimiter: ","
  amounts: minor  # guess: all balances are integers: cents, or whole rand?
  currency: ZAR  # guess: the file does not say
  columns:
    external_reference: "ref"  # guess: by the column's name
    name: "name"  # guess: by the column's name
    balance: "balance"  # guess: by the column's name
  trailer: {match: "END", sum_column: "balance"}  # guess: the last row begins so and looks like one
`},
		{"names that say nothing", "ref,a,b,c,d\nA,1.50,x@example.com,31/12/2026,7\nB,20.00,,01/12/2026,8\n", `files:
  format: columns
  delimiter: ","
  amounts: major  # guess: balances have decimals or signs between thousands
  currency: ZAR  # guess: the file does not say
  columns:
    external_reference: "ref"  # guess: by the column's name
    email: "b"  # guess: by the column's values
    balance: "a"  # guess: by the column's values
    due_date: "{c|date:DD/MM/YYYY}"  # guess: by the column's values
`},
		{"a row of another kind without figures, and a ragged one", "ref,name,due_date\nA,b,2026-01-02\nEND,of,file\n", `files:
  format: columns
  delimiter: ","
  columns:
    external_reference: "ref"  # guess: by the column's name
    name: "name"  # guess: by the column's name
    due_date: "due_date"  # guess: by the column's name
`},
		{"no key", "name,colour\na,red\na,red\n", `files:
  format: columns
  delimiter: ","
  columns:
    external_reference: ""  # guess: no column looks like a key of the customer: name it
    name: "name"  # guess: by the column's name
`},
	} {
		s, err := Suggest(strings.NewReader(c.file))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if diff := cmp.Diff(c.want, s.YAML()); diff != "" {
			t.Errorf("%s:\n%s", c.why, diff)
		}
		if c.why == "no key" || strings.HasPrefix(c.why, "a row of another kind") {
			continue
		}
		// What is suggested must read the file.
		r, err := NewCustomerReader(strings.NewReader(c.file), s.Options)
		for err == nil {
			var record *CustomerRecord
			if record, err = r.Next(); err == nil && len(record.Problems) > 0 {
				t.Errorf("%s: %v", c.why, record.Problems[0])
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	for _, text := range []string{"", "\n", "\x1f\x8b", "\"a"} {
		var fault *FileError
		if _, err := Suggest(strings.NewReader(text)); !errors.As(err, &fault) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The last record of a file that is far longer than what is looked at counts, in every encoding.
func TestSuggestTrailerOfALongFile(t *testing.T) {
	var text strings.Builder
	text.WriteString("external_reference,name,balance\n")
	rows := 0
	for ; text.Len() < 3<<20; rows++ {
		fmt.Fprintf(&text, "A%d,Zoë,1\n", rows)
	}
	fmt.Fprintf(&text, "TRAILER,%d,%d\n\n", rows, rows)
	for _, file := range []string{text.String(), strings.ReplaceAll(text.String(), "\n", "\r\n"), strings.ReplaceAll(text.String(), "\n", "\r"), utf16Text(text.String(), littleEndian, true), utf16Text("x"+text.String(), bigEndian, false)} {
		s, err := Suggest(strings.NewReader(file))
		if want := (Trailer{Match: "TRAILER", CountColumn: "name", SumColumn: "balance"}); err != nil || s.Options.Trailer != want {
			t.Errorf("%.20q: %+v, %v", file, s, err)
		}
	}
}

func FuzzSuggest(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "Account;Saldo\n\"x\ny\";1,5\n", "\xff\xfea\x00", "id|{x}\n1|2\n", "a\"b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Suggest(strings.NewReader(string(text)))
		if err == nil && (!strings.HasPrefix(s.YAML(), "files:\n") || s.Options.Check() != nil) {
			t.Fatalf("%q: %s", text, s.YAML())
		}
	})
}
