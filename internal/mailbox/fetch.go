package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/pkg/sftp"
)

// slowest is the rate, in bytes a second, below which a transfer is given up:
// it bounds the time a server can hold a run with a slow drip.
const slowest = 8 << 10

// Spooled is a file that stands whole on the local disk, synced.
type Spooled struct {
	Name string
	// Path is where it stands, dir and name.
	Path string
	// Size is in bytes.
	Size int64
	// ModTime is by the server's clock.
	ModTime time.Time
	// SHA256 is the sum of the spooled bytes, 64 hex digits: from now on the
	// identity of the file.
	SHA256 string
	// Vanished says that the server no longer had the file after it had been
	// read: it deletes on reading, or somebody else moved it.
	Vanished bool
}

// Fetch copies a file of the inbox to dir, which must exist, under its own
// name, mode 0600; a file of that name there is replaced. It is kept only if
// size and time were the same before and after, and all of it arrived; a file
// that stood still and arrived in part is read again, one request at a time.
// What cannot be had for certain is a *ChangedError, and stays where it is.
// With too little room on the local disk it is a *DiskFullError. A connection
// that breaks is made again and the file read from its beginning. After an
// error nothing is left in dir. What the sums in its partners are worth is the
// caller's to find out (Read).
func (m *Mailbox) Fetch(ctx context.Context, e Entry, dir string) (Spooled, error) {
	if err := checkName(e.Name); err != nil {
		return Spooled{}, fmt.Errorf("fetch %q: %w", e.Name, err)
	}
	if e.Size > m.opts.tune.maxFile {
		return Spooled{}, &TooLargeError{What: "bytes", Path: m.remote(e.Name), Limit: m.opts.tune.maxFile}
	}
	release, err := m.acquire(ctx)
	if err != nil {
		return Spooled{}, err
	}
	defer release()
	local, err := openSpool(dir, e.Name, e.Size, m.opts.tune)
	if err != nil {
		return Spooled{}, err
	}
	defer local.close()
	if err := local.room(); err != nil {
		return Spooled{}, err
	}
	var result Spooled
	err = m.persist(ctx, func(int) error {
		var err error
		result, err = m.fetchOnce(ctx, e, local)
		var changed *ChangedError
		if m.sequential || !errors.As(err, &changed) || !changed.short() {
			return err
		}
		m.opts.Log.Warn("server answers reads in part; from now on one request at a time is made", "file", e.Name)
		m.sequential = true
		m.drop()
		result, err = m.fetchOnce(ctx, e, local)
		return err
	})
	return result, err
}

// fetchOnce reads the file once, over the connection that stands.
func (m *Mailbox) fetchOnce(ctx context.Context, e Entry, local *spool) (Spooled, error) {
	var copied *arrival
	remote := m.remote(e.Name)
	total := 2*m.opts.Timeout + time.Duration(e.Size/slowest)*time.Second
	err := m.call(ctx, "read", remote, total, func(s *session, tick func()) error {
		var err error
		copied, err = copyWhole(s.sftp, remote, e, local, tick)
		return err
	})
	if err != nil {
		local.discard()
		return Spooled{}, err
	}
	if err := local.commit(); err != nil {
		local.discard()
		return Spooled{}, err
	}
	return Spooled{
		Name: e.Name, Path: local.path(), Size: copied.size, ModTime: copied.modTime,
		SHA256: copied.sum, Vanished: copied.vanished,
	}, nil
}

// arrival is what was copied and found good.
type arrival struct {
	size     int64
	modTime  time.Time
	sum      string
	vanished bool
}

// copyWhole copies the file between two looks at it, and is satisfied only if
// both agree with the listing and with what arrived. The SFTP library takes a
// read that is answered in part for the end of the file and says nothing
// (pkg/sftp#658), so the count is the proof.
func copyWhole(c *sftp.Client, remote string, e Entry, local *spool, tick func()) (*arrival, error) {
	before, err := lstat(c, remote)
	if err != nil {
		return nil, err
	}
	changed := &ChangedError{
		Path: remote, SizeBefore: e.Size, TimeBefore: e.ModTime,
		SizeAfter: before.Size(), TimeAfter: before.ModTime(), Copied: -1,
	}
	if before.Size() != e.Size || !before.ModTime().Equal(e.ModTime) {
		return nil, ownError{changed}
	}
	copied, err := copyOut(c, remote, local, tick)
	if err != nil {
		return nil, err
	}
	result := &arrival{size: copied, modTime: e.ModTime, sum: local.sum()}
	after, err := lstat(c, remote)
	switch {
	case errors.Is(err, fs.ErrNotExist) && copied == e.Size:
		// There is no second reading of it, and nothing is missing.
		result.vanished = true
		return result, nil
	case err != nil:
		return nil, err
	}
	changed.SizeAfter, changed.TimeAfter, changed.Copied = after.Size(), after.ModTime(), copied
	if after.Size() != e.Size || !after.ModTime().Equal(e.ModTime) || copied != e.Size {
		return nil, ownError{changed}
	}
	return result, nil
}

// copyOut copies what the server has under that name to the local part file,
// and stops one byte after what was announced.
func copyOut(c *sftp.Client, remote string, local *spool, tick func()) (int64, error) {
	file, err := c.Open(remote)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	part, err := local.create(tick)
	if err != nil {
		return 0, ownError{err}
	}
	copied, err := io.Copy(part, file)
	switch {
	case part.over:
		return local.size + 1, nil
	case part.err != nil:
		return copied, ownError{part.err}
	}
	return copied, err
}

// lstat looks at a regular file, and not through a symbolic link.
func lstat(c *sftp.Client, remote string) (fs.FileInfo, error) {
	info, err := c.Lstat(remote)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ownError{fmt.Errorf("%s is %s, not a regular file: it was left there; have it replaced by the file itself", remote, kind(info.Mode()))}
	}
	return info, nil
}
