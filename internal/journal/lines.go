package journal

import (
	"bufio"
	"errors"
	"io"
)

const (
	// MaxBody is the largest body that a journal takes, in bytes.
	MaxBody = 1 << 20

	// maxLine is the longest line that is read, in bytes. A body of MaxBody
	// control characters takes six bytes each.
	maxLine = 8 << 20

	readBuffer = 256 << 10
)

// lineReader splits a stream into lines. A bufio.Scanner would give up at a
// long line and could not go on behind it.
type lineReader struct {
	from   *bufio.Reader
	long   []byte // a line longer than the buffer
	offset int64  // of the next line
}

// rawLine is one line without its newline. The text is valid until the next.
type rawLine struct {
	text   []byte
	offset int64 // of its first byte
	size   int64 // with its newline, and with what was cut off
	whole  bool  // it ended with a newline
	cut    bool  // it is longer than maxLine: text is its beginning
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{from: bufio.NewReaderSize(r, readBuffer)}
}

// next returns the next line, and io.EOF behind the last.
func (l *lineReader) next() (rawLine, error) {
	line := rawLine{offset: l.offset}
	l.long = l.long[:0]
	for {
		piece, err := l.from.ReadSlice('\n')
		line.size += int64(len(piece))
		l.offset += int64(len(piece))
		more := errors.Is(err, bufio.ErrBufferFull)
		switch {
		case err == nil:
			line.whole = true
			piece = piece[:len(piece)-1]
		case errors.Is(err, io.EOF) && line.size == 0:
			return line, io.EOF
		case !more && !errors.Is(err, io.EOF):
			return line, err
		}
		if !more && len(l.long) == 0 && !line.cut {
			line.text = piece
			return line, nil
		}
		if room := maxLine - len(l.long); len(piece) > room {
			piece, line.cut = piece[:room], true
		}
		l.long = append(l.long, piece...)
		if !more {
			line.text = l.long
			return line, nil
		}
	}
}
