package formats

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth bounds the nesting of a text, so that a hostile one cannot exhaust the stack. It is the bound of
// encoding/json.
const maxJSONDepth = 10000

// jsonScanner walks over one JSON text (RFC 8259) and checks its grammar without building anything: what is wanted from
// an event are a few members, and encoding/json would silently accept doubled and mis-cased ones (faults.md W19).
// The text must be valid UTF-8; the scanner does not look again.
type jsonScanner struct {
	text  []byte
	pos   int
	depth int
}

// space skips white space.
func (s *jsonScanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end; a NUL byte is not JSON anywhere a caller peeks.
func (s *jsonScanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// value passes over one value and reports whether it is well-formed.
func (s *jsonScanner) value() bool {
	switch c := s.peek(); c {
	case '{':
		return s.object(nil)
	case '[':
		return s.array(nil)
	case '"':
		_, ok := s.str()
		return ok
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

// object passes over an object and shows visit, if any, every member in turn: the key with its quotes, and the value.
func (s *jsonScanner) object(visit func(key, value []byte)) bool {
	s.pos++
	if s.depth++; s.depth > maxJSONDepth {
		return false
	}
	s.space()
	if s.peek() == '}' {
		return s.leave()
	}
	for {
		key, ok := s.str()
		if !ok {
			return false
		}
		if s.space(); s.peek() != ':' {
			return false
		}
		s.pos++
		s.space()
		start := s.pos
		if !s.value() {
			return false
		}
		if visit != nil {
			visit(key, s.text[start:s.pos])
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
			s.space()
		case '}':
			return s.leave()
		default:
			return false
		}
	}
}

// array passes over an array and shows visit, if any, every element in turn.
func (s *jsonScanner) array(visit func(value []byte)) bool {
	s.pos++
	if s.depth++; s.depth > maxJSONDepth {
		return false
	}
	s.space()
	if s.peek() == ']' {
		return s.leave()
	}
	for {
		start := s.pos
		if !s.value() {
			return false
		}
		if visit != nil {
			visit(s.text[start:s.pos])
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
			s.space()
		case ']':
			return s.leave()
		default:
			return false
		}
	}
}

func (s *jsonScanner) leave() bool {
	s.pos++
	s.depth--
	return true
}

// str passes over a string and returns it with its quotes.
func (s *jsonScanner) str() (token []byte, ok bool) {
	if s.peek() != '"' {
		return nil, false
	}
	start := s.pos
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.text[start:s.pos], true
		case c == '\\':
			if !s.escape() {
				return nil, false
			}
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// escape passes over an escape sequence and stops on its last byte.
func (s *jsonScanner) escape() bool {
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		if s.pos+4 >= len(s.text) {
			return false
		}
		_, err := strconv.ParseUint(string(s.text[s.pos+1:s.pos+5]), 16, 16)
		s.pos += 4
		return err == nil
	default:
		return false
	}
}

func (s *jsonScanner) word(word string) bool {
	if !bytes.HasPrefix(s.text[s.pos:], []byte(word)) {
		return false
	}
	s.pos += len(word)
	return true
}

// number passes over a number.
func (s *jsonScanner) number() bool {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		return s.digits()
	}
	return true
}

// digits passes over one or more digits.
func (s *jsonScanner) digits() bool {
	start := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	return s.pos > start
}

// appendUnquoted appends the text of a well-formed string token. An escaped surrogate without its partner, which the
// grammar allows and UTF-8 does not, keeps its three bytes, so that texts that differ stay different.
func appendUnquoted(dst, token []byte) []byte {
	rest := token[1 : len(token)-1]
	for {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 {
			return append(dst, rest...)
		}
		dst = append(dst, rest[:i]...)
		c := rest[i+1]
		rest = rest[i+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			dst, rest = appendEscapedRune(dst, rest)
		default:
			dst = append(dst, c)
		}
	}
}

// appendEscapedRune appends the character whose \u escape has its four digits at the beginning of rest, the second half
// of a surrogate pair included, and returns what follows.
func appendEscapedRune(dst, rest []byte) (out, after []byte) {
	r := hexRune(rest)
	rest = rest[4:]
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(dst, r), rest
	}
	if len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(rest[2:])); pair != utf8.RuneError {
			return utf8.AppendRune(dst, pair), rest[6:]
		}
	}
	return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f), rest
}

// hexRune reads four hexadecimal digits.
func hexRune(digits []byte) rune {
	var r rune
	for _, c := range digits[:4] {
		switch {
		case c <= '9':
			r = r<<4 | rune(c-'0')
		default:
			r = r<<4 | rune(c|0x20-'a'+10)
		}
	}
	return r
}
