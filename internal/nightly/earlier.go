package nightly

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tallyman/formats"
	"tallyman/internal/config"
)

// earlierReport is a report that was written before.
type earlierReport struct {
	dir        string
	summary    formats.Summary
	sha256     string // of summary.json
	exceptions []formats.ExceptionRow
}

// run is the name by which a report is called: that of its directory.
func (e *earlierReport) run() string { return filepath.Base(e.dir) }

// readEarlier reads what a new report needs of an earlier one.
func readEarlier(dir string) (*earlierReport, error) {
	e := &earlierReport{dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		return nil, fmt.Errorf("read the earlier report: %w", err)
	}
	if err := json.Unmarshal(text, &e.summary); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, "summary.json"), err)
	}
	sum := sha256.Sum256(text)
	e.sha256 = hex.EncodeToString(sum[:])
	path := filepath.Join(dir, "exceptions.csv")
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the earlier report: %w", err)
	}
	defer f.Close()
	err = formats.ReadExceptions(f, func(row formats.ExceptionRow) error {
		e.exceptions = append(e.exceptions, row)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return e, nil
}

// earlierReports are those that a new one goes on from.
type earlierReports struct {
	same   *earlierReport // of the same business date, the last one; nil if there is none
	older  *earlierReport // that same goes on from
	before *earlierReport // of the last business date before, the last one
}

// findEarlier looks for the reports that a new one in the directory out goes on from. What cannot be read is no earlier
// report, and is among the problems.
func findEarlier(q ReportRequest) (found earlierReports, problems error) {
	read := func(dir string) *earlierReport {
		e, err := readEarlier(dir)
		if err != nil {
			problems = errors.Join(problems, err)
			return nil
		}
		return e
	}
	if q.PreviousDir != "" {
		found.same = read(q.PreviousDir)
		return found, problems
	}
	if q.Reports == "" || q.Date == "" {
		return found, nil
	}
	paths, err := ReportedExceptions(q.Reports)
	if err != nil {
		return found, err
	}
	var before, latest string
	for _, path := range paths { // the newest first
		dir := filepath.Dir(path)
		date := filepath.Base(filepath.Dir(dir))
		if _, err := config.ParseDate(date); err != nil || sameDir(dir, q.Out) {
			continue
		}
		switch {
		case date == q.Date && found.same == nil:
			if found.same = read(dir); found.same != nil && !q.covers(found.same.summary) {
				found.same = nil // of another period that ends on the same date
			}
		case date < q.Date && date > latest:
			before, latest = dir, date
		}
	}
	if before != "" {
		found.before = read(before)
	}
	if found.same != nil && found.same.summary.Previous != nil {
		found.older = read(filepath.Join(filepath.Dir(found.same.dir), filepath.Base(found.same.summary.Previous.Run)))
	}
	return found, problems
}

// covers reports whether an earlier report has the period that is asked for.
func (q ReportRequest) covers(s formats.Summary) bool {
	from, errFrom := time.Parse(time.RFC3339Nano, s.From)
	to, errTo := time.Parse(time.RFC3339Nano, s.To)
	return errFrom == nil && errTo == nil && from.Equal(q.From) && to.Equal(q.To)
}

func sameDir(a, b string) bool {
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errA == nil && errB == nil && a == b
}

// watch are the ids of exceptions that may be open still.
func (e *earlierReports) watch() []string {
	var ids []string
	for _, report := range []*earlierReport{e.same, e.older, e.before} {
		if report == nil {
			continue
		}
		for _, row := range report.exceptions {
			if row.Severity == formats.SeverityBreak {
				ids = append(ids, row.ID)
			}
		}
	}
	return ids
}

// exceptionsAfter are the exceptions to go on from: those of a report of the same date, else those of the date before.
func (e *earlierReports) exceptionsAfter(previous *earlierReport) []formats.ExceptionRow {
	switch {
	case previous != nil:
		return previous.exceptions
	case e.before != nil:
		return e.before.exceptions
	default:
		return nil
	}
}

// drifted are the customers whose balances drifted when they were compared last.
func (e *earlierReports) drifted() []string {
	var ids []string
	for _, row := range e.exceptionsAfter(e.same) {
		if row.Reason == formats.ReasonBalanceDrift && row.Severity == formats.SeverityBreak {
			ids = append(ids, row.CustomerID)
		}
	}
	return ids
}

// hashFile returns the SHA-256 of a file, empty if it cannot be read: what is not there is compared too.
func hashFile(path string) string {
	sum, err := sha256Of(path)
	if err != nil {
		return ""
	}
	return sum
}
