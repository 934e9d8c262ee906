// Package unpack turns a customer file as it came into the plain file within: it decompresses, decrypts and checks what
// stands beside it. All of that happens once, before a row is parsed; the identity of a file stays that of its bytes as
// they came. What is wrong with a file is a *formats.FileError.
package unpack
