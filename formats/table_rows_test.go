package formats

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// readExpectedBy reads an expected file by the strict reader alone, if piece is 0, else by stretches of that many bytes.
func readExpectedBy(text string, piece int) (rows []ExpectedRow, counts ExpectedCounts, err error) {
	columns := expectedColumns()
	table, err := openNamedColumns(strings.NewReader(text), columns[:3], columns[3:])
	if err != nil {
		return nil, counts, err
	}
	table.simple, table.piece = table.simple && piece > 0, piece
	counts, err = readExpectedTable(table, takeOnce(func(row ExpectedRow) error {
		rows = append(rows, row)
		return nil
	}))
	return rows, counts, err
}

func agree(t *testing.T, text string) {
	t.Helper()
	rows, counts, err := readExpectedBy(text, 0)
	for _, piece := range []int{1, 16, 61, 4096} {
		gotRows, gotCounts, gotErr := readExpectedBy(text, piece)
		if fmt.Sprint(gotErr) != fmt.Sprint(err) || gotCounts != counts || !reflect.DeepEqual(gotRows, rows) {
			t.Fatalf("%q in pieces of %d:\ngot  %+v %+v %v\nwant %+v %+v %v", text, piece, gotRows, gotCounts, gotErr, rows, counts, err)
		}
	}
}

// awkward are expected files whose rows are cut in ways that are easily got wrong.
func awkward() []string {
	const header = "customer_id,currency,balance,name\n"
	return []string{
		header,
		header + "a,ZAR,1,Ann\nb,ZAR,2,Ben\nc,ZAR,3,Cleo",
		header + "a,ZAR,1,Ann\r\n\r\nb,ZAR,2,Ben\r\n\n\nc,ZAR,3,Cleo\r",
		header + "a,ZAR,1,\"Ann, of the hill\"\nb,ZAR,2,\"\"\nc,ZAR,3,Cleo\n",
		header + "a,ZAR,1,\"Ann\nof the hill\"\nb,ZAR,2,Ben\nc,ZAR,3.1,Cleo\n",
		header + "a,ZAR,1,\"Ann \"\"A\"\" Hill\"\nb,ZAR,2,Ben\na,ZAR,5,Ann\n",
		header + "a,ZAR,1,Ann \"A\" Hill\nb,ZAR,2,Ben\n",
		header + "a,ZAR,1,Ann\nb,ZAR,2,\"Ben\nc,ZAR,3,Cleo\n",
		header + "a,ZAR,1,Ann\nb,ZAR,2\nc,ZAR,3,Cleo\n",
		header + "a,ZAR,1,Ann\nb,ZAR,2,Ben,\n",
		header + "a,ZAR,1,Ann\na,ZAR,1,Ann\nb,zar,2,Ben\nc,x,3,Cleo\n",
		header + "a,ZAR,1,Ann\n,ZAR,2,Ben\nc,ZAR,,Cleo\na,USD,1,Ann\n",
		header + "a,ZAR,1,\"Ann\"x\n",
		header + "\"a\",\"ZAR\",\"1\",\"Ann\"\r\n\"b\",\"ZAR\",\"2\",\"Ben\"\r",
		"\ncustomer_id,currency,balance\na,ZAR,1\nb,ZAR,x\n",
		"\"customer_id\",currency,balance,\"two\nlines\"\na,ZAR,1,\nb,ZAR,x,\n",
		"customer_id;currency;balance\na;ZAR;1\n\"b;\";ZAR;2\nc;ZAR;x\n",
		"customer_id,currency,balance\n" + strings.Repeat("x", 300) + ",ZAR,1\nb,ZAR,2\n",
		header + "a,ZAR,1,\"Ann \"\"A\"\"\"\n" + manyRows(), // the reader is far ahead when the strict one must go on
		header + manyRows() + "c,ZAR,3\n",
	}
}

func manyRows() string {
	var rows strings.Builder
	for i := range 300 {
		fmt.Fprintf(&rows, "bcus_%d,ZAR,%d,\n", i*i, i)
	}
	return rows.String()
}

// However a file is cut, and whichever way reads a line, the rows and the verdict are the same.
func TestStretchesAgree(t *testing.T) {
	for _, text := range awkward() {
		agree(t, text)
	}
}

func FuzzStretchesAgree(f *testing.F) {
	for _, text := range awkward() {
		f.Add(text)
	}
	f.Fuzz(agree)
}

// The plain way reads what is plain, and goes on behind nothing that is not.
func TestPlainCut(t *testing.T) {
	table, err := openNamedColumns(strings.NewReader("a,b,c\n"), []string{"a", "c"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"1,2,3": "1|2|3", ",,": "||", `"1, 2",2,"3"`: "1, 2|2|3", `"",x,`: "|x|",
		"1,2": "", "1,2,3,4": "", `1,2,"3`: "", `1,2,"3""4"`: "", `1,2"2,3`: "", `1,"2"2,3`: "",
	} {
		r := tableRows{table: table}
		if ok := r.cut(line); ok != (want != "") || ok && strings.Join(r.all, "|") != want {
			t.Errorf("%q: %q, %v", line, r.all, ok)
		}
	}
}

// A file that cannot be read to its end is an error, by either way.
func TestStretchesBrokenFile(t *testing.T) {
	broken := errors.New("broken")
	for _, rows := range []string{"a,ZAR,1\n", "\"a\n\",ZAR,1\n"} {
		text := "customer_id,currency,balance\n" + rows
		_, err := ReadExpected(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), func(ExpectedRow) error { return nil })
		if !errors.Is(err, broken) {
			t.Errorf("%q: %v", rows, err)
		}
	}
}
