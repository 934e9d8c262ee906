package formats

import (
	"io"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// windows1252 are the characters of the bytes 0x80 to 0x9F in Windows-1252 (unicode.org: Mappings, CP1252); all others are
// as in ISO-8859-1. The five bytes that it leaves undefined stand for the control characters of their number, as in every
// browser: so nothing is lost, and the row is refused for them.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

// table returns the character of every byte.
func (c charset) table() *[256]rune {
	var table [256]rune
	for i := range table {
		table[i] = rune(i)
	}
	if c.encoding == EncodingWindows1252 {
		copy(table[0x80:0xa0], windows1252[:])
	}
	return &table
}

// writer returns a writer that takes UTF-8 and writes the file's own encoding, beginning with its byte order mark.
// Characters that the encoding lacks, which only our own words can hold, become a question mark.
func (c charset) writer(w io.Writer) io.Writer {
	switch c.encoding {
	case EncodingUTF16:
		return &encodingWriter{w: w, head: c.mark, append: func(b []byte, r rune) []byte {
			for _, u := range utf16.AppendRune(nil, r) {
				b = c.order.AppendUint16(b, u)
			}
			return b
		}}
	case EncodingWindows1252, EncodingISO88591:
		table := c.table()
		return &encodingWriter{w: w, append: func(b []byte, r rune) []byte {
			if r < utf8.RuneSelf {
				return append(b, byte(r))
			}
			if i := slices.Index(table[:], r); i >= 0 {
				return append(b, byte(i))
			}
			if r == '…' {
				return append(b, "..."...)
			}
			return append(b, '?')
		}}
	}
	return w
}

// encodingWriter encodes text. A write must not end inside a character.
type encodingWriter struct {
	w      io.Writer
	head   []byte // written first
	append func([]byte, rune) []byte
	out    []byte
}

func (w *encodingWriter) Write(p []byte) (int, error) {
	w.out, w.head = append(w.out[:0], w.head...), nil
	for rest := p; len(rest) > 0; {
		r, width := utf8.DecodeRune(rest)
		w.out, rest = w.append(w.out, r), rest[width:]
	}
	if _, err := w.w.Write(w.out); err != nil {
		return 0, err
	}
	return len(p), nil
}
