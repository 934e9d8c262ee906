package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pkg/sftp"
)

// Deliver puts a local file into the delivery directory under remoteName,
// which may begin with directories ("2026-11-22/balances.csv"); what is
// missing of them is made. The file appears whole or not at all: it is
// uploaded as .part, compared in size and renamed. One that is there under
// that name is replaced. If Options.Deliver is empty nothing is done.
func (m *Mailbox) Deliver(ctx context.Context, localPath, remoteName string) error {
	if m.opts.Deliver == "" {
		return nil
	}
	for element := range strings.SplitSeq(remoteName, "/") {
		if err := checkName(element); err != nil {
			return fmt.Errorf("deliver as %q: %w", remoteName, err)
		}
	}
	release, err := m.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	file, err := os.Open(localPath)
	if err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	target := path.Join(m.opts.Deliver, remoteName)
	if err := m.put(ctx, target, upload{content: file, size: info.Size()}); err != nil {
		return err
	}
	m.opts.Log.Info("delivered file to mailbox", "file", remoteName, "bytes", info.Size())
	return nil
}

// upload is what put sends; it can be read again after a broken connection.
type upload struct {
	content io.ReaderAt
	size    int64
}

func newText(text string) upload {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return upload{content: strings.NewReader(text), size: int64(len(text))}
}

// put makes or replaces a remote file, whole or not at all.
func (m *Mailbox) put(ctx context.Context, target string, what upload) error {
	if err := m.makeDirectory(ctx, path.Dir(target)); err != nil {
		return err
	}
	part := target + partSuffix
	if m.opts.Mark != "" {
		part = target + "." + m.opts.Mark + partSuffix
	}
	total := 2*m.opts.Timeout + time.Duration(what.size/slowest)*time.Second
	err := m.persist(ctx, func(int) error {
		return m.call(ctx, "write", part, total, func(s *session, tick func()) error {
			return send(s.sftp, part, what, tick)
		})
	})
	if err == nil {
		err = m.replace(ctx, part, target)
	}
	if err != nil && ctx.Err() == nil && !transient(err) {
		_ = m.remove(ctx, part) // it may not be there; err says more
	}
	return err
}

// send uploads one request after another: concurrent writes can leave holes
// after an error.
func send(c *sftp.Client, part string, what upload, tick func()) error {
	file, err := c.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	source := &tickReader{from: io.NewSectionReader(what.content, 0, what.size), tick: tick}
	sent, err := io.Copy(file, source)
	if source.err != nil {
		_ = file.Close()
		return ownError{fmt.Errorf("read what is to be delivered as %s: %w", part, source.err)}
	}
	if err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	info, err := c.Stat(part)
	if err != nil {
		return err
	}
	if sent != what.size || info.Size() != what.size {
		return ownError{fmt.Errorf("write %s: the server has %d bytes where %d were sent; see whether its disk is full, then run again", part, info.Size(), what.size)}
	}
	return nil
}

// tickReader notes progress, and keeps its own failure apart from the server's.
type tickReader struct {
	from io.Reader
	tick func()
	err  error
}

// Read reads.
func (r *tickReader) Read(b []byte) (int, error) {
	r.tick()
	n, err := r.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// replace renames part to target, in one step where the server can, otherwise
// by removing the old file first.
func (m *Mailbox) replace(ctx context.Context, part, target string) error {
	if m.offersPosixRename(ctx) {
		err := m.rename(ctx, part, target, (*sftp.Client).PosixRename)
		if err == nil || !unsupported(err) {
			return err
		}
	}
	err := m.persist(ctx, func(int) error {
		return m.quick(ctx, "replace", target, func(c *sftp.Client) error {
			_, err := lstat(c, target)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			return c.Remove(target)
		})
	})
	if err != nil {
		return err
	}
	return m.rename(ctx, part, target, (*sftp.Client).Rename)
}
