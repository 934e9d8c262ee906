package formats

import (
	"bytes"
	"errors"
	"io"
)

// errRecordTooLong ends the reading of a record that cannot be one, before it fills the memory.
var errRecordTooLong = errors.New("record too long")

// tapeSlack is what the CSV reader may have read ahead of the record, generously.
const tapeSlack = 64 << 10

// tape hands bytes on and remembers those of the record that is being read, so that a record can be shown exactly as it
// came. Offsets count from the first byte read through it.
type tape struct {
	src  io.Reader
	kept []byte
	base int64 // offset of kept[0]
	mark int64 // offset up to which records were cut
}

func (t *tape) Read(p []byte) (int, error) {
	if t.base+int64(len(t.kept))-t.mark > MaxRecord+tapeSlack {
		return 0, errRecordTooLong
	}
	n, err := t.src.Read(p)
	t.kept = append(t.kept, p[:n]...)
	return n, err
}

// cut returns the bytes in [from, to) and forgets all before to. The bytes are valid until the next Read.
func (t *tape) cut(from, to int64) []byte {
	t.mark = to
	piece := t.kept[from-t.base : to-t.base]
	// Moving the rest down now and then is cheaper than for each record.
	if to-t.base > 256<<10 {
		piece = bytes.Clone(piece)
		t.kept = append(t.kept[:0], t.kept[to-t.base:]...)
		t.base = to
	}
	return piece
}
