//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// mayWrite reports why this user may make nothing in a directory, without trying.
func mayWrite(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "write into", Path: dir, Err: err}
	}
	return nil
}
