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

// ReportRows are the rows of a stretch of a report file; see EachReportStretch.
type ReportRows struct{ rows *tableRows }

// Next goes to the next row of the stretch, and reports false if there is none.
func (r *ReportRows) Next() bool { return r.rows.next() }

// Cells returns the cells of the columns, as they were before they were made safe for a spreadsheet. The slice is valid
// until the next row, the texts in it for good.
func (r *ReportRows) Cells() []string {
	for i, cell := range r.rows.cells {
		r.rows.cells[i] = Unescape(cell)
	}
	return r.rows.cells
}

// EachReportStretch reads columns of a report file on all processors: of each stretch of its rows, work makes something,
// and take gets what was made, one after the other, in the order of the file. How the rows are divided into stretches
// depends on the machine, so what comes of them all must not. The first error ends it; the errors of the file are those
// of NewReportReader and ReportReader.Next.
func EachReportStretch[T any](r io.Reader, columns []string, work func(*ReportRows) (T, error), take func(T) error) error {
	table, err := openNamedColumns(r, columns, nil)
	if err != nil {
		return err
	}
	return eachStretch(table, columns, func(rows *tableRows) (T, error) { return work(&ReportRows{rows}) }, take)
}
