package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pkg/sftp"
)

// maxPartner is how many bytes a partner file may have.
const maxPartner = 64 << 10

// Read returns the content of a small file in the inbox, such as a
// partner. More than 64 KiB is a *TooLargeError.
func (m *Mailbox) Read(ctx context.Context, name string) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	release, err := m.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var content []byte
	err = m.persist(ctx, func(int) error {
		return m.quick(ctx, "read", m.remote(name), func(c *sftp.Client) error {
			var err error
			content, err = readSmall(c, m.remote(name))
			return err
		})
	})
	return content, err
}

// readSmall reads with one request at a time, which short answers do not harm.
func readSmall(c *sftp.Client, remote string) ([]byte, error) {
	if _, err := lstat(c, remote); err != nil {
		return nil, err
	}
	file, err := c.Open(remote)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var content []byte
	piece := make([]byte, 8<<10)
	for {
		n, err := file.Read(piece)
		content = append(content, piece[:n]...)
		switch {
		case len(content) > maxPartner:
			return nil, ownError{&TooLargeError{What: "bytes", Path: remote, Limit: maxPartner}}
		case errors.Is(err, io.EOF):
			return content, nil
		case err != nil:
			return nil, err
		}
	}
}
