package workbook_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"tallyman/internal/overview"
	"tallyman/internal/reporttest"
	"tallyman/internal/workbook"
)

func zone(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Africa/Johannesburg")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// write makes the workbook of a report.
func write(t *testing.T, dir string, o workbook.Options) []byte {
	t.Helper()
	view, err := overview.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	o.Merchant, o.Location = "acme", zone(t)
	var b bytes.Buffer
	if err := workbook.Write(&b, view, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t *testing.T, book []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(book))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// csvRows returns the rows of a report file as they were before they were escaped, the header first.
func csvRows(t *testing.T, path string) [][]string {
	t.Helper()
	columns, err := overview.Columns(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]string{columns}
	err = overview.Rows(path, func(r overview.Row) error {
		rows = append(rows, append([]string(nil), r.Cells()...))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Every cell holds what the CSV file says: text as text, numbers as the same decimal, times on the wall of the zone.
func TestCells(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 60})
	f := open(t, write(t, dir, workbook.Options{}))
	for sheet, file := range map[string]string{"Balances": "balances.csv", "Payments": "payments.csv", "Exceptions": "exceptions.csv", "Changes": "changes.csv"} {
		rows := csvRows(t, dir+"/"+file)
		for i, row := range rows {
			for j, want := range row {
				at, _ := excelize.CoordinatesToCellName(j+1, i+1)
				got, err := f.GetCellValue(sheet, at, excelize.Options{RawCellValue: true})
				if err != nil {
					t.Fatal(err)
				}
				kind := overview.KindOf(rows[0][j])
				if i == 0 {
					kind = overview.Text
				}
				if err := same(t, f, sheet, at, kind, want, got); err != nil {
					t.Errorf("%s %s (%s): %v", sheet, at, rows[0][j], err)
				}
			}
		}
	}
}

func same(t *testing.T, f *excelize.File, sheet, at string, kind overview.Kind, want, got string) error {
	if want == "" && got == "" {
		return nil
	}
	cellType, err := f.GetCellType(sheet, at)
	if err != nil {
		return err
	}
	isText := cellType == excelize.CellTypeInlineString || cellType == excelize.CellTypeSharedString
	switch kind {
	case overview.Money, overview.Count:
		a, errA := overview.ParseDecimal(want)
		b, errB := overview.ParseDecimal(padded(got, want))
		if isText || errA != nil || errB != nil || a.Cmp(b) != 0 {
			return fmt.Errorf("%q is shown as %q (type %v)", want, got, cellType)
		}
	case overview.Date, overview.Instant:
		shown, err := f.GetCellValue(sheet, at)
		if err != nil {
			return err
		}
		at := want
		if kind == overview.Instant {
			instant, err := time.Parse(time.RFC3339Nano, want)
			if err != nil {
				return err
			}
			at = instant.In(zone(t)).Format(time.DateTime)
		}
		if isText || shown != at {
			return fmt.Errorf("%q is shown as %q (type %v)", at, shown, cellType)
		}
	default:
		if formula, err := f.GetCellFormula(sheet, at); err != nil || formula != "" {
			return fmt.Errorf("it is a formula: %q, %v", formula, err)
		}
		if got != want || !isText {
			return fmt.Errorf("%q is shown as %q (type %v)", want, got, cellType)
		}
	}
	return nil
}

// padded writes a number with as many decimals as another one: a spreadsheet leaves zeros at the end out.
func padded(number, like string) string {
	_, fraction, point := strings.Cut(like, ".")
	whole, kept, _ := strings.Cut(number, ".")
	if !point {
		return number
	}
	return whole + "." + kept + strings.Repeat("0", max(0, len(fraction)-len(kept)))
}

// The number formats are those of the currencies.
func TestMoneyFormats(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 9, Quiet: true})
	f := open(t, write(t, dir, workbook.Options{}))
	for i, row := range csvRows(t, dir+"/balances.csv")[1:] {
		want := map[string]string{"ZAR": "#,##0.00", "JPY": "#,##0", "BHD": "#,##0.000"}[row[4]]
		id, err := f.GetCellStyle("Balances", fmt.Sprintf("I%d", i+2))
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		if style.CustomNumFmt == nil || *style.CustomNumFmt != want {
			t.Errorf("%s: %v", row[4], style.CustomNumFmt)
		}
	}
}

// An amount that a spreadsheet would round stays as it is printed.
func TestAmountsThatAreTooLong(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 6, Quiet: true})
	reporttest.Replace(t, dir, "balances.csv", ",100.00,", ",92233720368547758.07,")
	f := open(t, write(t, dir, workbook.Options{}))
	found := false
	for i, row := range csvRows(t, dir+"/balances.csv") {
		for j, cell := range row {
			if cell != "92233720368547758.07" {
				continue
			}
			at, _ := excelize.CoordinatesToCellName(j+1, i+1)
			got, err := f.GetCellValue("Balances", at)
			if err != nil || got != cell {
				t.Errorf("%s is %q, %v", at, got, err)
			}
			found = true
		}
	}
	if !found {
		t.Error("there is none")
	}
}

// The same report is the same file.
func TestSameBytes(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 40})
	first := write(t, dir, workbook.Options{SheetRows: 10})
	for range 5 {
		if !bytes.Equal(first, write(t, dir, workbook.Options{SheetRows: 10})) {
			t.Fatal("the bytes differ")
		}
	}
}

