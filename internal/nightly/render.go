package nightly

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/overview"
	"tallyman/internal/page"
	"tallyman/internal/workbook"
)

// The files that are made of the machine files, for people.
const (
	WorkbookFile = "report.xlsx"
	PageFile     = "report.html"
	excelSuffix  = ".excel.csv"
)

// Rendering says what is made of a report's machine files for people. The zero value makes nothing.
type Rendering struct {
	Merchant string // for titles; may be empty
	Workbook bool
	Page     bool
	Excel    ExcelCSV
	// Written, if set, is the time that a report goes on record with, so that it can be signed; it needs the ledger.
	Written func() time.Time
}

// EveryFormat makes whatever needs no configuration.
func EveryFormat() Rendering { return Rendering{Workbook: true, Page: true} }

// RenderingOf says what the configuration wants made.
func RenderingOf(cfg *config.Config, now func() time.Time) Rendering {
	r := cfg.Reports
	return Rendering{
		Merchant: cfg.Merchant, Workbook: slices.Contains(r.Formats, "xlsx"), Page: slices.Contains(r.Formats, "html"),
		Excel: ExcelCSV{Separator: sign(r.ExcelCSV.Separator), Decimal: r.ExcelCSV.Decimal}, Written: now,
	}
}

// render makes the files for people, and puts the report on record. What an earlier report in the same directory had and
// this one has not is removed: it would not agree.
func (r *Reporter) render(ctx context.Context, report *Report) error {
	o, err := overview.ReadBeside(report.Dir, report.balances)
	if err != nil {
		return err
	}
	if report.Signed, err = r.signed(ctx, o); err != nil {
		return err
	}
	o.Signed = report.Signed
	report.Reasons = o.Reasons()
	made := r.Rendering
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{WorkbookFile, made.workbook(o, r.Calendar.Location())},
		{PageFile, made.page(o, r.Calendar.Location())},
	} {
		path := filepath.Join(report.Dir, f.name)
		if f.write == nil {
			if err := removeStale(path); err != nil {
				return err
			}
			continue
		}
		if err := report.file(path, f.write); err != nil {
			return err
		}
		report.Files = append(report.Files, f.name)
	}
	if err := r.excel(report); err != nil {
		return err
	}
	return r.record(ctx, report, o)
}

func (made Rendering) workbook(o *overview.Overview, zone *time.Location) func(io.Writer) error {
	if !made.Workbook {
		return nil
	}
	return func(w io.Writer) error {
		return workbook.Write(w, o, workbook.Options{Merchant: made.Merchant, Location: zone})
	}
}

func (made Rendering) page(o *overview.Overview, zone *time.Location) func(io.Writer) error {
	if !made.Page {
		return nil
	}
	return func(w io.Writer) error {
		return page.Write(w, o, page.Options{Merchant: made.Merchant, Location: zone})
	}
}

func removeStale(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what an earlier report left: %w", err)
	}
	return nil
}

// excel makes the *.excel.csv beside each CSV file.
func (r *Reporter) excel(report *Report) error {
	for _, name := range slices.Clone(report.Files) {
		base, ok := strings.CutSuffix(name, ".csv")
		if !ok {
			continue
		}
		excel := base + excelSuffix
		path := filepath.Join(report.Dir, excel)
		if r.Rendering.Excel.Separator == 0 {
			if err := removeStale(path); err != nil {
				return err
			}
			continue
		}
		err := report.file(path, func(w io.Writer) error {
			return r.Rendering.Excel.write(w, filepath.Join(report.Dir, name), cmp.Or(r.Calendar.Location(), time.UTC))
		})
		if err != nil {
			return err
		}
		report.Files = append(report.Files, excel)
	}
	return nil
}
