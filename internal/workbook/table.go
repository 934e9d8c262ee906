package workbook

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"tallyman/formats"
	"tallyman/internal/overview"
)

// table is a report file on its sheets.
type table struct {
	file
	columns []string
	kinds   []overview.Kind
	widths  []int // characters of the widest cell of each column
	rows    int
	left    bool    // it has too many rows for a workbook
	sheets  []sheet // one, or more if the rows do not fit
	totals  totals
}

// sheet is one sheet of a table: rows from 2 to last; last is 1 for a table without rows.
type sheet struct {
	name string
	last int
}

// The widths of columns, in characters.
const (
	narrow = 9
	wide   = 60
)

// survey reads a file for what must be known before its first row is written: how wide the columns are, how many rows
// there are.
func (b *book) survey(f file) (*table, error) {
	t := &table{file: f}
	path := b.path(f)
	var err error
	if t.columns, err = overview.Columns(path); err != nil {
		return nil, err
	}
	// What is left out is not read: summary.json knows its number of rows.
	if t.rows = b.printedRows(f); t.rows > b.options.MaxRows {
		t.left = true
		return t, nil
	}
	t.rows = 0
	t.widths = make([]int, len(t.columns))
	for i, name := range t.columns {
		t.kinds = append(t.kinds, overview.KindOf(name))
		t.widths[i] = max(narrow, len(name)+4) // the filter's button stands in the cell
	}
	err = overview.Rows(path, func(r overview.Row) error {
		t.rows++
		if err := t.totals.add(r, t.columns); err != nil {
			return err
		}
		for i, cell := range r.Cells() {
			if len(cell) > t.widths[i] && t.kinds[i] < overview.Date {
				t.widths[i] = min(wide, max(t.widths[i], utf8.RuneCountInString(cell)*9/8+3))
			}
		}
		return nil
	})
	for i, kind := range t.kinds {
		switch kind {
		case overview.Instant:
			t.widths[i] = 21
		case overview.Money:
			t.widths[i] += 4 // grouping
		}
	}
	t.left = t.rows > b.options.MaxRows
	return t, err
}

// printedRows is how many rows a file has according to summary.json; 0 if that does not say.
func (b *book) printedRows(f file) int {
	s, n := b.overview.Summary, int64(0)
	switch f.sheet {
	case balancesSheet:
		for _, t := range s.Customers {
			n += t.Count
		}
	case paymentsSheet:
		for _, t := range s.Events {
			n += t.Count
		}
	case exceptionsSheet:
		for _, t := range s.Exceptions {
			n += t.Count
		}
	}
	return int(n)
}

// writeTable writes the sheets of a table.
func (b *book) writeTable(t *table) error {
	if t.left {
		return b.writeLeft(t)
	}
	var stream *excelize.StreamWriter
	row := 1
	begin := func() (err error) {
		stream, err = b.beginSheet(t)
		row = 1
		return err
	}
	if err := begin(); err != nil {
		return err
	}
	cells := make([]any, len(t.columns))
	err := overview.Rows(b.path(t.file), func(r overview.Row) error {
		if row > b.options.SheetRows {
			if err := b.endSheet(t, stream, row); err != nil {
				return err
			}
			if err := begin(); err != nil {
				return err
			}
		}
		row++
		currency, fill := r.Cell("currency"), severityFill(r.Cell("severity"))
		for i, content := range r.Cells() {
			cell, err := b.cell(t.kindIn(r, i), content, currency, fill)
			if err != nil {
				return err
			}
			cells[i] = cell
		}
		return stream.SetRow(fmt.Sprintf("A%d", row), cells)
	})
	if err != nil {
		return err
	}
	return b.endSheet(t, stream, row)
}

// kindIn tells what a cell of a row holds. The values of Changes are of the figure that the row names.
func (t *table) kindIn(r overview.Row, i int) overview.Kind {
	if t.columns[i] == "old_value" || t.columns[i] == "new_value" {
		return overview.KindOf(r.Cell("figure"))
	}
	return t.kinds[i]
}

// severityFill is the background of an exception; the word stands in the row as well.
func severityFill(severity string) string {
	switch severity {
	case formats.SeverityBreak:
		return alert
	case formats.SeverityNotice:
		return mild
	}
	return ""
}

// beginSheet makes the next sheet of a table, with its header.
func (b *book) beginSheet(t *table) (*excelize.StreamWriter, error) {
	name := t.sheet
	if n := len(t.sheets); n > 0 {
		name = fmt.Sprintf("%s %d", t.sheet, n+1)
	}
	if _, err := b.file.NewSheet(name); err != nil {
		return nil, err
	}
	t.sheets = append(t.sheets, sheet{name: name, last: 1})
	if err := b.layOut(name, t.frozen()); err != nil {
		return nil, err
	}
	stream, err := b.file.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	for i, width := range t.widths {
		if err := stream.SetColWidth(i+1, i+1, float64(width)); err != nil { // characters, no money
			return nil, err
		}
	}
	// The header stays, and so do the columns up to the customer's own reference.
	if err := stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, XSplit: t.frozen(), TopLeftCell: topLeft(t.frozen()), ActivePane: "bottomRight"}); err != nil {
		return nil, err
	}
	header := make([]any, len(t.columns))
	for i, column := range t.columns {
		style, err := b.styles.of(look{bold: true, fill: accent, color: "FFFFFF", format: "@", size: 11, right: t.kinds[i] == overview.Money})
		if err != nil {
			return nil, err
		}
		header[i] = excelize.Cell{StyleID: style, Value: column}
	}
	return stream, stream.SetRow("A1", header, excelize.RowOpts{Height: 20})
}

// frozen is how many columns stay when one scrolls to the right: those up to the first identifier.
func (t *table) frozen() int {
	for i, name := range t.columns {
		if name == "external_reference" && i < 3 || name == "event_id" && i < 3 || name == "exception_id" {
			return i + 1
		}
	}
	return 1
}

func topLeft(frozen int) string {
	name, _ := excelize.CoordinatesToCellName(frozen+1, 2)
	return name
}

// endSheet ends the sheet whose last row has been written.
func (b *book) endSheet(t *table, stream *excelize.StreamWriter, last int) error {
	s := &t.sheets[len(t.sheets)-1]
	s.last = last
	corner, err := excelize.CoordinatesToCellName(len(t.columns), max(last, 2))
	if err != nil {
		return err
	}
	if err := b.file.AutoFilter(s.name, "A1:"+corner, nil); err != nil {
		return err
	}
	return stream.Flush()
}

// writeLeft writes the sheet of a table that is too large: it says where the rows are.
func (b *book) writeLeft(t *table) error {
	if _, err := b.file.NewSheet(t.sheet); err != nil {
		return err
	}
	t.sheets = []sheet{{name: t.sheet, last: 1}}
	style, err := b.styles.of(look{bold: true, format: "@"})
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%s has %d rows, more than a workbook holds well: open %s beside this workbook.", t.sheet, t.rows, t.name)
	return errors.Join(
		b.file.SetCellStr(t.sheet, "A1", note),
		b.file.SetCellStyle(t.sheet, "A1", "A1", style),
		b.layOut(t.sheet, 0),
	)
}
