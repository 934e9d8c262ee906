package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Run is one execution of a command that changes something.
type Run struct {
	ID           string
	Command      string
	BusinessDate string
	StartedAt    time.Time
	EndedAt      time.Time // zero: still running, or killed
	ExitCode     int       // meaningful once ended
	Summary      string    // JSON
}

// StartRun records that a run began.
func (l *Ledger) StartRun(ctx context.Context, r Run) error {
	return l.transaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO runs (id, command, business_date, started_at) VALUES ($1, $2, $3, $4)`, r.ID, r.Command, r.BusinessDate, micros(r.StartedAt))
		return err
	})
}

// EndRun records how a run ended.
func (l *Ledger) EndRun(ctx context.Context, r Run) error {
	return l.transaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET ended_at = $2, exit_code = $3, summary = $4, business_date = $5 WHERE id = $1`,
			r.ID, micros(r.EndedAt), r.ExitCode, r.Summary, r.BusinessDate)
		return err
	})
}

// Runs returns the last runs, newest first.
func (l *Ledger) Runs(ctx context.Context, limit int) ([]Run, error) {
	found, err := l.read.QueryContext(ctx, selectRun+` ORDER BY started_at DESC, id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read runs from the ledger: %w", err)
	}
	defer found.Close()
	var runs []Run
	for found.Next() {
		r, err := scanRun(found)
		if err != nil {
			return nil, fmt.Errorf("read runs from the ledger: %w", err)
		}
		runs = append(runs, r)
	}
	return runs, found.Err()
}

// FindRun returns a run by its id; ok is false if there is none.
func (l *Ledger) FindRun(ctx context.Context, id string) (r Run, ok bool, err error) {
	r, err = scanRun(l.read.QueryRowContext(ctx, selectRun+` WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, false, nil
	}
	if err != nil {
		return Run{}, false, fmt.Errorf("read runs from the ledger: %w", err)
	}
	return r, true, nil
}

const selectRun = `SELECT id, command, business_date, started_at, coalesce(ended_at, 0), coalesce(exit_code, 0), summary FROM runs`

func scanRun(row scanner) (Run, error) {
	var r Run
	var started, ended int64
	err := row.Scan(&r.ID, &r.Command, &r.BusinessDate, &started, &ended, &r.ExitCode, &r.Summary)
	r.StartedAt, r.EndedAt = fromMicros(started), fromMicros(ended)
	return r, err
}

// Decision is what a person decided about a held event.
type Decision struct {
	ExceptionID string
	Decision    string // apply or drop
	Reason      string
	By          string // who decided; empty for decisions made before that was asked
	DecidedAt   time.Time
}

// Decide records a decision; a later one for the same exception replaces it.
func (l *Ledger) Decide(ctx context.Context, d Decision) error {
	return l.transaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO decisions (exception_id, decision, reason, decided_at, decided_by) VALUES ($1, $2, $3, $4, $5)`,
			d.ExceptionID, d.Decision, d.Reason, micros(d.DecidedAt), d.By)
		return err
	})
}

// Decisions returns all decisions by exception id.
func (l *Ledger) Decisions(ctx context.Context) (map[string]Decision, error) {
	found, err := l.read.QueryContext(ctx, `SELECT exception_id, decision, reason, decided_at, decided_by FROM decisions`)
	if err != nil {
		return nil, fmt.Errorf("read decisions from the ledger: %w", err)
	}
	defer found.Close()
	decisions := map[string]Decision{}
	for found.Next() {
		var d Decision
		var at int64
		if err := found.Scan(&d.ExceptionID, &d.Decision, &d.Reason, &at, &d.By); err != nil {
			return nil, fmt.Errorf("read decisions from the ledger: %w", err)
		}
		d.DecidedAt = fromMicros(at)
		decisions[d.ExceptionID] = d
	}
	return decisions, found.Err()
}
