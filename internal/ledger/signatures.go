package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// WrittenReport is a report as it was written.
type WrittenReport struct {
	ID           int64
	Name         string // of its directory: a run id, unless another one was asked for
	BusinessDate string // YYYY-MM-DD, or empty
	Period       string // "from/to"; reports of the same period can be compared
	Files        []ReportFile
	Figures      []Figure
	WrittenAt    time.Time
}

// ReportFile is one file of a report.
type ReportFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Figure is one figure that is signed for: a control total, a count, or the hash of the customers' positions.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Signature is what a person signed.
type Signature struct {
	Report   WrittenReport
	By, Note string
	SignedAt time.Time
}

// RecordReport puts a written report on record.
func (l *Ledger) RecordReport(ctx context.Context, r WrittenReport) error {
	files, err := json.Marshal(r.Files)
	if err != nil {
		return fmt.Errorf("record report: %w", err)
	}
	figures, err := json.Marshal(r.Figures)
	if err != nil {
		return fmt.Errorf("record report: %w", err)
	}
	return l.transaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO reports (name, business_date, period, files, figures, written_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			r.Name, r.BusinessDate, r.Period, string(files), string(figures), micros(r.WrittenAt))
		return err
	})
}

const selectReport = `SELECT r.id, r.name, r.business_date, r.period, r.files, r.figures, r.written_at`

// ReportsNamed returns the reports that were written into a directory of this name, newest first.
func (l *Ledger) ReportsNamed(ctx context.Context, name string) ([]WrittenReport, error) {
	found, err := l.read.QueryContext(ctx, selectReport+` FROM reports r WHERE name = $1 ORDER BY id DESC`, name)
	if err != nil {
		return nil, fmt.Errorf("read reports from the ledger: %w", err)
	}
	defer found.Close()
	var list []WrittenReport
	for found.Next() {
		var r WrittenReport
		if err := scanReport(found, &r); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, found.Err()
}

// LatestReport returns the report of a period that was written last; ok is false if there is none.
func (l *Ledger) LatestReport(ctx context.Context, period string) (r WrittenReport, ok bool, err error) {
	err = scanReport(l.read.QueryRowContext(ctx, selectReport+` FROM reports r WHERE period = $1 ORDER BY id DESC LIMIT 1`, period), &r)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// Sign puts a signature under a report on record. Report needs only its ID.
func (l *Ledger) Sign(ctx context.Context, s Signature) error {
	return l.transaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO signatures (report_id, signer, note, signed_at) VALUES ($1, $2, $3, $4)`,
			s.Report.ID, s.By, s.Note, micros(s.SignedAt))
		return err
	})
}

// Signatures returns the last signature of each period, the latest date first; or, with a period, of that one alone.
func (l *Ledger) Signatures(ctx context.Context, period string) ([]Signature, error) {
	found, err := l.read.QueryContext(ctx, selectReport+`, s.signer, s.note, s.signed_at FROM signatures s JOIN reports r ON r.id = s.report_id
		WHERE s.id IN (SELECT max(s.id) FROM signatures s JOIN reports r ON r.id = s.report_id WHERE $1 = '' OR r.period = $1 GROUP BY r.period)
		ORDER BY r.business_date DESC, s.id DESC`, period)
	if err != nil {
		return nil, fmt.Errorf("read signatures from the ledger: %w", err)
	}
	defer found.Close()
	var list []Signature
	for found.Next() {
		var s Signature
		var at int64
		if err := scanReport(found, &s.Report, &s.By, &s.Note, &at); err != nil {
			return nil, err
		}
		s.SignedAt = fromMicros(at)
		list = append(list, s)
	}
	return list, found.Err()
}

// SignedReports returns the names of the reports that anybody ever signed.
func (l *Ledger) SignedReports(ctx context.Context) ([]string, error) {
	found, err := l.read.QueryContext(ctx, `SELECT DISTINCT r.name FROM signatures s JOIN reports r ON r.id = s.report_id ORDER BY r.name`)
	if err != nil {
		return nil, fmt.Errorf("read signatures from the ledger: %w", err)
	}
	defer found.Close()
	var names []string
	for found.Next() {
		var name string
		if err := found.Scan(&name); err != nil {
			return nil, fmt.Errorf("read signatures from the ledger: %w", err)
		}
		names = append(names, name)
	}
	return names, found.Err()
}

// scanReport reads the columns of selectReport, and more.
func scanReport(row scanner, r *WrittenReport, more ...any) error {
	var files, figures string
	var at int64
	if err := row.Scan(append([]any{&r.ID, &r.Name, &r.BusinessDate, &r.Period, &files, &figures, &at}, more...)...); err != nil {
		return fmt.Errorf("read reports from the ledger: %w", err)
	}
	r.WrittenAt = fromMicros(at)
	if err := errors.Join(json.Unmarshal([]byte(files), &r.Files), json.Unmarshal([]byte(figures), &r.Figures)); err != nil {
		return fmt.Errorf("read reports from the ledger: %w", err)
	}
	return nil
}
