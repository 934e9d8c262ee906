package sandbox

import (
	"io"
	"os"
	"sync"

	"github.com/pkg/sftp"
)

// transfer is an open file, with what is to go wrong.
type transfer struct {
	file   *os.File
	faults *sftpFaultSource
	hangUp func()

	// A dropped transfer counts as one drop, however many of its requests were
	// under way.
	mu      sync.Mutex
	passed  int64
	dropped bool
}

// ReadAt reads, perhaps less than asked for.
func (t *transfer) ReadAt(p []byte, offset int64) (int, error) {
	n, err := t.file.ReadAt(p[:t.faults.readSize(len(p))], offset)
	return n, t.pass(n, err)
}

// WriteAt writes.
func (t *transfer) WriteAt(p []byte, offset int64) (int, error) {
	n, err := t.file.WriteAt(p, offset)
	return n, t.pass(n, err)
}

func (t *transfer) pass(n int, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passed += int64(n)
	if !t.dropped && !t.faults.drop(t.passed) {
		return err
	}
	t.dropped = true
	t.hangUp()
	return sftp.ErrSSHFxConnectionLost
}

// Close closes the file.
func (t *transfer) Close() error { return t.file.Close() }

var (
	_ sftp.WriterAtReaderAt = (*transfer)(nil)
	_ io.Closer             = (*transfer)(nil)
)
