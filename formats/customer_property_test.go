package formats

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// plainRow is a record as encoding/csv alone reads it from the whole text.
type plainRow struct {
	Line  int
	Cells []string
}

// readPlainly reads a file the simple way.
func readPlainly(text string) ([]plainRow, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	var rows []plainRow
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows[1:], nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		rows = append(rows, plainRow{line, cells})
	}
}

// drawFile makes a text out of what upsets parsers.
func drawFile(t *rapid.T) string {
	pieces := []string{"A", "bc", "é", ",", ",", "\n", "\n", "\r\n", "\"\"", "\"x,y\"", "\"two\nlines\"", "\"a \"\"b\"\"\"", "\"cr\r\nlf\"", " ", "\"", "\r"}
	return "external_reference,name,due_date\n" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 120).Draw(t, "file"), "")
}

// Blocks, lanes and the counting of quotes must change nothing of what encoding/csv makes of a file as a whole: the same
// records at the same lines, or a fault.
func TestBlocksAreInvisible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawFile(t)
		want, wantErr := readPlainly(text)
		size := rapid.SampledFrom([]int{1, 2, 7, 40, 1000}).Draw(t, "block size")
		r, err := newCustomerReader(iotest.HalfReader(strings.NewReader(text)), CustomerOptions{}, size)
		if err != nil {
			t.Fatal(err)
		}
		var rest []plainRow
		for err == nil {
			var record *CustomerRecord
			if record, err = r.Next(); err != nil {
				break
			}
			cells := splitRaw(record.Raw, ',')
			if record.Number != len(rest)+1 || (len(cells) == 3) == record.has("ragged_row") {
				t.Fatalf("record %d: %q, %v", record.Number, record.Raw, record.Problems)
			}
			if len(cells) == 3 && (record.Customer.ExternalReference != cells[0] || record.Customer.Name != cells[1]) {
				t.Fatalf("%q was read as %+v", cells, record.Customer)
			}
			rest = append(rest, plainRow{record.Line, cells})
		}
		var fault *FileError
		if wantErr != nil {
			if !errors.As(err, &fault) {
				t.Fatalf("%q: %v, and encoding/csv says %v", text, err, wantErr)
			}
			return
		}
		if diff := cmp.Diff(want, rest, cmpopts.EquateEmpty()); !errors.Is(err, io.EOF) || diff != "" {
			t.Fatalf("%q in blocks of %d: %v\n%s", text, size, err, diff)
		}
	})
}

// Lines without quotes are cut, and others decoded cell by cell: a file that has a quote at its end, in the same block, says
// the same in all rows before.
func TestQuotesElsewhereChangeNothing(t *testing.T) {
	pieces := []string{"A", "bc", "é", ",", ",", ",", "\n", "\r\n", " ", "x\ty", "\r", "0821234567", "a@example.com", "12"}
	rapid.Check(t, func(t *rapid.T) {
		text := "name,colour,external_reference,email\n" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 60).Draw(t, "file"), "") + "\n"
		var told [2][]string
		for i, text := range []string{text, text + "\"A\",,,\n"} {
			r, err := NewCustomerReader(strings.NewReader(text), CustomerOptions{})
			for err == nil {
				var record *CustomerRecord
				if record, err = r.Next(); err == nil {
					told[i] = append(told[i], recordVerdict(record)+string(record.Raw))
				}
			}
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(told[0], told[1][:len(told[1])-1], cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q:\n%s", text, diff)
		}
	})
}

// A reader that is left in the middle leaves nothing behind, and one that was closed goes on.
func TestCloseWaits(t *testing.T) {
	defer goleak.VerifyNone(t)
	file := benchmarkFile(20_000)
	r, err := NewCustomerReader(bytes.NewReader(file), CustomerOptions{PhoneCountry: "ZA"})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		_, err := r.Next()
		if errors.Is(err, io.EOF) && n == 20_000 {
			return
		}
		if err != nil {
			t.Fatal(n, err)
		}
		r.Close()
		if n == 0 {
			goleak.VerifyNone(t)
		}
	}
}

