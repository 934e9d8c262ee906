package importer

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"tallyman/formats"
)

// repeat says that a record's reference stands in the file more than once.
type repeat struct {
	conflict bool // the records differ: none of them can be believed
	first    int  // line of the first record with the reference
}

// mark is what is remembered of a record to find repeated references: hashes, so that a file of any size takes little
// memory, and in partitions on disk beyond spillAt records.
type mark struct {
	reference [12]byte
	content   [12]byte
	number    uint32
	line      uint32
}

const (
	markSize   = 32
	spillAt    = 1 << 16 // marks held in memory
	partitions = 64
)

// repeats finds the repeated references of a file: add each record, then call find once.
type repeats struct {
	dir   string // for temporary files
	marks []mark
	files [partitions]*os.File
	out   [partitions]*bufio.Writer
}

// add remembers a record. Of a record with problems the raw bytes are its content, since its fields may be incomplete.
func (r *repeats) add(record *formats.CustomerRecord, scratch []byte) ([]byte, error) {
	if record.Customer.ExternalReference == "" {
		return scratch, nil
	}
	if len(record.Problems) > 0 {
		scratch = append(append(scratch[:0], "raw\x00"...), record.Raw...)
	} else {
		scratch = record.Customer.AppendCanonical(scratch[:0])
	}
	m := mark{number: uint32(record.Number), line: uint32(record.Line)}
	content := sha256.Sum256(scratch)
	reference := sha256.Sum256([]byte(record.Customer.ExternalReference))
	copy(m.content[:], content[:])
	copy(m.reference[:], reference[:])
	r.marks = append(r.marks, m)
	if len(r.marks) < spillAt {
		return scratch, nil
	}
	return scratch, r.spill()
}

// spill moves the marks to disk, partitioned by reference.
func (r *repeats) spill() error {
	for _, m := range r.marks {
		p := m.reference[0] % partitions
		if r.out[p] == nil {
			f, err := os.CreateTemp(r.dir, "repeats-")
			if err != nil {
				return fmt.Errorf("make a temporary file: %w", err)
			}
			r.files[p], r.out[p] = f, bufio.NewWriter(f)
		}
		var b [markSize]byte
		copy(b[:], m.reference[:])
		copy(b[12:], m.content[:])
		binary.LittleEndian.PutUint32(b[24:], m.number)
		binary.LittleEndian.PutUint32(b[28:], m.line)
		if _, err := r.out[p].Write(b[:]); err != nil {
			return fmt.Errorf("write a temporary file: %w", err)
		}
	}
	r.marks = r.marks[:0]
	return nil
}

// find returns the repeated records by number.
func (r *repeats) find() (map[int]repeat, error) {
	found := map[int]repeat{}
	for p := range r.files {
		if r.files[p] == nil {
			continue
		}
		if err := errors.Join(r.out[p].Flush(), rewind(r.files[p])); err != nil {
			return nil, fmt.Errorf("read a temporary file: %w", err)
		}
		marks, err := readMarks(bufio.NewReader(r.files[p]))
		if err != nil {
			return nil, err
		}
		for _, m := range r.marks {
			if m.reference[0]%partitions == byte(p) {
				marks = append(marks, m)
			}
		}
		group(marks, found)
	}
	if r.files == [partitions]*os.File{} {
		group(r.marks, found)
		return found, nil
	}
	// References whose partition never reached the disk are all still in memory.
	rest := slices.DeleteFunc(r.marks, func(m mark) bool { return r.files[m.reference[0]%partitions] != nil })
	group(rest, found)
	return found, nil
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

func readMarks(in io.Reader) ([]mark, error) {
	var marks []mark
	var b [markSize]byte
	for {
		if _, err := io.ReadFull(in, b[:]); errors.Is(err, io.EOF) {
			return marks, nil
		} else if err != nil {
			return nil, fmt.Errorf("read a temporary file: %w", err)
		}
		m := mark{number: binary.LittleEndian.Uint32(b[24:]), line: binary.LittleEndian.Uint32(b[28:])}
		copy(m.reference[:], b[:12])
		copy(m.content[:], b[12:24])
		marks = append(marks, m)
	}
}

// group adds the marks that share a reference to found.
func group(marks []mark, found map[int]repeat) {
	slices.SortFunc(marks, func(a, b mark) int {
		if c := slices.Compare(a.reference[:], b.reference[:]); c != 0 {
			return c
		}
		return int(a.number) - int(b.number)
	})
	for len(marks) > 0 {
		n := 1
		conflict := false
		for n < len(marks) && marks[n].reference == marks[0].reference {
			conflict = conflict || marks[n].content != marks[0].content
			n++
		}
		for i := range n {
			if n > 1 && (conflict || i > 0) {
				found[int(marks[i].number)] = repeat{conflict: conflict, first: int(marks[0].line)}
			}
		}
		marks = marks[n:]
	}
}

// close removes the temporary files.
func (r *repeats) close() error {
	var errs []error
	for _, f := range r.files {
		if f != nil {
			errs = append(errs, f.Close(), os.Remove(f.Name()))
		}
	}
	return errors.Join(errs...)
}
