package formats

import (
	"encoding/binary"
	"math/bits"
)

// The tokens of the quick reader: strings, integers and names in plain writing.

// span is where a text stands.
type span struct{ from, to int }

// plainScanner takes tokens in a fixed order; once one is missing, it has failed and stays so.
type plainScanner struct {
	text   []byte
	at     int
	failed bool
}

// take passes over a literal if it stands here.
func (s *plainScanner) take(literal string) bool {
	if len(s.text)-s.at < len(literal) || string(s.text[s.at:s.at+len(literal)]) != literal {
		return false
	}
	s.at += len(literal)
	return true
}

func (s *plainScanner) need(literal string) { s.failed = s.failed || !s.take(literal) }

func (s *plainScanner) str() span {
	end := plainString(s.text, s.at)
	if s.failed = s.failed || end < 0; s.failed {
		return span{}
	}
	from := s.at + 1
	s.at = end + 1
	return span{from, end}
}

func (s *plainScanner) integer() int64 {
	v, end := plainInteger(s.text, s.at)
	if s.failed = s.failed || end < 0; s.failed {
		return 0
	}
	s.at = end
	return v
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// plainString returns where the closing quote of the string at at stands, or -1 if there is no plain string. It looks at
// eight bytes at a time; a byte that is a quote, a backslash, a control or no ASCII gets its high bit set, and so may
// one behind it, so that the lowest one set is right.
func plainString(text []byte, at int) int {
	if at >= len(text) || text[at] != '"' {
		return -1
	}
	i := at + 1
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := w^('"'*everyByte), w^('\\'*everyByte)
		stop := (((quote - everyByte) &^ quote) | ((backslash - everyByte) &^ backslash) | (w - ' '*everyByte) | w) & highBits
		if stop != 0 {
			if i += bits.TrailingZeros64(stop) >> 3; text[i] == '"' {
				return i
			}
			return -1
		}
	}
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i
		case c < ' ' || c == '\\' || c >= 0x80:
			return -1
		}
	}
	return -1
}

// plainInteger reads the integer at at and returns where it ends, or -1 if there is none in plain writing.
func plainInteger(text []byte, at int) (v int64, end int) {
	i := at
	negative := i < len(text) && text[i] == '-'
	if negative {
		i++
	}
	first := i
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		v = v*10 + int64(text[i]-'0')
		if i-first >= 18 {
			return 0, -1
		}
	}
	if i == first || (text[first] == '0' && i > first+1) || (i < len(text) && (text[i] == '.' || text[i]|0x20 == 'e')) {
		return 0, -1
	}
	if negative {
		v = -v
	}
	return v, i
}

// plainName reports whether no reader can take a name for another one.
func plainName(name []byte) bool {
	for _, c := range name {
		if c-'a' > 'z'-'a' && c-'0' > 9 && c != '_' {
			return false
		}
	}
	return true
}
