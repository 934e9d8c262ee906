package formats

// harmless reports whether a cell is neither escaped nor quoted, as nearly all are: it consists of letters, digits and
// underscores of ASCII, and behind its first character also of - . : @ and spaces. It looks at eight bytes at a time.
func harmless[T string | []byte](cell T) bool {
	n := len(cell)
	if n == 0 {
		return true
	}
	if wordBytes(uint64(cell[0]))&0x80 == 0 || cell[0] >= 0x80 {
		return false
	}
	if n < 8 {
		for i := 1; i < n; i++ {
			if !harmlessByte(cell[i]) {
				return false
			}
		}
		return true
	}
	for i := 0; i+8 < n; i += 8 {
		if !harmlessBytes(eightBytes(cell, i)) {
			return false
		}
	}
	return harmlessBytes(eightBytes(cell, n-8))
}

func harmlessByte(c byte) bool { return harmlessBytes(uint64(c) * everyByte) }

func eightBytes[T string | []byte](text T, at int) uint64 {
	t := text[at : at+8]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

// harmlessBytes reports whether eight bytes may all stand in a harmless cell, behind its first character.
func harmlessBytes(w uint64) bool {
	if w&highBits != 0 {
		return false
	}
	word := wordBytes(w)
	return word&highBits == highBits ||
		(word|equalBytes(w, '-')|equalBytes(w, '.')|equalBytes(w, ':')|equalBytes(w, ' ')|equalBytes(w, '@'))&highBits == highBits
}

// wordBytes sets the high bit of each byte of ASCII that is a letter, a digit or an underscore.
func wordBytes(w uint64) uint64 {
	return bytesBetween(w|' '*everyByte, 'a', 'z') | bytesBetween(w, '0', '9') | equalBytes(w, '_')
}

// bytesBetween sets the high bit of each byte of ASCII that is not below first and not above last. No byte carries into the
// next.
func bytesBetween(w, first, last uint64) uint64 {
	return (w + (0x80-first)*everyByte) &^ (w + (0x7f-last)*everyByte)
}

// equalBytes sets the high bit of each byte of ASCII that is c.
func equalBytes(w, c uint64) uint64 { return ^((w ^ c*everyByte) + 0x7f*everyByte) }
