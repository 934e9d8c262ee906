//go:build !unix

package durable

// SyncDir has nothing to do: directories cannot be synced here, and NTFS journals what happens in them.
func SyncDir(string) error { return nil }
