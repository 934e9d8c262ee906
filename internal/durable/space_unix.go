//go:build unix

package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// Free returns how many bytes an ordinary user may still write where dir is.
func Free(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, os.NewSyscallError("statfs", err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