// What is accepted prints back to what was read: nothing is trimmed, rounded or mended on the way.
func TestAcceptedValuesPrintBack(t *testing.T) {
	cells := []string{"", "A", " A", "00123", "1.50", "-5", "0", "-0", "1e3", "+27821234567", "0821234567", "a@example.com", "ZAR", "zar", "2026-12-01", "é ", "=1+1", "x\ty"}
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SliceOfN(rapid.SampledFrom(cells), 8, 8).Draw(t, "row")
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		if err := w.WriteAll([][]string{{"external_reference", "name", "email", "phone", "currency", "balance", "due_date", "metadata.k"}, row}); err != nil {
			t.Fatal(err)
		}
		r, err := NewCustomerReader(&file, CustomerOptions{Currency: "ZAR"})
		if err != nil {
			t.Fatal(err)
		}
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return // an empty row is a blank line
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(record.Problems) > 0 {
			return
		}
		c := record.Customer
		balance, currency := "", row[4]
		if c.Balance.Set {
			balance = strconv.FormatInt(c.Balance.Minor, 10)
			if currency == "" {
				currency = "ZAR"
			}
		}
		metadata := ""
		for _, m := range c.Metadata {
			metadata = m.Value
		}
		got := []string{c.ExternalReference, c.Name, c.Email, c.Phone, c.Currency, balance, c.DueDate, metadata}
		want := []string{row[0], row[1], row[2], row[3], currency, row[5], row[6], row[7]}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A file in any encoding and with any line ends says the same.
func TestEncodingsSayTheSame(t *testing.T) {
	const text = "external_reference,name\nA,\"Zoë \"\"Ž\"\" O’Brien €5\"\nB,\"two\nlines\"\n"
	want := verdict(text, CustomerOptions{})
	for _, c := range []charset{
		{encoding: EncodingUTF8},
		{encoding: EncodingUTF16, order: littleEndian, mark: []byte{0xff, 0xfe}},
		{encoding: EncodingUTF16, order: bigEndian, mark: []byte{0xfe, 0xff}},
		{encoding: EncodingUTF16, order: littleEndian},
		{encoding: EncodingUTF16, order: bigEndian},
		{encoding: EncodingWindows1252},
	} {
		for _, end := range []string{"\n", "\r\n", "\r"} {
			var file bytes.Buffer
			if _, err := c.writer(&file).Write([]byte(strings.ReplaceAll(text, "\n", end))); err != nil {
				t.Fatal(err)
			}
			options := CustomerOptions{}
			if c.encoding == EncodingWindows1252 {
				options.Encoding = c.encoding
			}
			if got := verdict(file.String(), options); got != want {
				t.Errorf("%s %v %q: %s, want %s", c.encoding, c.order, end, got, want)
			}
			r, err := NewCustomerReader(iotest.OneByteReader(&file), options)
			if err != nil {
				t.Error(err)
				continue
			}
			if _, err := r.Next(); err != nil {
				t.Errorf("%s byte by byte: %v", c.encoding, err)
			}
		}
	}
}

// A character of two UTF-16 units is one character, wherever a read ends.
func TestPairAcrossReads(t *testing.T) {
	for _, order := range []charset{
		{encoding: EncodingUTF16, order: littleEndian, mark: []byte{0xff, 0xfe}},
		{encoding: EncodingUTF16, order: bigEndian, mark: []byte{0xfe, 0xff}},
	} {
		var file bytes.Buffer
		const before = 20000 // beyond what is read at once to find out the encoding
		text := "external_reference,name\n" + strings.Repeat("B,x😀y\n", before) + "A,x😀y\n"
		if _, err := order.writer(&file).Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		r, err := NewCustomerReader(iotest.OneByteReader(&file), CustomerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for range before + 1 {
			record, err := r.Next()
			if err != nil || record.Customer.Name != "x😀y" {
				t.Fatalf("%v: %v", order.order, err)
			}
		}
	}
}

// Rejected records come back in the encoding they came in, so that the same configuration reads them once corrected.
func TestRejectsKeepTheEncoding(t *testing.T) {
	for _, c := range []struct {
		options CustomerOptions
		text    string
	}{
		{CustomerOptions{}, "external_reference,name\n,Zoë €\n"},
		{CustomerOptions{Encoding: EncodingWindows1252}, "external_reference,name\n,Zo\xeb \x80 \x81\n"},
		{CustomerOptions{Encoding: EncodingISO88591}, "external_reference,name\n,Zo\xeb\n"},
		{CustomerOptions{}, utf16Text("external_reference,name\n,Zoë 😀\n", littleEndian, true)},
		{CustomerOptions{}, utf16Text("external_reference,name\n,Zoë €\n", bigEndian, false)},
		{CustomerOptions{Encoding: EncodingUTF8}, "external_reference,name\n,Zo\xeb\n"},
	} {
		r, err := NewCustomerReader(strings.NewReader(c.text), c.options)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := NewRejectsWriter(&out, r)
		if err != nil {
			t.Fatal(err)
		}
		record, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(record.Raw, "reason", "…"), w.Flush()); err != nil {
			t.Fatal(err)
		}
		// Without our columns it is the file that came.
		cut := out.String()
		for _, ours := range []string{",reject_reason,reject_detail", ",reason,…", ",reason,...", ",reason,\x85"} {
			if r.charset.encoding == EncodingUTF16 {
				ours = utf16Text(ours, r.charset.order, false)
			}
			cut = strings.Replace(cut, ours, "", 1)
		}
		if cut != c.text {
			t.Errorf("%s: %q, want %q", r.Encoding(), cut, c.text)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		column, text, rule string
		most               int
	}{
		{"external_reference", "x", "bad_reference", 255},
		{"name", "é", "name_too_long", 255},
		{"metadata.k", "é", "metadata_too_long", 500},
	} {
		for n, want := range map[int]string{c.most: "", c.most + 1: c.rule} {
			head, row := "external_reference,"+c.column, "A,"+strings.Repeat(c.text, n)
			if c.column == "external_reference" {
				head, row = c.column, strings.Repeat(c.text, n)
			}
			r, err := NewCustomerReader(strings.NewReader(head+"\n"+row+"\n"), CustomerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			record, err := r.Next()
			if err != nil || len(record.Problems) > 0 != (want != "") || (want != "" && record.Problems[0].Rule != want) {
				t.Errorf("%d of %s: %v, %v", n, c.column, record.Problems, err)
			}
		}
	}
}
