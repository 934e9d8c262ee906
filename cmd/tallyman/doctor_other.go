//go:build !unix

package main

// mayWrite is found out by the first run here.
func mayWrite(string) error { return nil }
