package mailbox

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"path"

	"github.com/pkg/sftp"
)

// DirectoryStatus is what CheckDirectories found out about one directory.
type DirectoryStatus struct {
	// Key is its name in tallyman.yaml, such as "inbox.archive".
	Key  string
	Path string
	// Exists is false for a directory that tallyman would make when it needs
	// it; for inbox.path that is an error.
	Exists bool
	// Readable says that it could be listed.
	Readable bool
	// Writable says that a small hidden file could be made, renamed and
	// removed there; for inbox.path, renamed from there to the archive.
	Writable bool
	// Err says what is in the way, or is nil.
	Err error
}

// CheckDirectories tries what a run needs of each configured directory, and
// cleans up behind itself: it makes a hidden file in each, renames it and
// removes it. It makes no directory.
func (m *Mailbox) CheckDirectories(ctx context.Context) []DirectoryStatus {
	all := []DirectoryStatus{
		{Key: "inbox.archive", Path: m.opts.Archive},
		{Key: "inbox.rejected", Path: m.opts.Rejected},
	}
	if m.opts.Deliver != "" {
		all = append(all, DirectoryStatus{Key: "inbox.deliver", Path: m.opts.Deliver})
	}
	release, err := m.acquire(ctx)
	if err == nil {
		defer release()
		for i := range all {
			m.checkDirectory(ctx, &all[i], all[i].Path)
		}
	}
	inbox := DirectoryStatus{Key: "inbox.path", Path: m.opts.Path, Err: err}
	if err == nil {
		to := m.opts.Path
		if all[0].Writable {
			to = m.opts.Archive
		}
		m.checkDirectory(ctx, &inbox, to)
		if !inbox.Exists && inbox.Err == nil {
			inbox.Err = &OperationError{Op: opList, Path: m.opts.Path, Address: m.opts.Address, Err: fs.ErrNotExist}
		}
	} else {
		for i := range all {
			all[i].Err = err
		}
	}
	return append([]DirectoryStatus{inbox}, all...)
}

// checkDirectory fills in d; the test file is renamed to directory to.
func (m *Mailbox) checkDirectory(ctx context.Context, d *DirectoryStatus, to string) {
	_, err := m.readDirectory(ctx, d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	d.Exists = true
	if d.Err = err; err != nil {
		return
	}
	d.Readable = true
	token := ".tallyman-check-" + rand.Text()
	from, moved := path.Join(d.Path, token+".tmp"), path.Join(to, token+"-moved.tmp")
	err = m.call(ctx, "write", from, 2*m.opts.Timeout, func(s *session, tick func()) error {
		return send(s.sftp, from, newText("tallyman doctor"), tick)
	})
	if err == nil {
		err = m.rename(ctx, from, moved, (*sftp.Client).Rename)
		if err != nil && m.offersPosixRename(ctx) {
			err = m.rename(ctx, from, moved, (*sftp.Client).PosixRename)
		}
		last := moved
		if err != nil {
			last = from
		}
		err = errors.Join(err, m.remove(ctx, last))
	}
	d.Err = err
	d.Writable = err == nil
}
