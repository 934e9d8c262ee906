package formats

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// The byte order marks, longest first: that of UTF-32LE begins as UTF-16LE's does.
var byteOrderMarks = []struct {
	mark     []byte
	encoding Encoding
	order    byteOrder
}{
	{[]byte{0xff, 0xfe, 0, 0}, "utf-32", nil},
	{[]byte{0, 0, 0xfe, 0xff}, "utf-32", nil},
	{[]byte{0xef, 0xbb, 0xbf}, EncodingUTF8, nil},
	{[]byte{0xff, 0xfe}, EncodingUTF16, littleEndian},
	{[]byte{0xfe, 0xff}, EncodingUTF16, bigEndian},
}

// byteOrder reads and writes the two bytes of a UTF-16 unit.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var (
	littleEndian byteOrder = binary.LittleEndian
	bigEndian    byteOrder = binary.BigEndian
)

// charset is how the bytes of a file become text, and how its text becomes such bytes again.
type charset struct {
	encoding Encoding
	order    byteOrder // of UTF-16
	mark     []byte    // byte order mark that the file begins with
	certain  bool      // configured or told by a mark or pattern; otherwise UTF-8 as long as all of it is
}

// detectCharset looks at the beginning of a file. What is configured counts, unless a byte order mark says otherwise:
// then the file is not what the configuration speaks of, and is refused.
func detectCharset(start []byte, configured Encoding) (charset, *FileError) {
	for _, b := range byteOrderMarks {
		if !bytes.HasPrefix(start, b.mark) {
			continue
		}
		if b.order == nil && b.encoding != EncodingUTF8 {
			return charset{}, &FileError{Line: 1, Rule: "bad_encoding", Remedy: "the file is UTF-32; export it as CSV UTF-8"}
		}
		if configured != EncodingAuto && configured != b.encoding {
			return charset{}, &FileError{Line: 1, Rule: "bad_encoding", Remedy: fmt.Sprintf("the file begins with the byte order mark of %s, but files.encoding says %s; write auto there, or export the file again", b.encoding, configured)}
		}
		return charset{encoding: b.encoding, order: b.order, mark: b.mark, certain: true}, nil
	}
	order := nulPattern(start)
	switch {
	case configured == EncodingUTF16 && order == nil:
		return charset{}, &FileError{Line: 1, Rule: "bad_encoding", Remedy: "the file is not UTF-16, as files.encoding says: it has neither a byte order mark nor the NULs that Latin letters have there"}
	case order != nil && (configured == EncodingAuto || configured == EncodingUTF16):
		return charset{encoding: EncodingUTF16, order: order, certain: true}, nil
	case order != nil:
		return charset{}, &FileError{Line: 1, Rule: "bad_encoding", Remedy: fmt.Sprintf("the file is UTF-16, but files.encoding says %s; write auto there, or export the file again", configured)}
	case configured == EncodingAuto:
		return charset{encoding: EncodingUTF8}, nil
	}
	return charset{encoding: configured, certain: true}, nil
}

// checkBeginning strips the byte order mark of UTF-8 from a file that must be UTF-8, and refuses what certainly is not.
func checkBeginning(src *bufio.Reader) error {
	start, err := src.Peek(512)
	if len(start) == 0 && err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read customer file: %w", err)
	}
	if len(start) == 0 {
		return emptyFile()
	}
	found, fault := detectCharset(start, EncodingUTF8)
	if fault != nil {
		return &FileError{Line: 1, Rule: "bad_encoding", Remedy: "the file is not UTF-8 text (it looks like UTF-16 or UTF-32); export it as CSV UTF-8"}
	}
	_, err = src.Discard(len(found.mark))
	return err
}

