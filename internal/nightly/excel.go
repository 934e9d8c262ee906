package nightly

import (
	"encoding/csv"
	"io"
	"strings"
	"time"

	"tallyman/formats"
	"tallyman/internal/overview"
)

// ExcelCSV is how a spreadsheet of some country reads CSV files when they are opened by a double click. Without a
// separator none are made.
type ExcelCSV struct {
	Separator rune
	Decimal   string // "." or ","
}

// write makes the rendering of one CSV file: a byte order mark, so that it is read as UTF-8; the separator and decimal mark;
// times in the report's zone; and identifiers that the spreadsheet can take for nothing but text.
func (e ExcelCSV) write(w io.Writer, path string, zone *time.Location) error {
	columns, err := overview.Columns(path)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = e.Separator, true
	if err := out.Write(columns); err != nil {
		return err
	}
	row := make([]string, len(columns))
	err = overview.Rows(path, func(r overview.Row) error {
		for i, cell := range r.Cells() {
			row[i] = e.cell(overview.KindOf(columns[i]), cell, zone)
		}
		return out.Write(row)
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

func (e ExcelCSV) cell(kind overview.Kind, cell string, zone *time.Location) string {
	switch kind {
	case overview.Money:
		return strings.Replace(cell, ".", e.Decimal, 1)
	case overview.Count, overview.Date:
		return cell
	case overview.Instant:
		if t, err := time.Parse(time.RFC3339Nano, cell); err == nil {
			return t.In(zone).Format(time.DateTime)
		}
	case overview.ID:
		return asText(cell)
	}
	if cell != "" && strings.IndexByte("0123456789.", cell[0]) >= 0 {
		return asText(cell)
	}
	return formats.Escape(cell)
}

// asText writes a cell as a formula whose value is the text: without it a spreadsheet would make a number of 0042, round a
// number of 16 digits, and make a date of SEP-2. Text that a formula cannot hold is escaped instead.
func asText(cell string) string {
	if cell == "" {
		return ""
	}
	if len(cell) > 255 || strings.ContainsAny(cell, "\r\n\t\x00") {
		return formats.Escape(cell)
	}
	return `="` + strings.ReplaceAll(cell, `"`, `""`) + `"`
}
