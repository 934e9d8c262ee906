package nightly

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"tallyman/formats"
)

// readComments reads what analysts wrote into an earlier exceptions.csv. Not to have one is nothing special.
func readComments(path string) (map[string]formats.Comment, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	defer f.Close()
	comments, err := formats.ReadComments(f)
	if err != nil {
		return nil, fmt.Errorf("read comments in %s: %w", path, err)
	}
	return comments, nil
}

// returnedComments reads a file that an analyst has sent back, an exceptions.csv or the workbook, over what the last report
// says. Unlike that one it was asked for, so that it cannot be read is wrong usage.
func returnedComments(last map[string]formats.Comment, path string) (map[string]formats.Comment, error) {
	if path == "" {
		return last, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &InputError{fmt.Errorf("read comments: %w: check --comments", err)}
	}
	var src io.Reader = bytes.NewReader(text)
	if strings.EqualFold(filepath.Ext(path), ".xlsx") {
		if src, err = commentSheet(text); err != nil {
			return nil, &InputError{fmt.Errorf("read comments in %s: %w", path, err)}
		}
	}
	returned, err := formats.ReadComments(src)
	if err != nil {
		return nil, &InputError{fmt.Errorf("read comments in %s: %w", path, err)}
	}
	all := maps.Clone(last)
	if all == nil {
		all = map[string]formats.Comment{}
	}
	maps.Copy(all, returned)
	return all, nil
}

// commentSheet finds the sheet of a workbook that has a row with exception_id, and returns it from there on as CSV. Its
// cells are plain text: what a CSV file must make safe is safe in a workbook, so it is escaped here for the reader of CSV.
func commentSheet(text []byte) (_ io.Reader, err error) {
	book, err := excelize.OpenReader(bytes.NewReader(text), excelize.Options{UnzipSizeLimit: 1 << 30})
	if err != nil {
		return nil, fmt.Errorf("it is no workbook: %w", err)
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	for _, sheet := range book.GetSheetList() {
		rows, err := book.GetRows(sheet)
		if err != nil {
			return nil, fmt.Errorf("sheet %s: %w", sheet, err)
		}
		first := slices.IndexFunc(rows, func(row []string) bool {
			return slices.ContainsFunc(row, func(cell string) bool { return strings.EqualFold(strings.TrimSpace(cell), "exception_id") })
		})
		if first < 0 {
			continue
		}
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		width := len(rows[first])
		for _, row := range rows[first:] {
			cells := make([]string, width)
			for i := range min(width, len(row)) {
				cells[i] = formats.Escape(row[i])
			}
			if err := w.Write(cells); err != nil {
				return nil, err
			}
		}
		w.Flush()
		return &out, w.Error()
	}
	return nil, errors.New("no sheet has a column exception_id: send the sheet Exceptions back")
}