// nulPattern finds the byte order of UTF-16 without a mark: Latin letters, of which a header mostly is, have a NUL in every
// high byte, and text without NULs has hardly one in a low byte.
func nulPattern(start []byte) byteOrder {
	pairs := len(start) / 2
	var first, second int
	for i := range pairs {
		if start[2*i] == 0 {
			first++
		}
		if start[2*i+1] == 0 {
			second++
		}
	}
	// A NUL in the other byte is rare: it is one of the characters U+0100, U+0200 and so on, or part of an emoji.
	switch {
	case pairs > 0 && first*10 <= pairs && second*4 >= pairs*3:
		return littleEndian
	case pairs > 0 && second*10 <= pairs && first*4 >= pairs*3:
		return bigEndian
	}
	return nil
}

// reader returns the file's text as UTF-8, without the byte order mark.
func (c charset) reader(src io.Reader) io.Reader {
	switch c.encoding {
	case EncodingUTF16:
		return &utf16Reader{src: src, order: c.order, skip: len(c.mark)}
	case EncodingWindows1252, EncodingISO88591:
		return &byteReader{src: src, table: c.table()}
	}
	return &skipReader{src: src, skip: len(c.mark)}
}

// skipReader leaves out the first bytes.
type skipReader struct {
	src  io.Reader
	skip int
}

func (r *skipReader) Read(p []byte) (int, error) {
	if r.skip > 0 {
		if _, err := io.CopyN(io.Discard, r.src, int64(r.skip)); err != nil {
			return 0, err
		}
		r.skip = 0
	}
	return r.src.Read(p)
}

// byteReader decodes an encoding of one byte a character.
type byteReader struct {
	src   io.Reader
	table *[256]rune
	raw   [16 << 10]byte
	out   []byte // decoded and not handed on yet
	err   error
}

func (r *byteReader) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		n, r.err = r.src.Read(r.raw[:])
		for _, b := range r.raw[:n] {
			r.out = utf8.AppendRune(r.out, r.table[b])
		}
	}
	n := copy(p, r.out)
	if r.out = r.out[n:]; len(r.out) == 0 {
		r.out = nil
	}
	return n, nil
}

// utf16Reader decodes UTF-16. Half a surrogate pair, or half a character at the end, is a fault of the file: no program
// writes that, so the file is damaged or something else.
type utf16Reader struct {
	src   io.Reader
	order byteOrder
	skip  int
	raw   [16 << 10]byte
	held  int   // bytes at the beginning of raw that wait for more
	at    int64 // offset in the file of raw[0]
	out   []byte
	err   error
}

func (r *utf16Reader) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		n, err := r.src.Read(r.raw[r.held:])
		r.held += n
		used := r.decode(errors.Is(err, io.EOF))
		copy(r.raw[:], r.raw[used:r.held])
		r.held -= used
		r.at += int64(used)
		if r.err == nil {
			r.err = err
		}
	}
	n := copy(p, r.out)
	if r.out = r.out[n:]; len(r.out) == 0 {
		r.out = nil
	}
	return n, nil
}

// decode decodes what is whole in raw and returns how many bytes that was.
func (r *utf16Reader) decode(last bool) int {
	i := 0
	for ; i+1 < r.held; i += 2 {
		u := rune(r.order.Uint16(r.raw[i:]))
		if r.skip > 0 {
			r.skip = 0
			continue
		}
		if !utf16.IsSurrogate(u) {
			r.out = utf8.AppendRune(r.out, u)
			continue
		}
		if i+3 >= r.held && !last {
			break
		}
		pair := utf8.RuneError
		if i+3 < r.held {
			pair = utf16.DecodeRune(u, rune(r.order.Uint16(r.raw[i+2:])))
		}
		if pair == utf8.RuneError {
			r.err = r.damaged(i)
			return i
		}
		r.out = utf8.AppendRune(r.out, pair)
		i += 2
	}
	if last && i < r.held && r.err == nil {
		r.err = r.damaged(i)
	}
	return i
}

func (r *utf16Reader) damaged(i int) error {
	return &FileError{Rule: "bad_encoding", Remedy: fmt.Sprintf("the file is UTF-16 and damaged at byte %d: half a character stands there; have it sent again", r.at+int64(i))}
}
