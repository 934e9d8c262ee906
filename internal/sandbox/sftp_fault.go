package sandbox

import (
	"errors"
	"fmt"
	"sync"
)

// SFTPFaults is what goes wrong in file transfers. A file that grows, vanishes
// or is replaced under a reader needs no fault: change it below
// [Sandbox.InboxDir].
type SFTPFaults struct {
	// ShortRead is the most bytes that one read is answered with; 0 is no limit.
	// Servers may do so, and common clients then lose data without an error.
	ShortRead int
	// DropAfter closes the connection once so many bytes of one open file have
	// passed, either way; 0 never does. Drops is how often; 0 means always.
	DropAfter int64
	Drops     int
}

// Check returns every problem of f together.
func (f SFTPFaults) Check() error {
	var errs []error
	if f.ShortRead < 0 {
		errs = append(errs, fmt.Errorf("short reads of %d bytes: use 0 or more", f.ShortRead))
	}
	if f.DropAfter < 0 || f.Drops < 0 {
		errs = append(errs, fmt.Errorf("%d drops after %d bytes: use 0 or more", f.Drops, f.DropAfter))
	}
	return errors.Join(errs...)
}

// sftpFaultSource holds the faults; they can change during a transfer.
type sftpFaultSource struct {
	mu     sync.Mutex
	faults SFTPFaults
	left   int // drops to come, if faults.Drops is set
}

func (s *sftpFaultSource) set(f SFTPFaults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.left = f, f.Drops
}

func (s *sftpFaultSource) get() SFTPFaults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// readSize is how much of a read of n bytes is answered.
func (s *sftpFaultSource) readSize(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.ShortRead > 0 {
		return min(n, s.faults.ShortRead)
	}
	return n
}

// drop tells whether a connection ends, after so many bytes of a file.
func (s *sftpFaultSource) drop(passed int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.DropAfter == 0 || passed <= s.faults.DropAfter {
		return false
	}
	if s.faults.Drops == 0 {
		return true
	}
	if s.left == 0 {
		return false
	}
	s.left--
	return true
}

// SetSFTPFaults replaces the faults of file transfers from the next read or
// write on. The zero value heals everything.
func (s *Sandbox) SetSFTPFaults(f SFTPFaults) error {
	if err := f.Check(); err != nil {
		return err
	}
	s.files.faults.set(f)
	return nil
}
