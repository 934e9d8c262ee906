package formats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readAll reads a whole file; it copies what is valid only until the next record.
func readAll(t *testing.T, text string, options CustomerOptions) (*CustomerReader, []CustomerRecord, error) {
	t.Helper()
	r, err := NewCustomerReader(strings.NewReader(text), options)
	if err != nil {
		return nil, nil, err
	}
	var records []CustomerRecord
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r, records, nil
		}
		if err != nil {
			return r, records, err
		}
		kept := *record
		kept.Raw = bytes.Clone(record.Raw)
		records = append(records, kept)
	}
}

func TestCustomersWhole(t *testing.T) {
	text := "\ufeffexternal_reference,name,email,phone,currency,balance,metadata.tariff,due_date\r\n" +
		"C-1,\"Zoë \"\"Z\"\" Ngcobo\",zoe@example.com,+27821234567,ZAR,24000,home,2026-12-01\r\n" +
		"\r\n" +
		"C_2,\"two\nlines\",,,,-5,,\r\n" +
		"C3,,,,,,,"
	r, records, err := readAll(t, text, CustomerOptions{Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Customer{
		{ExternalReference: "C-1", Name: `Zoë "Z" Ngcobo`, Email: "zoe@example.com", Phone: "+27821234567", Currency: "ZAR", Balance: BalanceOf(24000), Metadata: []Metadatum{{"tariff", "home"}}, DueDate: "2026-12-01"},
		{ExternalReference: "C_2", Name: "two\nlines", Currency: "USD", Balance: BalanceOf(-5)},
		{ExternalReference: "C3"},
	}
	lines := []int{2, 4, 6}
	for i, record := range records {
		if diff := cmp.Diff(want[i], record.Customer); diff != "" {
			t.Error(diff)
		}
		if record.Line != lines[i] || record.Number != i+1 || len(record.Problems) != 0 {
			t.Errorf("record %d: line %d, number %d, problems %v", i, record.Line, record.Number, record.Problems)
		}
	}
	if len(records) != len(want) || r.BlankLines() != 1 || r.Delimiter() != ',' {
		t.Errorf("%d records, %d blank lines, delimiter %q", len(records), r.BlankLines(), r.Delimiter())
	}
	if got := string(records[1].Raw); got != "C_2,\"two\nlines\",,,,-5,," {
		t.Errorf("raw record %q", got)
	}
}

func TestCustomersHeaderSpellings(t *testing.T) {
	for _, text := range []string{
		"External Reference;NAME\nA;b\n",
		"externalreference\tName\nA\tb\n",
		"\"external_reference\"|\"name\"\nA|b\n",
		"name,EXTERNAL_REFERENCE\nb,A\n",
	} {
		_, records, err := readAll(t, text, CustomerOptions{})
		if err != nil || len(records) != 1 || records[0].Customer.ExternalReference != "A" || records[0].Customer.Name != "b" {
			t.Errorf("%q: %+v, %v", text, records, err)
		}
	}
}

func TestUnknownColumnsAreNamed(t *testing.T) {
	r, records, err := readAll(t, "external_reference,colour,reject_reason\nA,red,x\n", CustomerOptions{})
	if err != nil || len(records[0].Problems) != 0 {
		t.Fatal(err, records)
	}
	if diff := cmp.Diff([]string{"colour"}, r.UnknownColumns()); diff != "" {
		t.Error(diff)
	}
}

func TestRowFaults(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, c := range []struct{ header, row, column, rule string }{
		{"name", "x", "external_reference", "missing_reference"},
		{"name", "a b,x", "external_reference", "bad_reference"},
		{"name", "é,x", "external_reference", "bad_reference"},
		{"name", "2.78E+10,x", "external_reference", "bad_reference"},
		{"name", "bcus_1,x", "external_reference", "reserved_reference"},
		{"name", "bill_1,x", "external_reference", "reserved_reference"},
		{"name", long + ",x", "external_reference", "bad_reference"},
		{"name", "A," + long, "name", "name_too_long"},
		{"name", "A,x\x00y", "name", "control_character"},
		{"name", "A,x\ufffdy", "name", "bad_encoding"},
		{"email", "A,nobody", "email", "bad_email"},
		{"email", "A,Bob <b@example.com>", "email", "bad_email"},
		{"email", "A,a@b", "email", "bad_email"},
		{"email", "A,a@-x.com", "email", "bad_email"},
		{"email", "A,a@example.com ", "email", "bad_email"},
		{"phone", "A,0821234567", "phone", "bad_phone"},
		{"phone", "A,+0821234567", "phone", "bad_phone"},
		{"phone", "A,2.78E+10", "phone", "bad_phone"},
		{"currency", "A,zar", "currency", "bad_currency"},
		{"balance,currency", "A,12.50,ZAR", "balance", "bad_balance"},
		{"balance,currency", "A,1e3,ZAR", "balance", "bad_balance"},
		{"balance,currency", "A,9223372036854775808,ZAR", "balance", "bad_balance"},
		{"balance", "A,100", "currency", "missing_currency"},
		{"due_date", "A,2026-02-30", "due_date", "bad_due_date"},
		{"metadata.note", "A," + strings.Repeat("x", 501), "metadata.note", "metadata_too_long"},
		{"name", "A,b,c", "", "ragged_row"},
		{"name,email", "A,b", "", "ragged_row"},
	} {
		row := c.row
		if c.rule == "missing_reference" {
			row = ",x"
		}
		_, records, err := readAll(t, "external_reference,"+c.header+"\n"+row+"\nLAST"+strings.Repeat(",", 1+strings.Count(c.header, ","))+"\n", CustomerOptions{})
		if err != nil || len(records) != 2 || len(records[0].Problems) == 0 {
			t.Errorf("%q: %d records, %v", c.row, len(records), err)
			continue
		}
		p := records[0].Problems[0]
		if p.Column != c.column || p.Rule != c.rule || p.Line != 2 || p.Remedy == "" {
			t.Errorf("%q: %+v, want %s of %q", c.row, p, c.rule, c.column)
		}
		if len(records[1].Problems) != 0 || records[1].Line != 3 {
			t.Errorf("%q: the row after it: %+v", c.row, records[1])
		}
	}
}

func TestTooManyMetadataKeys(t *testing.T) {
	header, row := "external_reference", "A"
	for i := range 11 {
		header += fmt.Sprintf(",metadata.k%d", i)
		row += ",v"
	}
	_, records, err := readAll(t, header+"\n"+row+"\n", CustomerOptions{})
	if err != nil || len(records[0].Problems) != 1 || records[0].Problems[0].Rule != "too_many_metadata_keys" {
		t.Error(records, err)
	}
}

func TestFileFaults(t *testing.T) {
	for _, c := range []struct {
		text, rule string
		line       int
	}{
		{"", "empty_file", 0},
		{"\n", "missing_header", 1},
		{"name\nx\n", "missing_column", 1},
		{"external_reference,name,Name\n", "doubled_column", 1},
		{"external_reference,metadata." + strings.Repeat("k", 41) + "\n", "bad_metadata_key", 1},
		{"external_reference,name\nA,\"x\nB,y\n", "unclosed_quote", 2},
		{"external_reference,name\nA,x\"y\n", "bare_quote", 2},
		{"\xff\xfe\x00\x00e\x00\x00\x00", "bad_encoding", 1},
		{"external_reference,name\nA,x\xffy\n", "bad_encoding", 2},
		{"external_reference,na\xffme\n", "bad_encoding", 1},
		{"external_reference,name\nA,\"" + strings.Repeat("x\n", MaxRecord), "record_too_long", 2},
		{"external_reference,name\nA,b\nB,\"" + strings.Repeat("x", MaxRecord) + "\"\n", "record_too_long", 3},
	} {
		_, _, err := readAll(t, c.text, CustomerOptions{})
		var fault *FileError
		if !errors.As(err, &fault) || fault.Rule != c.rule || fault.Line != c.line || fault.Remedy == "" {
			t.Errorf("%.40q: %v, want %s at line %d", c.text, err, c.rule, c.line)
		}
	}
}

func TestWrongDelimiterIsHinted(t *testing.T) {
	_, _, err := readAll(t, "external_reference;name\nA;b\n", CustomerOptions{Delimiter: ','})
	if err == nil || !strings.Contains(err.Error(), "files.delimiter") {
		t.Errorf("%v", err)
	}
}

func TestExcelsNoteIsHinted(t *testing.T) {
	_, _, err := readAll(t, "sep=;\nexternal_reference;name\nA;b\n", CustomerOptions{})
	if err == nil || !strings.Contains(err.Error(), "sep=") {
		t.Errorf("%v", err)
	}
}

func TestHeaderAloneIsNoFault(t *testing.T) {
	_, records, err := readAll(t, "external_reference,name", CustomerOptions{})
	if err != nil || len(records) != 0 {
		t.Error(records, err)
	}
}

func TestMajorAmounts(t *testing.T) {
	_, records, err := readAll(t, "external_reference,balance,currency\nA,240.00,ZAR\nB,20,JPY\nC,1.234,ZAR\n", CustomerOptions{Major: true})
	if err != nil || records[0].Customer.Balance != BalanceOf(24000) || records[1].Customer.Balance != BalanceOf(20) || len(records[2].Problems) != 1 {
		t.Error(records, err)
	}
}

// A reader that remembers too much, or forgets too early, shows in a file larger than its buffers.
func TestRawRecordsOfALongFile(t *testing.T) {
	var text strings.Builder
	text.WriteString("external_reference,name\n")
	const rows = 40000
	for i := range rows {
		fmt.Fprintf(&text, "C%d,\"name, %d\"\n\n", i, i)
	}
	r, records, err := readAll(t, text.String(), CustomerOptions{})
	if err != nil || len(records) != rows {
		t.Fatal(len(records), err)
	}
	for i, record := range records {
		if want := fmt.Sprintf("C%d,\"name, %d\"", i, i); string(record.Raw) != want || record.Line != 2+2*i {
			t.Fatalf("record %d at line %d: %q", i, record.Line, record.Raw)
		}
	}
	if r.BlankLines() != rows {
		t.Errorf("%d blank lines", r.BlankLines())
	}
}

func TestRejectsImportOnceCorrected(t *testing.T) {
	write := func(text string) string {
		r, err := NewCustomerReader(strings.NewReader(text), CustomerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := NewRejectsWriter(&out, r)
		if err != nil {
			t.Fatal(err)
		}
		for {
			record, err := r.Next()
			if err != nil {
				break
			}
			if len(record.Problems) > 0 {
				if err := w.Write(record.Raw, record.Problems[0].Rule, record.Problems[0].Detail()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	first := write("external_reference;name;phone\nA;x;1\nB;y;\nC;\"semi;colon\";2\nD;too;many;cells\n")
	want := "external_reference;name;phone;reject_reason;reject_detail\n" +
		"A;x;1;bad_phone;\"phone: write it in E.164: + and country code, then digits only, such as +27821234567, or say in files.phone_country where it is dialled (is \"\"1\"\")\"\n" +
		"C;\"semi;colon\";2;bad_phone;\"phone: write it in E.164: + and country code, then digits only, such as +27821234567, or say in files.phone_country where it is dialled (is \"\"2\"\")\"\n" +
		"D;too;many;cells;ragged_row;\"the row has 4 cells and the header 3; most likely a text that contains the delimiter is not quoted\"\n"
	if diff := cmp.Diff(want, first); diff != "" {
		t.Fatal(diff)
	}
	second := write(strings.Replace(first, "A;x;1;", "A;x;+27821234567;", 1))
	if strings.Contains(second, "A;x") || strings.Count(second, "reject_reason") != 1 || strings.Count(second, "bad_phone") != 1 {
		t.Errorf("the rejects of the rejects:\n%s", second)
	}
}

func TestOutcomeFile(t *testing.T) {
	var out bytes.Buffer
	w := NewOutcomeWriter(&out)
	rows := []OutcomeRow{
		{Line: 2, ExternalReference: "A", Outcome: Created, CustomerID: "bcus_1", Currency: "ZAR", Balance: BalanceOf(0), Payable: "yes", HTTPStatus: 201, Attempts: 1},
		{Line: 3, ExternalReference: "=B", Outcome: Rejected, Reason: "bad_reference", Detail: "a, \"b\""},
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "line,external_reference,outcome,customer_id,currency,balance,payable,http_status,attempts,reason,detail\n" +
		"2,A,created,bcus_1,ZAR,0,yes,201,1,,\n" +
		"3,=B,rejected,,,,,,0,bad_reference,\"a, \"\"b\"\"\"\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyOutcomeFileHasAHeader(t *testing.T) {
	var out bytes.Buffer
	if err := NewOutcomeWriter(&out).Flush(); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func FuzzCustomerReader(f *testing.F) {
	for i, seed := range []string{
		"external_reference,name,balance,currency\nA,b,1,ZAR\n", "\ufeffexternal_reference;metadata.x\r\n\"A\";\"b\nc\"\r\n",
		"external_reference,phone\rA,0821234567\r\"B\",\"\r\"", "account,first_name,last_name,passport_number,amount_due\nA,b,c,d,1.50\n",
		"external_reference\nA,b\n\n\nC\n", "external_reference,name\nA,\"x\n", "external_reference,name,balance\nA,b,5\nT,1,5\n", utf16Text("external_reference\nÄ\n", littleEndian, true),
	} {
		f.Add([]byte(seed), uint8(i))
	}
	options := []CustomerOptions{
		{Currency: "ZAR", PhoneCountry: "ZA"},
		{Currency: "ZAR", Encoding: EncodingWindows1252, Major: true, Marks: Marks{Decimal: ',', Group: '.'}},
		{Format: FormatMomentBillingFile, Currency: "ZAR", ReferenceColumn: "account"},
		{Trailer: Trailer{Match: "T", CountColumn: "name", SumColumn: "balance"}},
		{Format: FormatColumns, Encoding: EncodingUTF8, Columns: map[string]string{"external_reference": "{external_reference|trim|pad:4}", "name": "{name} {balance}"}},
	}
	f.Fuzz(func(t *testing.T, text []byte, kind uint8) {
		o := options[int(kind)%len(options)]
		r, err := newCustomerReader(bytes.NewReader(text), o, 1+int(kind))
		if err != nil {
			return
		}
		line := 1
		asItCame := r.charset.encoding == EncodingUTF8 && !r.blocks.cr
		for n := 1; ; n++ {
			record, err := r.Next()
			if err != nil {
				var fault *FileError
				if !errors.Is(err, io.EOF) && !errors.As(err, &fault) {
					t.Fatalf("neither the end nor a fault of the file: %v", err)
				}
				return
			}
			if record.Number != n || record.Line <= line || (asItCame && !bytes.Contains(text, record.Raw)) {
				t.Fatalf("record %d: number %d, line %d after %d, raw %q", n, record.Number, record.Line, line, record.Raw)
			}
			line = record.Line
			c := record.Customer
			if word, _ := checkReference(c.ExternalReference); len(record.Problems) == 0 && (word != "" || (c.Balance.Set && c.Currency == "")) {
				t.Fatalf("accepted %+v", c)
			}
			for _, p := range record.Problems {
				if p.Rule == "" || p.Remedy == "" || p.Line != record.Line {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}

// A trailer is the last record wherever blocks end, also where nothing in it is compared.
func TestTrailerAtTheEndOfABlock(t *testing.T) {
	const text = "external_reference,name\nA,b\nTRAILER,1\nB,c\n"
	for size := 1; size <= len(text); size++ {
		r, err := newCustomerReader(strings.NewReader(text), CustomerOptions{Trailer: Trailer{Match: "TRAILER"}}, size)
		for err == nil {
			_, err = r.Next()
		}
		if fault, ok := errors.AsType[*FileError](err); !ok || fault.Rule != "after_trailer" || fault.Line != 4 {
			t.Errorf("blocks of %d: %v", size, err)
		}
	}
}
