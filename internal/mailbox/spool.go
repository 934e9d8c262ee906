package mailbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"tallyman/internal/durable"
)

// partSuffix marks files that are not whole yet, here and on the server.
const partSuffix = ".part"

// errOverlong stops a copy that brings more than was announced.
var errOverlong = errors.New("more bytes than announced")

// spool is the local end of one Fetch. It writes through os.Root, so that no
// name can lead out of its directory.
type spool struct {
	dir, name string
	root      *os.Root
	tune      tuning

	size   int64    // announced, bytes
	file   *os.File // the part file, nil if there is none
	digest hash.Hash
}

func openSpool(dir, name string, size int64, tune tuning) (*spool, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the spool directory: %w; look at the disk of data_dir, then run again", err)
	}
	return &spool{dir: dir, name: name, size: size, root: root, tune: tune}, nil
}

func (s *spool) path() string { return filepath.Join(s.dir, s.name) }
func (s *spool) part() string { return s.name + partSuffix }
func (s *spool) sum() string  { return hex.EncodeToString(s.digest.Sum(nil)) }

func (s *spool) close() {
	s.discard()
	_ = s.root.Close()
}

// room refuses a file that the disk cannot hold with some space to spare: the
// ledger and the journal live there too.
func (s *spool) room() error {
	free, err := s.tune.free(s.dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", s.dir, err)
	}
	if free < s.tune.reserve || free-s.tune.reserve < uint64(s.size) {
		return &DiskFullError{Dir: s.dir, File: s.name, Need: s.size}
	}
	return nil
}

// create begins a part file, in place of one that a crash may have left.
func (s *spool) create(tick func()) (*partWriter, error) {
	s.discard()
	if err := s.root.Remove(s.part()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove an old part file in %s: %w", s.dir, err)
	}
	file, err := s.root.OpenFile(s.part(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, s.localError("create", err)
	}
	s.file, s.digest = file, sha256.New()
	return &partWriter{spool: s, to: s.tune.spool(file), left: s.size, tick: tick}, nil
}

// partWriter counts, hashes and writes. Its own failure stands in err, apart
// from what the copying library makes of it.
type partWriter struct {
	spool *spool
	to    io.Writer
	left  int64
	tick  func()
	err   error
	over  bool // more came than was announced
}

// Write writes one piece, and refuses what is beyond the announced size.
func (w *partWriter) Write(b []byte) (int, error) {
	w.tick()
	if int64(len(b)) > w.left {
		w.over = true
		return 0, errOverlong
	}
	n, err := w.to.Write(b)
	w.left -= int64(n)
	w.spool.digest.Write(b[:n])
	if err != nil {
		w.err = w.spool.localError("write", err)
	}
	return n, err
}

// commit makes the part file the file, so that it survives a power failure.
func (s *spool) commit() error {
	if err := s.file.Sync(); err != nil {
		return s.localError("sync", err)
	}
	file := s.file
	s.file = nil
	if err := file.Close(); err != nil {
		_ = s.root.Remove(s.part())
		return s.localError("close", err)
	}
	if err := s.root.Rename(s.part(), s.name); err != nil {
		_ = s.root.Remove(s.part())
		return s.localError("rename", err)
	}
	if err := durable.SyncDir(s.dir); err != nil {
		return s.localError("sync the directory of", err)
	}
	return nil
}

// discard removes the part file, if there is one.
func (s *spool) discard() {
	if s.file == nil {
		return
	}
	_ = s.file.Close()
	s.file = nil
	_ = s.root.Remove(s.part())
}

// localError tells a full disk from other failures of the local disk.
func (s *spool) localError(op string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return &DiskFullError{Dir: s.dir, File: s.name, Need: s.size, Err: err}
	}
	return fmt.Errorf("%s %s: %w; look at the disk of data_dir, then run again", op, s.path(), bare(err))
}
