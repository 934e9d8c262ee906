package journal

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that a compressed file can ask for.
const maxWindow = 128 << 20

// input is a journal file that is being read: plain, .gz or .zst by its name.
// It hashes the bytes on disk, so that sha256sum gives the same.
type input struct {
	io.Reader
	path  string // as it was opened
	file  *os.File
	raw   io.Reader
	sum   hash.Hash
	close func()
}

// openInput opens a file of lines, or what it has become if it was sealed since
// it was listed.
func openInput(path string) (*input, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if sealed, sealedErr := os.Open(path + sealedSuffix); sealedErr == nil {
			path, file, err = path+sealedSuffix, sealed, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	in := &input{path: path, file: file, sum: sha256.New(), close: func() {}}
	in.raw = io.TeeReader(file, in.sum)
	in.Reader = in.raw
	switch {
	case strings.HasSuffix(path, ".gz"):
		in.Reader = &gunzip{from: bufio.NewReader(in.raw)}
	case strings.HasSuffix(path, ".zst"):
		decoder, err := zstd.NewReader(in.raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("read journal %s: %w", path, err)
		}
		in.Reader, in.close = decoder, decoder.Close
	}
	return in, nil
}

// finish closes the file and returns the SHA-256 of all its bytes, those that
// the decompressor left included.
func (in *input) finish() (string, error) {
	defer in.file.Close()
	in.close()
	if _, err := io.Copy(io.Discard, in.raw); err != nil {
		return "", fmt.Errorf("read journal: %w", err)
	}
	return hex.EncodeToString(in.sum.Sum(nil)), nil
}

// gunzip reads the gzip header with the first byte asked for, so that a damaged
// header is found where every other damage is.
type gunzip struct {
	from *bufio.Reader
	to   *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.to == nil {
		to, err := gzip.NewReader(g.from)
		if err != nil {
			return 0, err
		}
		g.to = to
	}
	return g.to.Read(p)
}

// byteOrderMark at the beginning of a file written elsewhere is no part of its
// first line.
var byteOrderMark = []byte("\ufeff")
