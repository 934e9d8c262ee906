package formats

import (
	"errors"
	"io"
)

// ReportReader reads columns of a report file that tallyman wrote: balances.csv, payments.csv and their like.
type ReportReader struct {
	table   *namedColumns
	columns []string
	cells   []string
}

// NewReportReader reads the header. The file must have all the columns; one that has not, or is no CSV, is a *FileError.
func NewReportReader(r io.Reader, columns ...string) (*ReportReader, error) {
	table, err := openNamedColumns(r, columns, nil)
	if err != nil {
		return nil, err
	}
	return &ReportReader{table: table, columns: columns, cells: make([]string, len(columns))}, nil
}

// Next returns the cells of the columns in the next row, as they were before they were made safe for a spreadsheet, or
// io.EOF. The slice is valid until the next call, the texts in it for good.
func (r *ReportReader) Next() ([]string, error) {
	row, err := r.table.next()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, err
	}
	for i, column := range r.columns {
		r.cells[i] = Unescape(row.cell(column))
	}
	return r.cells, nil
}
