package formats

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIdentityNumbers(t *testing.T) {
	for number, ok := range map[string]bool{
		"": true, "8001015009087": true, "0002290000088": true, // a leap day of 2000
		"8001015009086": false, "8002305009087": false, "0102290000086": false, "8001015009387": false,
		"800101500908": false, "80010150090870": false, "8001015OO9087": false, "8001015009087 ": false, "8.00102E+12": false, "٨001015009087": false,
	} {
		if word, remedy := checkIdentityNumber(number); (word == "") != ok || (word == "") != (remedy == "") {
			t.Errorf("%q: %s %q", number, word, remedy)
		}
	}
}

// A wrong digit anywhere is found, and so are two neighbours swapped, but 0 and 9: that is what Luhn's digit can do.
func FuzzIdentityNumber(f *testing.F) {
	for _, seed := range []string{"8001015009087", "0001010000000", "12", "8.0E+12", "80010150090٨7"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if word, _ := checkIdentityNumber(text); word != "" || text == "" {
			return
		}
		if len(text) != identityDigits {
			t.Fatalf("%q was taken", text)
		}
		for i := range len(text) {
			for d := byte('0'); d <= '9'; d++ {
				other := []byte(text)
				if other[i] = d; string(other) == text {
					continue
				}
				if word, _ := checkIdentityNumber(string(other)); word == "" {
					t.Fatalf("%q and %q were both taken", text, other)
				}
			}
			if i > 0 && text[i] != text[i-1] && text[i]+text[i-1] != '0'+'9' {
				other := []byte(text)
				other[i], other[i-1] = other[i-1], other[i]
				if word, _ := checkIdentityNumber(string(other)); word == "" {
					t.Fatalf("%q and %q were both taken", text, other)
				}
			}
		}
	})
}

func TestDates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		year, month, day := rapid.IntRange(1890, 2210).Draw(t, "year"), rapid.IntRange(0, 13).Draw(t, "month"), rapid.IntRange(0, 32).Draw(t, "day")
		text := fmt.Sprintf("%04d-%02d-%02d", year, month, day)
		_, err := time.Parse(time.DateOnly, text)
		want := err == nil && plausibleYear(year)
		if isISODate(text) != want {
			t.Fatalf("%s is a date: %v", text, !want)
		}
		layout, err := parseDateLayout("DD.MM.YYYY")
		if err != nil {
			t.Fatal(err)
		}
		got, word, _ := layout.rule(fmt.Sprintf("%02d.%02d.%04d", day, month, year))
		if (word == "") != want || (want && got != text) {
			t.Fatalf("%s was read as %s %s", text, got, word)
		}
	})
	for _, layout := range []string{"", "DD/MM", "DD/MM/YY", "DD/MM/YYYY DD", "YYYYMMDDhh", "MM of DD YYYY"} {
		if _, err := parseDateLayout(layout); err == nil {
			t.Errorf("%q is a layout", layout)
		}
	}
	for _, c := range [][3]string{{"DD/MM/YYYY", "1/2/2026", ""}, {"YYYYMMDD", "20260201", "2026-02-01"}, {"MM-DD-YYYY", "02-01-2026", "2026-02-01"}, {"DD/MM/YYYY", "01/02/2026 ", ""}} {
		layout, err := parseDateLayout(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if got, word, _ := layout.rule(c[1]); (word == "") != (c[2] != "") || (word == "" && got != c[2]) {
			t.Errorf("%s as %s: %s %s", c[1], c[0], got, word)
		}
	}
}

// printed writes an amount with marks, grouped or not.
func (m Marks) printed(minor int64, currency string, grouped bool) string {
	whole, fraction, _ := strings.Cut(FormatMajor(minor, currency), ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	if grouped && m.Group != 0 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + string(m.Group) + whole[i:]
		}
	}
	if fraction != "" {
		fraction = string(m.decimal()) + fraction
	}
	return sign + whole + fraction
}

func TestMarksRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom([]Marks{{}, {Decimal: ','}, {Group: ','}, {Decimal: ',', Group: '.'}, {Decimal: ',', Group: ' '}, {Group: '\''}}).Draw(t, "marks")
		currency := rapid.SampledFrom([]string{"ZAR", "JPY", "BHD", "CLF"}).Draw(t, "currency")
		minor := rapid.Int64().Draw(t, "minor")
		text := m.printed(minor, currency, rapid.Bool().Draw(t, "grouped"))
		if got, err := m.ParseMajor(text, currency); err != nil || got != minor {
			t.Fatalf("%q: %d, %v; want %d", text, got, err, minor)
		}
	})
}

