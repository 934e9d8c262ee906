package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"testing"
)

var errInjected = errors.New("injected")

// faults lets one of the calls to SQLite fail.
type faults struct {
	mu     sync.Mutex
	failAt int // number of the call that fails; 0 for none
	calls  int
	rest   bool // no call counts or fails
}

// arm begins to count anew.
func (f *faults) arm(failAt int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failAt, f.calls, f.rest = failAt, 0, false
}

// disarm lets all calls succeed and returns how many there were.
func (f *faults) disarm() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rest = true
	return f.calls
}

func (f *faults) step() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rest {
		return nil
	}
	if f.calls++; f.calls == f.failAt {
		return errInjected
	}
	return nil
}

// openFaulty opens a ledger whose calls to SQLite can be made to fail.
func openFaulty(t *testing.T, dir string) (*Ledger, *faults) {
	t.Helper()
	l, err := Open(t.Context(), dir)
	must(t, err)
	f := &faults{}
	path := dir + "/" + FileName
	real := l.write.Driver()
	must(t, l.Close())
	l.write = sql.OpenDB(&faultyConnector{real, source(path, "immediate", 8000), f})
	l.read = sql.OpenDB(&faultyConnector{real, source(path, "deferred", 2000), f})
	l.write.SetMaxOpenConns(1)
	l.read.SetMaxOpenConns(2)
	must(t, l.prepare(t.Context()))
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, f
}

type faultyConnector struct {
	real   driver.Driver
	source string
	faults *faults
}

func (c *faultyConnector) Driver() driver.Driver { return c.real }

func (c *faultyConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.real.Open(c.source)
	if err != nil {
		return nil, err
	}
	return &faultyConn{conn, c.faults}, nil
}

type faultyConn struct {
	driver.Conn
	faults *faults
}

func (c *faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.faults.step(); err != nil {
		return nil, err
	}
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &faultyStmt{stmt, c.faults}, nil
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.faults.step(); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.faults.step(); err != nil {
		return nil, err
	}
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return &faultyRows{rows, c.faults}, nil
}

func (c *faultyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := c.faults.step(); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &faultyTx{tx, c.faults}, nil
}

type faultyTx struct {
	driver.Tx
	faults *faults
}

func (t *faultyTx) Commit() error {
	if err := t.faults.step(); err != nil {
		return errors.Join(err, t.Rollback())
	}
	return t.Tx.Commit()
}

type faultyStmt struct {
	driver.Stmt
	faults *faults
}

func (s *faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.faults.step(); err != nil {
		return nil, err
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s *faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.faults.step(); err != nil {
		return nil, err
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	return &faultyRows{rows, s.faults}, nil
}

type faultyRows struct {
	driver.Rows
	faults *faults
}

func (r *faultyRows) Next(values []driver.Value) error {
	if err := r.faults.step(); err != nil {
		return err
	}
	return r.Rows.Next(values)
}
