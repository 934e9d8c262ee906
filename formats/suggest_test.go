package formats

import (
	"errors"
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
    due_date: "{Due Date|date:DD/MM/YYYY}"
`},
		{"dates that could be either", "ref,due_date\nA,01/02/2026\n", `files:
  format: columns
  delimiter: ","
  columns:
    external_reference: "ref"  # guess: by the column's name
    due_date: "{due_date|date:DD/MM/YYYY}"  # guess: day or month first? every date fits both
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
		if c.why == "no key" {
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
