// Package syscalltest lets system calls of a real process fail in tests: the
// process under test runs as it is, and the kernel asks the test about each
// watched call before it is carried out (seccomp user notification). Unlike a
// preloaded library it works with static programs, and unlike strace it counts
// calls across all threads and can write half of a buffer. It is imported by
// _test files only.
//
// It needs Linux 5.19 on amd64 and no privileges. Elsewhere a test is skipped.
package syscalltest

import "syscall"

// Call is a watched system call that is about to happen.
type Call struct {
	Name string // as in section 2 of the Linux manual: "fsync", "openat"
	Path string // of the file, absolute; empty for a socket
	From string // for a rename, what is renamed; Path is the new name
	Make bool   // openat that may create the file
}

// Socket reports whether the call is about a connection.
func (c Call) Socket() bool { return c.Path == "" }

// Verdict says what becomes of a call. The zero value lets it happen.
type Verdict struct {
	Errno  syscall.Errno // the call fails with it and does nothing
	Half   bool          // a write writes the first half of its bytes
	HangUp bool          // the connection has ended in both directions too, as after a reset
	Kill   bool          // the process is killed before the call, as by kill -9
}
