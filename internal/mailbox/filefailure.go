package mailbox

import (
	"errors"
	"fmt"
	"time"
)

// ErrChanged is found, by errors.Is, in every *ChangedError.
var ErrChanged = errors.New("file changed while it was read")

// ChangedError says that what was read is not, for certain, the whole file as
// it stood: it was left on the server and nothing was kept. errors.Is finds
// ErrChanged.
type ChangedError struct {
	Path                  string
	SizeBefore, SizeAfter int64 // bytes
	TimeBefore, TimeAfter time.Time
	// Copied is how many bytes arrived; -1 if nothing was read, because the
	// file was no longer the one that was listed.
	Copied int64
}

// Error gives the figures.
func (e *ChangedError) Error() string {
	switch {
	case e.short():
		return fmt.Sprintf("the server delivered %d of the %d bytes of %s: it was left there; run again, and if it stays so tell the biller", e.Copied, e.SizeAfter, e.Path)
	case e.Copied < 0:
		return fmt.Sprintf("%s is no longer the file that was listed (%d bytes then, %d bytes now): it was left there and is taken by a later run", e.Path, e.SizeBefore, e.SizeAfter)
	}
	return fmt.Sprintf("%s changed while it was read (%d bytes before, %d bytes after, %d bytes read): it was left there and is taken by a later run", e.Path, e.SizeBefore, e.SizeAfter, e.Copied)
}

// Is finds ErrChanged.
func (e *ChangedError) Is(target error) bool { return target == ErrChanged }

// short reports that the file stood still and yet did not arrive whole.
func (e *ChangedError) short() bool {
	return e.SizeBefore == e.SizeAfter && e.TimeBefore.Equal(e.TimeAfter) && e.Copied >= 0 && e.Copied < e.SizeAfter
}

// TooLargeError says that a file, a listing or a partner file is beyond the
// cap that protects this machine.
type TooLargeError struct {
	What, Path string
	Limit      int64 // in the unit that What names
}

// Error says what is too large, and the cap.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s: more than %d %s: it was left there; have the biller split or remove it", e.Path, e.Limit, e.What)
}

// DiskFullError says that the local disk has no room for a file. The file
// stays on the server; run again when there is room.
type DiskFullError struct {
	Dir  string
	File string
	Need int64 // bytes
	Err  error // nil if it was found out before anything was written
}

// Error says where room is needed, and how much.
func (e *DiskFullError) Error() string {
	return fmt.Sprintf("no room in %s for %s (%d bytes): it stays on the server; free some space, then run again", e.Dir, e.File, e.Need)
}

// Unwrap gives the system's error, if there is one.
func (e *DiskFullError) Unwrap() error { return e.Err }
