package formats

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// checkText holds for every cell, whatever its column: it must be UTF-8 text without control characters.
func checkText(s string) (word, remedy string) {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(s[i:]); width == 1 {
				return "bad_encoding", "the text is not valid UTF-8; export the file as UTF-8"
			}
			return "bad_encoding", "the text holds U+FFFD, so a character was lost before this file was written; export it again as UTF-8"
		}
		if r >= 0x80 && r < 0xa0 {
			return "control_character", "it holds a character that no text has: most likely the file's encoding is another one than files.encoding says"
		}
		if isControl(r) {
			return "control_character", "take the control characters out"
		}
	}
	return "", ""
}

// isControl reports whether r is a control character other than those that part words and lines.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0
}

// allText reports whether checkText would find nothing in any cell of a piece of a file, so that it need not look.
func allText(b []byte) bool {
	for len(b) > 0 {
		n := plainPrefix(b)
		b = b[n:]
		for len(b) > 0 && b[0] >= utf8.RuneSelf {
			r, width := utf8.DecodeRune(b)
			if r == utf8.RuneError || r < 0xa0 {
				return false
			}
			b = b[width:]
		}
		if len(b) > 0 && b[0] < utf8.RuneSelf && isControl(rune(b[0])) {
			return false
		}
	}
	return true
}

// plainPrefix returns how many bytes at the beginning are printing ASCII or part words and lines.
func plainPrefix(b []byte) int {
	i := 0
	for i < len(b) {
		// Eight at a time, as long as none is below space, or 0x7f and above.
		if i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			const low, high = 0x0101010101010101, 0x8080808080808080
			if (w|(w+low)|(w-' '*low))&high == 0 {
				i += 8
				continue
			}
		}
		if c := b[i]; c < ' ' && c != '\n' && c != '\r' && c != '\t' || c >= 0x7f {
			return i
		}
		i++
	}
	return i
}

// invalidUTF8 returns the offset of the first byte that belongs to no UTF-8 character, or -1.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	at := 0
	for at < len(b) {
		r, width := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && width == 1 {
			return at
		}
		at += width
	}
	return -1
}

// lineAt returns the physical line of an offset in a text that begins on a given line.
func lineAt(text []byte, offset, first int) int {
	return first + bytes.Count(text[:offset], []byte{'\n'})
}
