package ledger

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Remedy tells what a person can do about an error in which SQLite says that the ledger or its disk failed; "" for any
// other error. What was committed before stands (SQLite: "Result and Error Codes").
func Remedy(err error) string {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return ""
	}
	const primary = 0xff // the rest of a code only says which operation it was
	switch failure.Code() & primary {
	case sqlite3.SQLITE_FULL:
		return "make room, then run the same command again"
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return "look at the disk of data_dir and the rights on it, then run the same command again"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "the ledger is damaged or its disk fails: look at the disk of data_dir and run the same command again; if it says so again, put back the last backup of data_dir"
	}
	return ""
}
