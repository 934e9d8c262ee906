//go:build unix

package main

import "syscall"

// restrictFiles keeps every file of this process from other users, those of
// libraries too (SQLite's side files, for one).
func restrictFiles() { syscall.Umask(0o077) }
