package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

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

// readException looks for an exception in an exceptions.csv.
func readException(r io.Reader, id string) (e exception, ok bool, err error) {
	err = formats.ReadExceptions(r, func(row formats.ExceptionRow) error {
		if ok || row.ID != id {
			return nil
		}
		e, ok = exception{
			ID: id, Reason: row.Reason, ExternalReference: row.ExternalReference, CustomerID: row.CustomerID, EventID: row.EventID,
			Currency: row.Currency, Detail: row.Detail,
		}, true
		if row.HasAmount {
			e.Amount = row.Amount.Major(row.Currency)
		}
		return nil
	})
	return e, ok && err == nil, err
}

func isDate(text string) bool {
	_, err := config.ParseDate(text)
	return err == nil
}
