package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

// exception is what decide needs to know of a row of exceptions.csv.
type exception struct {
	ID                string `json:"exception_id"`
	Reason            string `json:"reason"`
	ExternalReference string `json:"external_reference"`
	CustomerID        string `json:"customer_id"`
	EventID           string `json:"event_id"`
	Currency          string `json:"currency"`
	Amount            string `json:"amount"` // major units, as in the report
	Detail            string `json:"detail"`
	Report            string `json:"report"`        // the file that it was found in
	BusinessDate      string `json:"business_date"` // of the report; empty if it has none
}

// findException returns the exception with an id from the newest report below a directory that has it. That there is
// none is wrong usage.
func findException(dir, id string) (exception, error) {
	reports, err := nightly.ReportedExceptions(dir)
	if err != nil {
		return exception{}, err
	}
	var unreadable []error
	for _, path := range reports {
		e, ok, err := exceptionIn(path, id)
		if err != nil {
			unreadable = append(unreadable, fmt.Errorf("%s cannot be read: %w", path, err))
			continue
		}
		if ok {
			return e, nil
		}
	}
	none := fmt.Errorf("there is no exception %q in the %s below %s: take the id from the first column of exceptions.csv", id, count(len(reports), "report"), dir)
	return exception{}, usage(errors.Join(append([]error{none}, unreadable...)...))
}

// exceptionIn looks for an exception in one report.
func exceptionIn(path, id string) (e exception, ok bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return e, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if e, ok, err = readException(f, id); !ok || err != nil {
		return e, false, err
	}
	e.Report = path
	if date := filepath.Base(filepath.Dir(filepath.Dir(path))); isDate(date) {
		e.BusinessDate = date
	}
	return e, true, nil
}

// readException looks for an exception in an exceptions.csv. The file may have been through a spreadsheet: a byte order
// mark, semicolons and another order of columns are all right.
func readException(r io.Reader, id string) (e exception, ok bool, err error) {
	rows, columns, err := openReport(r)
	if err != nil {
		return e, false, err
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return e, false, nil
		}
		if err != nil {
			return e, false, err
		}
		cell := func(name string) string {
			if i, ok := columns[name]; ok && i < len(row) {
				return formats.Unescape(row[i])
			}
			return ""
		}
		if cell("exception_id") != id {
			continue
		}
		return exception{
			ID: id, Reason: cell("reason"), ExternalReference: cell("external_reference"), CustomerID: cell("customer_id"), EventID: cell("event_id"),
			Currency: cell("currency"), Amount: cell("amount"), Detail: cell("detail"),
		}, true, nil
	}
}

func isDate(text string) bool {
	_, err := config.ParseDate(text)
	return err == nil
}

// openReport reads the header of a report file.
func openReport(r io.Reader) (*csv.Reader, map[string]int, error) {
	src := bufio.NewReader(r)
	if mark, _ := src.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = src.Discard(3)
	}
	start, _ := src.Peek(1024)
	line, _, _ := bytes.Cut(start, []byte("\n"))
	rows := csv.NewReader(src)
	rows.FieldsPerRecord = -1
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		rows.Comma = ';'
	}
	header, err := rows.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("read its header: %w", err)
	}
	columns := map[string]int{}
	for i, name := range header {
		columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, name := range []string{"exception_id", "reason"} {
		if _, ok := columns[name]; !ok {
			return nil, nil, fmt.Errorf("its header has no column %s", name)
		}
	}
	return rows, columns, nil
}
