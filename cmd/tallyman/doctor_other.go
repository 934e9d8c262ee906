//go:build !unix

package main

import "errors"

// freeSpace is not known here.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }

// mayWrite is found out by the first run here.
func mayWrite(string) error { return nil }