// A full sheet goes on as another one, and the totals are over all of them.
func TestSheetsThatAreFull(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 45})
	f := open(t, write(t, dir, workbook.Options{SheetRows: 20}))
	for sheet, want := range map[string]int{"Balances": 21, "Balances 2": 21, "Balances 3": 6} {
		rows, err := f.GetRows(sheet)
		if err != nil || len(rows) != want || rows[0][0] != "business_date" {
			t.Errorf("%s has %d rows, %v", sheet, len(rows), err)
		}
	}
	checkSummary(t, f)
}

// Rows that are too many for a workbook are left out as a whole, and the sheet says where they are.
func TestRowsThatAreTooMany(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 45})
	f := open(t, write(t, dir, workbook.Options{MaxRows: 44}))
	got, err := f.GetCellValue("Balances", "A1")
	if err != nil || !strings.Contains(got, "45 rows") || !strings.Contains(got, "balances.csv") {
		t.Errorf("%q, %v", got, err)
	}
	checkSummary(t, f)
}

// A file that is left out is not even read, and the summary says so instead of comparing it.
func TestLeftOutIsNotRead(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 45})
	o, err := overview.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"balances.csv", "payments.csv", "exceptions.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("currency,amount\nZAR,no amount\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := workbook.Write(&out, o, workbook.Options{MaxRows: 1}); err != nil {
		t.Fatal(err)
	}
	f := open(t, out.Bytes())
	rows, err := f.GetRows("Summary")
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, row := range rows {
		if len(row) > 4 && row[4] == "left out" {
			left++
		}
	}
	if want := len(o.Summary.Customers) + len(o.Summary.Events) + len(o.Summary.Exceptions); left != want {
		t.Errorf("%d lines of the summary say so, want %d", left, want)
	}
}

// A long text goes on in the next row, so that it can be read on the screen and a printed page is not made as wide as it.
func TestLongTexts(t *testing.T) {
	view, err := overview.Read(reporttest.Write(t, reporttest.Options{Customers: 5}))
	if err != nil {
		t.Fatal(err)
	}
	view.Signed = &overview.Signed{By: "T. Nkosi"}
	for i := range 20 {
		view.Signed.Moved = append(view.Signed.Moved, overview.Moved{Figure: fmt.Sprintf("figure %d", i), Signed: "23589.27", Now: "28257.18"})
	}
	var b bytes.Buffer
	if err := workbook.Write(&b, view, workbook.Options{Merchant: "acme", Location: zone(t)}); err != nil {
		t.Fatal(err)
	}
	rows, err := open(t, b.Bytes()).GetRows("Summary")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, row := range rows {
		if len(row) == 0 {
			continue
		}
		if utf8.RuneCountInString(row[0]) > 140 {
			t.Errorf("one line of %d characters: %s", len(row[0]), row[0])
		}
		all = append(all, strings.Fields(row[0])...)
	}
	if want := view.Signed.Story() + "."; !strings.Contains(strings.Join(all, " "), want) {
		t.Errorf("not in the summary: %s", want)
	}
}

// checkSummary calculates every check of the summary anew.
func checkSummary(t *testing.T, f *excelize.File) {
	t.Helper()
	rows, err := f.GetRows("Summary")
	if err != nil {
		t.Fatal(err)
	}
	checks, formulas := 0, 0
	for i, row := range rows {
		if len(row) < 8 || !strings.Contains(row[7], "✔") && !strings.Contains(row[7], "✘") {
			continue
		}
		checks++
		at := fmt.Sprintf("H%d", i+1)
		if formula, _ := f.GetCellFormula("Summary", at); formula != "" {
			formulas++
			got, err := f.CalcCellValue("Summary", at)
			if err != nil || got != row[7] {
				t.Errorf("%s says %q and comes to %q: %v", at, row[7], got, err)
			}
		}
		if row[7] != "✔ agrees" {
			t.Errorf("row %d: %q", i+1, row)
		}
	}
	if checks < 10 || formulas < 5 {
		t.Errorf("%d checks, %d of them formulas", checks, formulas)
	}
}

// A workbook is ours, frozen below the header, and filtered.
func TestProperties(t *testing.T) {
	f := open(t, write(t, reporttest.Write(t, reporttest.Options{Customers: 5}), workbook.Options{}))
	props, err := f.GetDocProps()
	if err != nil || props.Creator != "tallyman" || props.Title != "acme: Reconciliation 2026-11-22" || props.Created != "2026-11-22T22:00:00Z" {
		t.Errorf("%+v, %v", props, err)
	}
	app, err := f.GetAppProps()
	if err != nil || app.Application != "tallyman" || app.Company != "acme" {
		t.Errorf("%+v, %v", app, err)
	}
	for _, sheet := range []string{"Balances", "Payments", "Exceptions", "Changes"} {
		panes, err := f.GetPanes(sheet)
		if err != nil || !panes.Freeze || panes.YSplit != 1 {
			t.Errorf("%s: %+v, %v", sheet, panes, err)
		}
	}
	filters := 0
	for _, name := range f.GetDefinedName() {
		if name.Name == "_xlnm._FilterDatabase" {
			filters++
		}
	}
	if filters != 4 {
		t.Errorf("%d filters", filters)
	}
}

// BenchmarkWrite makes the workbook of 100,000 customers, with half as many payments and more.
func BenchmarkWrite(b *testing.B) {
	o, err := overview.Read(reporttest.Write(b, reporttest.Options{Customers: 100_000}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := workbook.Write(io.Discard, o, workbook.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
