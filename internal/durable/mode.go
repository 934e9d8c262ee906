package durable

import (
	"io/fs"
	"runtime"
)

// Shared returns which of the permissions of others, as in 0o077, a file grants; none where permissions are no bits of a
// mode and say nothing.
func Shared(info fs.FileInfo) fs.FileMode {
	if runtime.GOOS == "windows" {
		return 0
	}
	return info.Mode().Perm() & 0o077
}