// An amount that is taken is written in one of two ways, grouped or not, with as many decimals as it likes up to those of
// the currency.
func FuzzMarks(f *testing.F) {
	for _, seed := range []string{"1234,5", "-12,34", "0,00", "12345678901234", "1 234,56", "1\u00a0234,5", "-0,05", "12 34", "1e3", "+1", "1,", ",5", "00", "999 999 999 999 999 999,99"} {
		f.Add(seed)
	}
	m := Marks{Decimal: ',', Group: ' '}
	f.Fuzz(func(t *testing.T, text string) {
		for exponent := range maxDecimals {
			for _, m := range []Marks{{}, m} {
				quick, ok := m.plainMajor(text, exponent)
				if exact, err := m.parseMajor(text, "", exponent); ok && (err != nil || quick != exact) {
					t.Fatalf("%q is quickly read as %d and exactly as %d, %v", text, quick, exact, err)
				}
			}
		}
		minor, err := m.ParseMajor(text, "ZAR")
		if err != nil {
			return
		}
		plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ").Replace(text)
		for _, grouped := range []bool{true, false} {
			whole := m.printed(minor, "ZAR", grouped)
			for _, shorter := range []string{whole, strings.TrimSuffix(whole, "0"), strings.TrimSuffix(whole, ",00")} {
				if plain == shorter {
					return
				}
			}
		}
		t.Fatalf("%q was read as %d", text, minor)
	})
}

func TestMarksThatCannotBe(t *testing.T) {
	for _, m := range []Marks{{Decimal: ';'}, {Group: '.'}, {Decimal: ',', Group: ','}, {Group: 'x'}} {
		if m.check() == nil {
			t.Errorf("%+v", m)
		}
	}
}

func TestExpressions(t *testing.T) {
	cells := map[string]string{"a": "Ann", "b": "", "c": " x ", "n": "42", "d": "03/02/2026"}
	for text, want := range map[string]string{
		"a": "Ann", "=ZAR": "ZAR", "={a}": "{a}", "{a}": "Ann", "{a} {c}": "Ann  x ", "{a} {b}": "Ann", "{b} {a}": "Ann", "{b} {b}": "", "Mr {a}": "Mr Ann", "Mr {b} {a}": "Mr Ann", "Mr {b}": "",
		"{a}-{n}": "Ann-42", "{n|pad:5}": "00042", "{n|pad:1}": "42", "{a|pad:9}": "Ann", "{c|trim}": "x", "{c | trim | upper}": "X", "{a|lower}": "ann", "{d|date:DD/MM/YYYY}": "2026-02-03",
		"{a} ({b})": "Ann ()", "{a}, {b}, {n}": "Ann, , 42",
	} {
		e, err := parseExpression(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var row []string
		for i, p := range e.parts {
			e.parts[i].cell = len(row)
			row = append(row, cells[p.column])
		}
		if got, _, word, _ := e.text(row); got != want || word != "" {
			t.Errorf("%q: %q %s, want %q", text, got, word, want)
		}
	}
	for _, text := range []string{"", "=", "{", "}", "{a", "a}", "{a{b}}", "{}", "{|trim}", "{a|}", "{a|shout}", "{a|pad}", "{a|pad:x}", "{a|pad:-1}", "{a|date:YY}", "{a|trim:x}"} {
		if _, err := parseExpression(text); err == nil {
			t.Errorf("%q is an expression", text)
		}
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for want, o := range map[string]CustomerOptions{
		"files.format": {Format: "xlsx"}, "files.encoding": {Encoding: "ebcdic"}, "files.decimal": {Marks: Marks{Decimal: 'x'}}, "files.phone_country": {PhoneCountry: "XX"},
		"files.columns.surname": {Columns: map[string]string{"surname": "a"}}, "files.columns.name": {Columns: map[string]string{"name": "{a"}},
		"files.columns.metadata.": {Columns: map[string]string{"metadata.": "a"}},
	} {
		err := o.Check()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := NewCustomerReader(strings.NewReader("external_reference\n"), o); err == nil {
			t.Errorf("%s: was taken", want)
		}
	}
	if err := (CustomerOptions{}).Check(); err != nil {
		t.Error(err)
	}
}

// FuzzHeader maps any header by any delimiter and format: there is a layout whose columns are there, or a fault.
func FuzzHeader(f *testing.F) {
	for i, seed := range []string{
		"external_reference,name", "\"a\";\"external reference\"", "account,first_name,last_name,passport_number,amount_due", "a|b", "external_reference,External-Reference", "metadata.x\texternal_reference", "\"", ",,,",
	} {
		f.Add(seed, uint8(i))
	}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		o := []CustomerOptions{
			{},
			{Format: FormatMomentBillingFile, ReferenceColumn: "account"},
			{Format: FormatColumns, Columns: map[string]string{"external_reference": "{a}-{b}", "name": "b"}},
			{Delimiter: ';', Trailer: Trailer{Match: "T", CountColumn: "name"}},
		}[kind%4].normal()
		l, err := readLayout(text, &o)
		if err != nil {
			return
		}
		if l.known < 1 || l.known > maxColumns || l.reference == nil || len(l.cellOf) != len(l.header) {
			t.Fatalf("%q: %+v", text, l)
		}
		cells := make([]string, l.known)
		for i := range cells {
			cells[i] = strconv.Itoa(i)
		}
		for _, s := range []*source{l.reference, l.name, l.email, l.phone, l.currency, l.balance, l.due} {
			s.text(cells) // must find its cells
		}
	})
}
