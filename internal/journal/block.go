package journal

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

const (
	// MaxBody is the largest body that a journal takes, in bytes.
	MaxBody = 1 << 20

	// maxLine is the longest line that is read, in bytes. A body of MaxBody
	// control characters takes six bytes each.
	maxLine = 8 << 20

	// blockSize is how much is read at once. Text and fields of a block fit in
	// the cache of a core; a longer line makes its block longer.
	blockSize = 128 << 10
)

// block is a stretch of whole lines of one file; only the last one of a file
// may end without a newline.
type block struct {
	text   []byte
	offset int64 // of its first byte in the file, uncompressed
	size   int64 // of the bytes it stands for, with what was cut off
	cut    bool  // it is one line longer than maxLine: text is its beginning
	open   bool  // it is cut, and no newline ended it
	last   bool  // the file, or what can be read of it, ends here
	err    error // why no more can be read
}

// lines counts the lines that end in the block.
func (b *block) lines() int64 {
	if b.cut {
		return 1
	}
	return int64(bytes.Count(b.text, []byte("\n")))
}

// blockReader splits a stream into blocks.
type blockReader struct {
	from   io.Reader
	size   int    // of a block
	rest   []byte // read, and behind the last whole line
	offset int64  // of rest
	err    error  // of from, io.EOF included
}

func newBlockReader(from io.Reader, size int) *blockReader {
	return &blockReader{from: from, size: size}
}

// next reads the next block into buffer, which it may make longer.
func (r *blockReader) next(buffer []byte) block {
	text := append(buffer[:0], r.rest...)
	room := max(r.size, len(text)+1)
	searched := 0
	for {
		searched += bytes.LastIndexByte(text[searched:], '\n') + 1
		full := len(text) >= room
		switch {
		case r.err != nil || (full && searched > 0):
			return r.take(text, searched)
		case len(text) > maxLine:
			return r.cut(text)
		case full:
			room *= 2
		}
		text = slices.Grow(text, room-len(text))
		n, err := r.from.Read(text[len(text):room])
		text, r.err = text[:len(text)+n], err
	}
}

// take makes a block of the first n bytes of text and keeps the rest for the
// next one. At the end of the stream the rest is a line without a newline.
func (r *blockReader) take(text []byte, n int) block {
	b := block{offset: r.offset, last: r.err != nil}
	switch {
	case errors.Is(r.err, io.EOF):
		n = len(text)
	case r.err != nil:
		b.err = r.err
	}
	b.text, b.size = text[:n], int64(n)
	r.rest = append(r.rest[:0], text[n:]...)
	r.offset += int64(n)
	return b
}

// cut makes a block of the beginning of a line that is too long, and passes
// over the rest of the line.
func (r *blockReader) cut(text []byte) block {
	b := block{text: text[:maxLine], offset: r.offset, cut: true}
	rest := text[maxLine:]
	size := int64(len(text))
	scratch := make([]byte, blockSize)
	for {
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			rest = rest[i+1:]
			b.size = size - int64(len(rest))
			r.rest = append(r.rest[:0], rest...)
			break
		}
		if r.err != nil {
			b.size, b.open, b.last = size, true, true
			r.rest = r.rest[:0]
			if !errors.Is(r.err, io.EOF) {
				b.err = r.err
			}
			break
		}
		var n int
		n, r.err = r.from.Read(scratch)
		rest, size = scratch[:n], size+int64(n)
	}
	r.offset += b.size
	return b
}
