// Package ledger keeps what was done: the files that came, the fate of each of their rows, the customers that stand in
// Moment and what was last asserted of them, the assertions that finance's reports start from, and the runs. It is one
// SQLite file with full synchronization: what a method has returned from is on disk.
//
// Rows that are to be sent and those that are finished are packed, many into one value: see plan.go and finished.go. One that
// is neither, and each customer, has columns for what is searched by; all else that is told of it stands in one JSON object.
package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // the pure Go driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// FileName is the ledger's name in the data directory.
const FileName = "ledger.db"

// Ledger is an open ledger. It is safe for concurrent use; writes happen one after the other.
type Ledger struct {
	write *sql.DB // one connection
	read  *sql.DB
	stmts statements

	broken atomic.Pointer[error] // the disk has failed: nothing is written any more

	writing  sync.Mutex // held while rows are written; guards what follows
	planning int64      // id of the file whose rows were written last
	plans    []openPlan // of that file
	room     room
}

// Open opens the ledger in a data directory, creating or migrating it. The caller must hold the directory's run lock.
func Open(ctx context.Context, dataDir string) (*Ledger, error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	path := filepath.Join(dataDir, FileName)
	if err := touch(path); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l := &Ledger{}
	var err error
	if l.write, err = open(path, "immediate", 8000); err != nil {
		return nil, err
	}
	l.write.SetMaxOpenConns(1)
	if err = migrate(ctx, l.write); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", path, ofDisk(err)), l.write.Close())
	}
	if err = l.prepare(ctx); err != nil {
		return nil, errors.Join(err, l.write.Close())
	}
	if l.read, err = open(path, "deferred", 2000); err != nil {
		return nil, errors.Join(err, l.write.Close())
	}
	l.read.SetMaxOpenConns(2)
	return l, nil
}

// OpenExisting opens a ledger to look at it. It returns an error that is fs.ErrNotExist if there is none yet.
func OpenExisting(ctx context.Context, dataDir string) (*Ledger, error) {
	if _, err := os.Stat(filepath.Join(dataDir, FileName)); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return Open(ctx, dataDir)
}

// touch creates the file with the right mode before SQLite would create it with another.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// open opens the database with connections that take a lock of the given kind, and each remember so many KiB of it.
func open(path, lock string, cache int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", source(path, lock, cache))
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return db, nil
}

// source says all that to SQLite. It is a URI, so that the path may hold any character. A checkpoint comes after 16 MB: the
// later it comes, the fewer pages are copied again and again.
func source(path, lock string, cache int) string {
	uri := "file:" + (&url.URL{Path: path}).EscapedPath()
	return uri + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=wal_autocheckpoint(4000)&_txlock=" + lock + "&_pragma=cache_size(-" + strconv.Itoa(cache) + ")"
}

func migrate(ctx context.Context, db *sql.DB) error {
	migrator, err := newMigrator(db)
	if err != nil {
		return err
	}
	_, err = migrator.Up(ctx)
	return err
}

func newMigrator(db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, sub)
}

// Close closes the ledger.
func (l *Ledger) Close() error { return errors.Join(l.read.Close(), l.write.Close()) }

// transaction runs f in a transaction that is on disk when transaction returns nil.
func (l *Ledger) transaction(ctx context.Context, f func(*sql.Tx) error) error {
	if broken := l.broken.Load(); broken != nil {
		return *broken
	}
	err := l.commit(ctx, f)
	if errors.Is(err, ErrBroken) {
		// What a failed synchronization has left unwritten, the next one would report as written.
		l.broken.Store(&err)
	}
	return err
}

func (l *Ledger) commit(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return writeError(err)
	}
	if err := f(tx); err != nil {
		return errors.Join(writeError(err), ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return writeError(err)
	}
	return nil
}

// What a disk can do to the ledger. After ErrBroken nothing is written any more: see Ledger.transaction. Remedy says what to
// do about it.
var (
	ErrFull   = errors.New("the disk is full: make room, then run again")
	ErrBroken = errors.New("the disk of data_dir has failed")
)

// writeError says what was done when SQLite failed.
func writeError(err error) error { return fmt.Errorf("write to the ledger: %w", ofDisk(err)) }

// ofDisk finds what happened to the disk in SQLite's codes.
func ofDisk(err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return err
	}
	if failure.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		return fmt.Errorf("%w (%w)", ErrFull, err) // there is no room for what its processes share
	}
	switch failure.Code() & 0xff { // the rest says where it happened
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%w (%w)", ErrBroken, err)
	}
	return err
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// Binding is what a ledger belongs to: its keys and ids mean nothing anywhere else.
type Binding struct {
	Merchant, Mode string
	Host           string // of the API, without the port
}

// BindingError says that a ledger belongs to something else than is configured.
type BindingError struct{ Name, Ledger, Configured string }

func (e *BindingError) Error() string {
	return fmt.Sprintf("the ledger in data_dir belongs to %s %q, the configuration says %q: give each its own data_dir", e.Name, e.Ledger, e.Configured)
}

func (b Binding) pairs() [][2]string {
	return [][2]string{{"merchant", b.Merchant}, {"api.mode", b.Mode}, {"host of api.base_url", b.Host}}
}

// Bind ties a new ledger to a binding, and refuses one that is tied to another with a *BindingError.
func (l *Ledger) Bind(ctx context.Context, b Binding) error {
	err := l.transaction(ctx, func(tx *sql.Tx) error {
		for _, pair := range b.pairs() {
			if _, err := tx.ExecContext(ctx, `INSERT INTO binding (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, pair[0], pair[1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.CheckBinding(ctx, b)
}

// CheckBinding refuses a ledger that is tied to another binding with a *BindingError, and changes nothing.
func (l *Ledger) CheckBinding(ctx context.Context, b Binding) error {
	for _, pair := range b.pairs() {
		var value string
		err := l.read.QueryRowContext(ctx, `SELECT value FROM binding WHERE name = $1`, pair[0]).Scan(&value)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read from the ledger: %w", err)
		}
		if value != pair[1] {
			return &BindingError{Name: pair[0], Ledger: value, Configured: pair[1]}
		}
	}
	return nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}
