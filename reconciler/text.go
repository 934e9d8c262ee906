package reconciler

import (
	"encoding/binary"
	"errors"
	"strings"
)

// texts keeps the texts of customers in large pieces: for each the number of its record and of its record's currency, then
// its id, reference and name, each behind its length. So who has found a customer by its id need not look at its record.
type texts struct{ pieces []*strings.Builder }

// place is where texts stand: the number of the piece, then how many times textUnit bytes into it. Four bytes reach 16 GiB.
type place uint32

const (
	textUnit   = 4
	placeBits  = 18
	pieceSize  = textUnit << placeBits
	headSize   = 6                     // of the two numbers
	mostPieces = 1<<(32-placeBits) - 1 // so that 1 more than a place is no other one
)

// errManyTexts is beyond what any machine that this is made for can hold.
var errManyTexts = errors.New("the texts of the customers take more than 16 GiB: reconcile fewer customers at a time")

// add keeps the texts of a record and returns where they stand.
func (t *texts) add(number uint32, currency uint16, id, reference, name string) (place, error) {
	size := headSize + 3*binary.MaxVarintLen64 + len(id) + len(reference) + len(name) + textUnit
	n := len(t.pieces)
	if n == 0 || t.pieces[n-1].Cap()-t.pieces[n-1].Len() < size || t.pieces[n-1].Len() >= pieceSize {
		if n == mostPieces {
			return 0, errManyTexts
		}
		piece := new(strings.Builder)
		piece.Grow(max(pieceSize, size))
		t.pieces = append(t.pieces, piece)
		n++
	}
	piece := t.pieces[n-1]
	at := place(n-1)<<placeBits | place(piece.Len()/textUnit)
	var head [binary.MaxVarintLen64]byte
	piece.Write(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint32(head[:0], number), currency))
	for _, text := range [...]string{id, reference, name} {
		piece.Write(binary.AppendUvarint(head[:0], uint64(len(text))))
		piece.WriteString(text)
	}
	for piece.Len()%textUnit != 0 {
		piece.WriteByte(0)
	}
	return at, nil
}

// bytes returns what the texts take.
func (t *texts) bytes() int64 {
	var total int64
	for _, piece := range t.pieces {
		total += int64(piece.Cap())
	}
	return total
}

// from returns what stands at a place and behind it.
func (t *texts) from(at place) string {
	return t.pieces[at>>placeBits].String()[at&(1<<placeBits-1)*textUnit:]
}

// touch reads the beginning of what stands at a place, as far as an id and a reference reach nearly always, so that it is
// near when it is asked for.
func (t *texts) touch(at place) byte {
	const reach = 48
	text := t.from(at)
	return text[0] ^ text[min(reach, len(text)-1)]
}

// next cuts the first text off those that stand behind one another.
func next(texts string) (text, behind string) {
	length, size := uint64(0), 0
	for shift := 0; ; shift += 7 {
		c := texts[size]
		size++
		length |= uint64(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	behind = texts[size:]
	return behind[:length], behind[length:]
}

// all returns the three texts at a place.
func (t *texts) all(at place) (id, reference, name string) {
	id, behind := next(t.from(at)[headSize:])
	reference, behind = next(behind)
	name, _ = next(behind)
	return id, reference, name
}

// reference returns the second text at a place.
func (t *texts) reference(at place) string {
	_, behind := next(t.from(at)[headSize:])
	reference, _ := next(behind)
	return reference
}

// id returns the first text at a place.
func (t *texts) id(at place) string {
	id, _ := next(t.from(at)[headSize:])
	return id
}

// numbers returns the number of the record that the texts at a place belong to, and that of its currency.
func (t *texts) numbers(at place) (record uint32, currency uint16) {
	text := t.from(at)[:headSize]
	return uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24, uint16(text[4]) | uint16(text[5])<<8
}
