//go:build !unix

package main

// restrictFiles has nothing to do: new files inherit the directory's access.
func restrictFiles() {}
