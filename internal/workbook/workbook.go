package workbook

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/xuri/excelize/v2"

	"tallyman/internal/overview"
)

// The limits of a workbook. A sheet of a spreadsheet ends at row 1,048,576; a workbook with millions of rows opens in no
// spreadsheet that a person has.
const (
	// SheetRows is the most rows of a report file on one sheet; the next ones go on to "Payments 2".
	SheetRows = 500_000
	// MaxRows is the most rows of one report file in a workbook. A file with more is left out as a whole, and its sheet
	// says where it is: part of the rows would be totals that are wrong, and a workbook of so many takes many times
	// longer than all the rest of a report.
	MaxRows = 750_000
)

// Options say how a workbook is made.
type Options struct {
	Merchant string // for the title; may be empty
	Location *time.Location
	// SheetRows and MaxRows are the limits of the same name if they are 0.
	SheetRows, MaxRows int
}

// book is a workbook in the making.
type book struct {
	file     *excelize.File
	options  Options
	overview *overview.Overview
	styles   *styles
	tables   []*table
}

// Write makes the workbook of the report that o was read from. The same report gives the same bytes.
func Write(w io.Writer, o *overview.Overview, options Options) (err error) {
	options.SheetRows, options.MaxRows = cmp.Or(options.SheetRows, SheetRows), cmp.Or(options.MaxRows, MaxRows)
	if options.Location == nil {
		options.Location = time.UTC
	}
	b := &book{file: excelize.NewFile(), options: options, overview: o, styles: &styles{}}
	b.styles.file = b.file
	defer func() { err = errors.Join(err, b.file.Close()) }()
	if err := b.file.SetSheetName("Sheet1", summarySheet); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	for _, f := range files() {
		t, err := b.survey(f)
		if errors.Is(err, os.ErrNotExist) && f.optional {
			continue
		}
		if err != nil {
			return err
		}
		b.tables = append(b.tables, t)
		if err := b.writeTable(t); err != nil {
			return fmt.Errorf("write workbook: sheet %s: %w", f.sheet, err)
		}
	}
	if err := b.writeSummary(); err != nil {
		return fmt.Errorf("write workbook: sheet %s: %w", summarySheet, err)
	}
	if err := b.describe(); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return b.save(w)
}

// describe sets the properties that a file manager and a spreadsheet show. The time is that of the report's period, not of
// the clock: the same report is the same workbook.
func (b *book) describe() error {
	s := b.overview.Summary
	made := cmp.Or(s.To, "2000-01-01T00:00:00Z")
	if t, err := time.Parse(time.RFC3339Nano, made); err == nil {
		made = t.UTC().Format(time.RFC3339)
	}
	title := "Reconciliation " + cmp.Or(s.BusinessDate, "of all events")
	if b.options.Merchant != "" {
		title = b.options.Merchant + ": " + title
	}
	return errors.Join(
		b.file.SetDocProps(&excelize.DocProperties{
			Creator: "tallyman", LastModifiedBy: "tallyman", Created: made, Modified: made, Title: title,
			Subject: "What was owed, what was paid, what is left", Description: "Made from the CSV files and summary.json beside it.",
		}),
		b.file.SetAppProps(&excelize.AppProperties{Application: "tallyman", Company: b.options.Merchant}),
	)
}

// save writes the file with its parts in a fixed order: excelize writes the sheets in that of a map.
func (b *book) save(w io.Writer) error {
	made, err := b.file.WriteToBuffer()
	if err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	parts, err := zip.NewReader(bytes.NewReader(made.Bytes()), int64(made.Len()))
	if err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	slices.SortFunc(parts.File, func(a, b *zip.File) int { return cmp.Compare(a.Name, b.Name) })
	out := zip.NewWriter(w)
	for _, part := range parts.File {
		if err := out.Copy(part); err != nil {
			return fmt.Errorf("write workbook: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return nil
}

// file is one of the report's files, and the sheet that shows it.
type file struct {
	sheet, name string
	optional    bool
}

// The sheets of the files whose rows summary.json counts.
const (
	balancesSheet   = "Balances"
	paymentsSheet   = "Payments"
	exceptionsSheet = "Exceptions"
)

func files() []file {
	return []file{
		{sheet: balancesSheet, name: "balances.csv"},
		{sheet: paymentsSheet, name: "payments.csv"},
		{sheet: exceptionsSheet, name: "exceptions.csv"},
		{sheet: "Changes", name: "changes.csv", optional: true},
	}
}

func (b *book) path(f file) string { return filepath.Join(b.overview.Dir, f.name) }
