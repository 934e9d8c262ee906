package formats

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// columnsBuffer is how many bytes of such a file are read at once.
const columnsBuffer = 64 << 10

// namedColumns reads a CSV file of ours or of somebody's spreadsheet by the names in its header.
type namedColumns struct {
	src    *bufio.Reader // what csv reads from
	csv    *csv.Reader
	index  map[string]int
	line   int
	base   int  // lines that were read by another way than csv
	simple bool // the header is one line, as it stands there
	piece  int  // bytes of it that are read at once, by the plain way
}

// namedRow is one record of such a file; it is valid until the next one is read.
type namedRow struct {
	table  *namedColumns
	record []string
	line   int // its first physical line, the header being 1
}

// openNamedColumns reads the header. Names are compared without case and surrounding space.
func openNamedColumns(r io.Reader, required, optional []string) (*namedColumns, error) {
	src := bufio.NewReaderSize(r, columnsBuffer)
	if err := checkBeginning(src); err != nil {
		return nil, err
	}
	t := &namedColumns{index: map[string]int{}, piece: stretchBytes}
	t.use(src, sniffDelimiter(src))
	record, err := t.read()
	if errors.Is(err, io.EOF) {
		return nil, &FileError{Line: 1, Rule: "missing_header", Remedy: "the file has no header line"}
	}
	if err != nil {
		return nil, err
	}
	t.simple = !strings.Contains(strings.Join(record, ""), "\n")
	for i, cell := range record {
		name := strings.ToLower(strings.TrimSpace(cell))
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			continue
		}
		if _, doubled := t.index[name]; doubled {
			return nil, &FileError{Line: 1, Column: name, Rule: "doubled_column", Remedy: "the column stands in the header twice; take one of them out"}
		}
		t.index[name] = i
	}
	for _, name := range required {
		if _, ok := t.index[name]; !ok {
			return nil, &FileError{Line: 1, Column: name, Rule: "missing_column", Remedy: fmt.Sprintf("the header needs the columns %s", strings.Join(required, ", "))}
		}
	}
	return t, nil
}

// use makes the table read records from src on. A buffer of that size csv.Reader takes as its own, so that what it has not
// read is still there.
func (t *namedColumns) use(src *bufio.Reader, delimiter rune) {
	t.src, t.csv = src, csv.NewReader(src)
	t.csv.ReuseRecord = true
	t.csv.Comma = delimiter
}

// sniffDelimiter decides between comma and semicolon from the first line, where a spreadsheet of another country puts
// semicolons.
func sniffDelimiter(src *bufio.Reader) rune {
	start, _ := src.Peek(4096)
	line, _, _ := strings.Cut(string(start), "\n")
	if strings.Count(line, ";") > strings.Count(line, ",") {
		return ';'
	}
	return ','
}

// next returns the next record, or io.EOF.
func (t *namedColumns) next() (namedRow, error) {
	record, err := t.read()
	if err != nil {
		return namedRow{}, err
	}
	return namedRow{table: t, record: record, line: t.line}, nil
}

func (t *namedColumns) read() ([]string, error) {
	record, err := t.csv.Read()
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		parse.StartLine += t.base
		parse.Line += t.base
	}
	switch {
	case err == nil:
		t.line, _ = t.csv.FieldPos(0)
		t.line += t.base
		return record, nil
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.As(err, &parse) && errors.Is(parse.Err, csv.ErrFieldCount):
		return nil, &FileError{Line: parse.StartLine, Rule: "ragged_row", Remedy: fmt.Sprintf("the row has %d cells and the header another number; most likely a text that contains the delimiter is not quoted", len(record))}
	case errors.As(err, &parse):
		return nil, quoteFault(parse)
	default:
		return nil, fmt.Errorf("read row after line %d: %w", t.line, err)
	}
}

// cell returns the cell of a column, empty if the file has no such column.
func (r *namedRow) cell(name string) string {
	i, ok := r.table.index[name]
	if !ok {
		return ""
	}
	return r.record[i]
}
