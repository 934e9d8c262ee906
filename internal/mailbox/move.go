package mailbox

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pkg/sftp"
)

// Archive moves a file of the inbox, with its partners, to the archive, which
// is made if it is not there. sum is the file's SHA-256 in hex; where a file
// of that name is there already, the new one is called
// name.<8 digits of sum>.<UTC time>. Nothing is ever replaced. If the file is
// no longer in the inbox, errors.Is finds fs.ErrNotExist.
func (m *Mailbox) Archive(ctx context.Context, name, sum string) error {
	release, err := m.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	return m.takeAway(ctx, m.opts.Archive, name, sum, func(string) error { return nil })
}

// Reject moves a file of the inbox, as Archive does, to the directory of the
// rejected ones, and puts the reason beside it in <name>.reason.txt. The
// reason comes first: no file stands there without one.
func (m *Mailbox) Reject(ctx context.Context, name, sum, reason string) error {
	release, err := m.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	previous := ""
	return m.takeAway(ctx, m.opts.Rejected, name, sum, func(target string) error {
		if previous != "" {
			_ = m.remove(ctx, previous)
		}
		previous = target + ".reason.txt"
		return m.put(ctx, previous, newText(reason))
	})
}

// takeAway moves a file and its partners from the inbox to dir. The partners
// go first: one that stayed behind would vouch for the next file of that name
// before that is complete, a file without them merely has to settle.
func (m *Mailbox) takeAway(ctx context.Context, dir, name, sum string, prepare func(target string) error) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("move %q: %w", name, err)
	}
	mark, err := shortSum(sum)
	if err != nil {
		return fmt.Errorf("move %s: %w", name, err)
	}
	there, err := m.exists(ctx, m.remote(name))
	if err != nil {
		return err
	}
	if !there {
		return &OperationError{Op: "move", Path: m.remote(name), Address: m.opts.Address, Err: fs.ErrNotExist}
	}
	if err := m.makeDirectory(ctx, dir); err != nil {
		return err
	}
	for _, suffix := range []string{doneSuffix, sha256Suffix, md5Suffix} {
		there, err := m.exists(ctx, m.remote(name+suffix))
		if err == nil && there {
			err = m.move(ctx, name+suffix, dir, mark, func(string) error { return nil })
		}
		if err != nil {
			return err
		}
	}
	return m.move(ctx, name, dir, mark, prepare)
}

// shortSum returns what of a file's sum goes into names.
func shortSum(sum string) (string, error) {
	if sum == "" {
		return "unread", nil // a file that never could be read has none
	}
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) < 4 {
		return "", errors.New("its SHA-256 is not given in hex")
	}
	return strings.ToLower(sum[:8]), nil
}

// move moves one file of the inbox to dir, under a name that is free. The
// protocol's own rename refuses a name that is taken. Some servers refuse it
// altogether, or to users who do not own the file (where hard links are
// protected); OpenSSH's extension then helps, but replaces, so it is used only
// with a name that nobody else has.
func (m *Mailbox) move(ctx context.Context, name, dir, mark string, prepare func(target string) error) error {
	from, target := m.remote(name), path.Join(dir, name)
	unique := fmt.Sprintf("%s.%s.%s", target, mark, m.opts.Now().UTC().Format("20060102T150405Z"))
	taken, err := m.exists(ctx, target)
	if err != nil {
		return err
	}
	if taken {
		target = unique
	}
	if err := prepare(target); err != nil {
		return err
	}
	err = m.rename(ctx, from, target, (*sftp.Client).Rename)
	var refused *OperationError
	if errors.As(err, &refused) && answered(refused.Err) && !errors.Is(err, fs.ErrNotExist) && m.offersPosixRename(ctx) {
		if target != unique {
			target = unique
			if err := prepare(target); err != nil {
				return err
			}
		}
		err = m.rename(ctx, from, target, (*sftp.Client).PosixRename)
	}
	if err != nil {
		return err
	}
	m.opts.Log.Info("moved file in mailbox", "file", name, "to", target)
	return nil
}

// rename renames, and finds out after a broken connection whether it had
// happened already.
func (m *Mailbox) rename(ctx context.Context, from, to string, how func(c *sftp.Client, from, to string) error) error {
	return m.persist(ctx, func(try int) error {
		return m.quick(ctx, "rename", from, func(c *sftp.Client) error {
			err := how(c, from, to)
			if try == 0 || err == nil {
				return err
			}
			if _, gone := c.Lstat(from); !errors.Is(gone, fs.ErrNotExist) {
				return err
			}
			if _, missing := c.Lstat(to); missing != nil {
				return err
			}
			return nil
		})
	})
}

// offersPosixRename says whether the server replaces on renaming if asked to.
func (m *Mailbox) offersPosixRename(ctx context.Context) bool {
	offered := false
	err := m.quick(ctx, "ask for", "posix-rename", func(c *sftp.Client) error {
		_, offered = c.HasExtension("posix-rename@openssh.com")
		return nil
	})
	return err == nil && offered
}

// exists looks whether anything has that path.
func (m *Mailbox) exists(ctx context.Context, remote string) (bool, error) {
	there := false
	err := m.persist(ctx, func(int) error {
		return m.quick(ctx, "look at", remote, func(c *sftp.Client) error {
			_, err := c.Lstat(remote)
			there = err == nil
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		})
	})
	return there, err
}

// makeDirectory makes a directory, with those above it, unless it is there.
func (m *Mailbox) makeDirectory(ctx context.Context, dir string) error {
	return m.persist(ctx, func(int) error {
		return m.quick(ctx, "make directory", dir, func(c *sftp.Client) error { return c.MkdirAll(dir) })
	})
}

// remove removes a file.
func (m *Mailbox) remove(ctx context.Context, remote string) error {
	return m.persist(ctx, func(int) error {
		return m.quick(ctx, "remove", remote, func(c *sftp.Client) error { return c.Remove(remote) })
	})
}
