package mailbox

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// opList is the operation whose failure may mean a directory that is too large.
const opList = "list"

// opStart is the start of the SFTP subsystem, which some accounts may not use.
const opStart = "start"

// Entry is a file in the inbox as a listing showed it.
type Entry struct {
	// Name is its base name, which holds no character that could do harm.
	Name string
	// Size is in bytes.
	Size int64
	// ModTime is by the server's clock, in whole seconds: good for comparison
	// with itself only.
	ModTime time.Time
	// Done says that a partner, Name + ".done", stands beside it.
	Done bool
	// SHA256 says that a partner, Name + ".sha256", stands beside it.
	SHA256 bool
	// MD5 says that a partner, Name + ".md5", stands beside it.
	MD5 bool

	seen time.Time // when, by the monotonic clock
}

// complete says that a partner vouches for the file.
func (e Entry) complete() bool { return e.Done || e.SHA256 || e.MD5 }

// same says that neither size nor time has moved.
func (e Entry) same(other Entry) bool {
	return e.Size == other.Size && e.ModTime.Equal(other.ModTime)
}

// Refused is a directory entry that is not touched, with the reason.
type Refused struct {
	// Name is made safe to print, and so is not always the name on the server.
	Name   string
	Reason string
}

// List returns the files in the inbox, by name, and the entries that a person
// should know of because they cannot be taken: hostile names and symbolic
// links, devices and the like. Directories, hidden files, partner files and
// the names that unfinished uploads have (.part, .filepart, .tmp, ~) are in
// neither. A directory of more than 10 000 entries is a *TooLargeError.
func (m *Mailbox) List(ctx context.Context) ([]Entry, []Refused, error) {
	release, err := m.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	var infos []fs.FileInfo
	err = m.persist(ctx, func(int) error {
		infos, err = m.readDirectory(ctx, m.opts.Path)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	entries, refused := sift(infos, time.Now())
	return entries, refused, nil
}

// readDirectory lists a directory, with a cap on entries and on bytes: a
// server can go on for ever.
func (m *Mailbox) readDirectory(ctx context.Context, dir string) ([]fs.FileInfo, error) {
	large := &TooLargeError{What: "directory entries", Path: dir, Limit: int64(m.opts.tune.maxEntries)}
	var infos []fs.FileInfo
	err := m.call(ctx, opList, dir, m.opts.Timeout, func(s *session, _ func()) error {
		bounded, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		s.conn.limit(m.opts.tune.maxListing, func() { cancel(large) })
		defer s.conn.limit(0, nil)
		found, err := s.sftp.ReadDirContext(bounded, dir)
		if cause := context.Cause(bounded); errors.Is(cause, large) {
			return ownError{cause}
		}
		infos = found
		return err
	})
	if err == nil && len(infos) > m.opts.tune.maxEntries {
		return nil, large
	}
	return infos, err
}

// sift sorts a listing into what can be taken and what must be told.
func sift(infos []fs.FileInfo, seen time.Time) ([]Entry, []Refused) {
	partners := map[string]bool{}
	for _, info := range infos {
		if info.Mode().IsRegular() && isPartner(info.Name()) {
			partners[info.Name()] = true
		}
	}
	var entries []Entry
	var refused []Refused
	for _, info := range infos {
		name := info.Name()
		if info.IsDir() || unfinished(name) || partners[name] {
			continue
		}
		if err := checkName(name); err != nil {
			refused = append(refused, Refused{Name: printable(name), Reason: "its name is not safe: " + err.Error()})
			continue
		}
		if !info.Mode().IsRegular() {
			refused = append(refused, Refused{Name: name, Reason: "it is " + kind(info.Mode()) + ", not a regular file"})
			continue
		}
		entries = append(entries, Entry{
			Name: name, Size: info.Size(), ModTime: info.ModTime(),
			Done: partners[name+doneSuffix], SHA256: partners[name+sha256Suffix], MD5: partners[name+md5Suffix], seen: seen,
		})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(refused, func(a, b Refused) int { return strings.Compare(a.Name, b.Name) })
	// The library shows only the last element of a name such as "../a": it may
	// then stand there twice.
	entries = slices.CompactFunc(entries, func(a, b Entry) bool { return a.Name == b.Name })
	return entries, refused
}

func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a " + mode.Type().String()
}

// remote is the path of a file in the inbox.
func (m *Mailbox) remote(name string) string { return path.Join(m.opts.Path, name) }
