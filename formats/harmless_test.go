package formats

import (
	"bytes"
	"testing"
)

// Eight bytes at a time find what one at a time does, wherever a byte stands.
func TestHarmless(t *testing.T) {
	slow := func(cell []byte) bool {
		for i, c := range cell {
			word := c-'0' <= 9 || c|0x20-'a' <= 'z'-'a' || c == '_'
			if !word && (i == 0 || bytes.IndexByte([]byte("-.: @"), c) < 0) {
				return false
			}
		}
		return true
	}
	for _, base := range []byte("aZ09_-") {
		for n := range 20 {
			for at := range n {
				for c := range 256 {
					cell := bytes.Repeat([]byte{base}, n)
					cell[0], cell[at] = 'x', byte(c)
					if want := slow(cell); harmless(cell) != want || harmless(string(cell)) != want {
						t.Fatalf("%q: want %v", cell, want)
					}
				}
			}
		}
	}
	if !harmless("") {
		t.Error("an empty cell is harmless")
	}
}
