//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeSpace returns how many bytes an ordinary user may still write where dir is.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, os.NewSyscallError("statfs", err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}

// mayWrite reports why this user may make nothing in a directory, without trying.
func mayWrite(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "write into", Path: dir, Err: err}
	}
	return nil
}
