package formats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// blockSize is how much of a file is parsed at once. It is the same everywhere: where the blocks of a file begin and end
// must not depend on the machine.
const blockSize = 256 << 10

// block is a piece of a file that holds whole records.
type block struct {
	text []byte
	line int  // physical line of its first byte
	cut  bool // it ends inside a record that is too long to be one
}

// blockReader cuts a text into blocks at line ends outside quotes. It only counts quotes: in a file whose quoting is
// strict that is exact, and in any other the parser meets the fault before the count can be wrong.
type blockReader struct {
	src     io.Reader
	size    int  // of a block
	cr      bool // lines end in CR alone: they are handed on ending in LF
	afterCR bool
	rest    []byte // read and not handed on yet
	line    int    // of its first byte
	eof     bool
}

// header reads the file's first record, without its line end. Its line end tells whether all lines end in CR alone.
func (b *blockReader) header() ([]byte, error) {
	b.line = 1
	for {
		var err error
		if b.rest, err = b.fill(b.rest, len(b.rest)+b.size); err != nil {
			return nil, err
		}
		if end := lineEnd(b.rest, b.eof); end >= 0 {
			return b.cutHeader(end), nil
		}
		if b.eof {
			text := b.rest
			b.rest = nil
			return text, nil
		}
		if len(b.rest) > MaxRecord {
			return nil, &FileError{Line: 1, Rule: "record_too_long", Remedy: "the first line is longer than 1 MiB: this is no CSV file with lines, or a quote in the header is not closed"}
		}
	}
}

// cutHeader takes the header, which ends at end, off the rest.
func (b *blockReader) cutHeader(end int) []byte {
	if b.rest[end] == '\r' && (end+1 == len(b.rest) || b.rest[end+1] != '\n') {
		b.cr = true
		b.rest = b.unifyLineEnds(b.rest, 0)
		end = lineEnd(b.rest, true)
	}
	text := b.rest[:end:end]
	if b.rest[end] == '\r' {
		end++
	}
	b.line += bytes.Count(b.rest[:end+1], []byte{'\n'})
	b.rest = b.rest[end+1:]
	return text
}

// lineEnd returns the offset of the first CR or LF outside quotes, -1 if there is none. A CR that may be the first half
// of CRLF does not count before more is known, unless the text is at its end.
func lineEnd(text []byte, last bool) int {
	quoted := false
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n', c == '\r' && (i+1 < len(text) || last):
			return i
		}
	}
	return -1
}

// next reads the next block into a buffer that is the caller's to reuse. It returns io.EOF when there is none.
func (b *blockReader) next(buffer []byte) (block, error) {
	text := append(buffer[:0], b.rest...)
	b.rest = b.rest[:0]
	for target := b.size; ; target += b.size {
		var err error
		if text, err = b.fill(text, target); err != nil {
			return block{text: text}, err
		}
		if b.eof && len(text) == 0 {
			return block{text: text}, io.EOF
		}
		end, long := len(text), false
		if !b.eof {
			end = lastRecordEnd(text)
			long = end == 0 && len(text) > MaxRecord+b.size
		}
		if end == 0 && !long {
			continue
		}
		if long {
			end = len(text)
		}
		whole := block{text: text[:end], line: b.line, cut: long}
		b.line += bytes.Count(text[:end], []byte{'\n'})
		b.rest = append(b.rest, text[end:]...)
		return whole, nil
	}
}

// lastRecordEnd returns the offset behind the last line end outside quotes, 0 if there is none.
func lastRecordEnd(text []byte) int {
	open := bytes.Count(text, []byte{'"'})
	for end := len(text); ; {
		i := bytes.LastIndexByte(text[:end], '\n')
		if i < 0 {
			return 0
		}
		open -= bytes.Count(text[i:end], []byte{'"'})
		if open%2 == 0 {
			return i + 1
		}
		end = i
	}
}

// fill reads on until the text has the wanted length or the file ends.
func (b *blockReader) fill(text []byte, want int) ([]byte, error) {
	if cap(text) < want {
		text = append(make([]byte, 0, want+want/8), text...)
	}
	for len(text) < want && !b.eof {
		from := len(text)
		n, err := b.src.Read(text[from:want])
		text = text[:from+n]
		if b.cr {
			text = b.unifyLineEnds(text, from)
		}
		var fault *FileError
		switch {
		case errors.Is(err, io.EOF):
			b.eof = true
		case errors.As(err, &fault):
			return text, fault
		case err != nil:
			return text, fmt.Errorf("read customer file: %w", err)
		}
	}
	return text, nil
}

// unifyLineEnds makes every line of a text end in LF, from an offset on.
func (b *blockReader) unifyLineEnds(text []byte, from int) []byte {
	out := text[:from]
	for _, c := range text[from:] {
		switch {
		case c == '\r':
			out = append(out, '\n')
		case c != '\n' || !b.afterCR:
			out = append(out, c)
		}
		b.afterCR = c == '\r'
	}
	return out
}
