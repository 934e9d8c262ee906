package formats

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// journalScanner walks over JSON text that is known to be UTF-8. It accepts
// what RFC 8259 accepts and hands out slices of the text, because a signature
// is over bytes and a decoder that prints them anew would break it. It keeps
// its own stack, so that no depth of nesting can exhaust the program's.
type journalScanner struct {
	text []byte
	at   int
}

// space skips insignificant white space.
func (s *journalScanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// take skips c and reports whether it stood there.
func (s *journalScanner) take(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// skipValue skips one value, white space before it included, and reports
// whether it is well formed.
func (s *journalScanner) skipValue() bool {
	var few [32]byte
	open := few[:0]
	for {
		s.space()
		if s.at >= len(s.text) {
			return false
		}
		c := s.text[s.at]
		if c == '{' || c == '[' {
			s.at++
			s.space()
			if !s.take(c + 2) { // '}' is '{'+2 and ']' is '['+2
				open = append(open, c)
				if c == '{' && !s.skipName() {
					return false
				}
				continue
			}
		} else if !s.skipScalar(c) {
			return false
		}
		more, ok := s.closeValues(&open)
		if !ok {
			return false
		}
		if !more {
			return true
		}
	}
}

// closeValues stands behind a value. It closes every array and object that
// ends there, and reports whether another value follows.
func (s *journalScanner) closeValues(open *[]byte) (more, ok bool) {
	for len(*open) > 0 {
		top := (*open)[len(*open)-1]
		s.space()
		if s.take(',') {
			return true, top == '[' || s.skipName()
		}
		if !s.take(top + 2) {
			return false, false
		}
		*open = (*open)[:len(*open)-1]
	}
	return false, true
}

// skipName skips the name of a member and its colon.
func (s *journalScanner) skipName() bool {
	s.space()
	if !s.skipString() {
		return false
	}
	s.space()
	return s.take(':')
}

// skipScalar skips the string, number or word that begins with c.
func (s *journalScanner) skipScalar(c byte) bool {
	switch c {
	case '"':
		return s.skipString()
	case 't':
		return s.skipWord("true")
	case 'f':
		return s.skipWord("false")
	case 'n':
		return s.skipWord("null")
	default:
		return s.skipNumber()
	}
}

func (s *journalScanner) skipWord(word string) bool {
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// skipString skips one string with its quotes.
func (s *journalScanner) skipString() bool {
	if !s.take('"') {
		return false
	}
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return true
		case c < 0x20:
			return false
		case c == '\\' && !s.skipEscape():
			return false
		}
	}
	return false
}

// skipEscape skips what follows a backslash.
func (s *journalScanner) skipEscape() bool {
	if s.at >= len(s.text) {
		return false
	}
	c := s.text[s.at]
	s.at++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		if _, ok := journalHex(s.text[s.at:]); !ok {
			return false
		}
		s.at += 4
		return true
	}
	return false
}

// skipNumber skips a number as RFC 8259 writes it: no plus, no leading zero, no
// bare point.
func (s *journalScanner) skipNumber() bool {
	s.take('-')
	if !s.take('0') && !s.skipDigits() {
		return false
	}
	if s.take('.') && !s.skipDigits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.skipDigits()
	}
	return true
}

func (s *journalScanner) skipDigits() bool {
	from := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > from
}

// journalHex reads four hex digits at the start of b.
func journalHex(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c-'a' <= 5:
			c -= 'a' - 10
		case c-'A' <= 5:
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// journalUnquote returns the text of quoted, a well-formed JSON string with its
// quotes. It shares memory with quoted where nothing is escaped. Half of a
// surrogate pair stands for no text and is refused.
func journalUnquote(quoted []byte) ([]byte, bool) {
	raw := quoted[1 : len(quoted)-1]
	first := bytes.IndexByte(raw, '\\')
	if first < 0 {
		return raw, true
	}
	text := append(make([]byte, 0, len(raw)), raw[:first]...)
	for i := first; i < len(raw); i++ {
		if raw[i] != '\\' {
			text = append(text, raw[i])
			continue
		}
		i++
		if raw[i] != 'u' {
			text = append(text, journalEscaped(raw[i]))
			continue
		}
		r, _ := journalHex(raw[i+1:])
		i += 4
		if utf16.IsSurrogate(r) {
			low, ok := journalLowHalf(raw[i+1:])
			if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
				return nil, false
			}
			i += 6
		}
		text = utf8.AppendRune(text, r)
	}
	return text, true
}

// journalLowHalf reads the \uXXXX that must follow the first half of a pair.
func journalLowHalf(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	return journalHex(b[2:])
}

// journalEscaped returns the byte that the letter behind a backslash stands for.
func journalEscaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
