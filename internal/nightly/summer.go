package nightly

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// summer hashes what is read through it and counts its lines.
type summer struct {
	src   io.Reader
	hash  hash.Hash
	lines int64
	last  byte
}

func newSummer(src io.Reader) *summer { return &summer{src: src, hash: sha256.New(), last: '\n'} }

func (s *summer) Read(p []byte) (int, error) {
	n, err := s.src.Read(p)
	if n > 0 {
		s.hash.Write(p[:n])
		s.lines += int64(bytes.Count(p[:n], []byte("\n")))
		s.last = p[n-1]
	}
	return n, err
}

// result returns the SHA-256, in hex, and the number of lines, one without a line end at the end included.
func (s *summer) result() (sum string, lines int64) {
	lines = s.lines
	if s.last != '\n' {
		lines++
	}
	return hex.EncodeToString(s.hash.Sum(nil)), lines
}
