package overview

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"tallyman/formats"
)

// Row is a row of a report's CSV file, with the texts as they were before they were made safe for a spreadsheet.
type Row struct{ columns, cells []string }

// Cell returns the text of a column, "" if the file has no such column.
func (r Row) Cell(column string) string {
	if i := slices.Index(r.columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// Cells returns the cells in the order of the columns.
func (r Row) Cells() []string { return r.cells }

// Columns returns the header of a report's CSV file.
func Columns(path string) (columns []string, err error) {
	err = open(path, func(_ *csv.Reader, header []string) error {
		columns = header
		return nil
	})
	return columns, err
}

// Rows calls each for every row of a report's CSV file, whatever its columns are. The row is valid during the call.
func Rows(path string, each func(Row) error) error {
	return open(path, func(reader *csv.Reader, header []string) error {
		for {
			cells, err := reader.Read()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read row: %w", err)
			}
			for i, cell := range cells {
				cells[i] = formats.Unescape(cell)
			}
			if err := each(Row{header, cells}); err != nil {
				return err
			}
		}
	})
}

// open opens a report's CSV file and reads its header.
func open(path string, read func(r *csv.Reader, header []string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	defer f.Close()
	reader := csv.NewReader(f)
	reader.ReuseRecord = true
	header, err := reader.Read()
	switch {
	case errors.Is(err, io.EOF):
		err = errors.New("the file is empty: not even a header is there")
	case err != nil:
		err = fmt.Errorf("read header: %w", err)
	default:
		err = read(reader, slices.Clone(header))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
