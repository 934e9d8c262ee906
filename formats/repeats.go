package formats

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
)

// Repeat says that a record's reference stands in its file more than once (design.md section 6): equal records count once,
// and if any of them differs, none can be believed.
type Repeat struct {
	Number   int  // of the record
	Line     int  // of the record
	Other    int  // line of the first record with the reference that differs, or where none does of the first of all
	Conflict bool // the records differ
	Faulty   bool // the record has problems of its own
}

// ConflictingRows is the rule that a record breaks which is fine by itself, where another one with its reference differs.
const ConflictingRows = "conflicting_rows"

// Remedy says what to do about records that differ.
func (r Repeat) Remedy() string {
	return fmt.Sprintf("another row with this reference says something else (at line %d); leave the right one only", r.Other)
}

// Repeats finds the repeated references of a file: Add each record in file order, call Find once, Close in any case. It
// remembers hashes of 128 bits under a secret of its own, so that a file of any size takes little memory.
type Repeats struct {
	dir   string
	seeds [2]maphash.Seed
	marks []mark
	text  []byte
	files [repeatParts]*os.File
	out   [repeatParts]*bufio.Writer
}

// mark is what is remembered of a record.
type mark struct {
	reference    [2]uint64
	content      uint64 // compared among equal references only
	number, line uint64
	faulty       bool
}

const (
	repeatParts = 256     // files that the marks are spread over by reference: of 5 GB, each has some 10 MB
	marksHeld   = 1 << 18 // marks in memory before they go to files
	markSize    = 5 * 8
)

// NewRepeats returns a finder that keeps its temporary files in a directory.
func NewRepeats(dir string) *Repeats {
	return &Repeats{dir: dir, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// Add remembers a record. Of a record with problems the bytes are its content, since its fields may be incomplete.
func (r *Repeats) Add(record *CustomerRecord) error {
	if record.Customer.ExternalReference == "" {
		return nil
	}
	m := mark{number: uint64(record.Number), line: uint64(record.Line), faulty: len(record.Problems) > 0}
	if m.faulty {
		r.text = append(append(r.text[:0], "raw\x00"...), record.Raw...)
	} else {
		r.text = record.Customer.AppendCanonical(r.text[:0])
	}
	for i, seed := range r.seeds {
		m.reference[i] = maphash.String(seed, record.Customer.ExternalReference)
	}
	m.content = maphash.Bytes(r.seeds[0], r.text)
	if r.marks = append(r.marks, m); len(r.marks) < marksHeld {
		return nil
	}
	return r.spill()
}

// spill moves the marks to files, those of one reference to the same one.
func (r *Repeats) spill() error {
	for _, m := range r.marks {
		p := m.reference[0] % repeatParts
		if r.out[p] == nil {
			f, err := os.CreateTemp(r.dir, "repeats-")
			if err != nil {
				return fmt.Errorf("make a temporary file: %w", err)
			}
			r.files[p], r.out[p] = f, bufio.NewWriterSize(f, 16<<10)
		}
		if _, err := r.out[p].Write(m.appendTo(r.out[p].AvailableBuffer())); err != nil {
			return fmt.Errorf("write a temporary file: %w", err)
		}
	}
	r.marks = r.marks[:0]
	return nil
}

func (m mark) appendTo(b []byte) []byte {
	line := m.line << 1
	if m.faulty {
		line |= 1
	}
	for _, v := range [...]uint64{m.reference[0], m.reference[1], m.content, m.number, line} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func markOf(b []byte) mark {
	v := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return mark{reference: [2]uint64{v(0), v(1)}, content: v(2), number: v(3), line: v(4) >> 1, faulty: v(4)&1 == 1}
}

// Find returns the repeats in file order. The first of equal records is none.
func (r *Repeats) Find() ([]Repeat, error) {
	spilt := slices.ContainsFunc(r.files[:], func(f *os.File) bool { return f != nil })
	if !spilt {
		return inOrder(new(search).in(r.marks)), nil
	}
	if err := r.spill(); err != nil {
		return nil, err
	}
	var found [repeatParts][]Repeat
	var errs [repeatParts]error
	var work sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		work.Go(func() {
			var s search
			for p := w; p < repeatParts; p += workers {
				found[p], errs[p] = r.findIn(p, &s)
			}
		})
	}
	work.Wait()
	return inOrder(slices.Concat(found[:]...)), errors.Join(errs[:]...)
}

// findIn finds the repeats among the marks of one file.
func (r *Repeats) findIn(part int, s *search) ([]Repeat, error) {
	if r.files[part] == nil {
		return nil, nil
	}
	if err := r.out[part].Flush(); err != nil {
		return nil, fmt.Errorf("write a temporary file: %w", err)
	}
	if err := s.read(r.files[part]); err != nil {
		return nil, fmt.Errorf("read a temporary file: %w", err)
	}
	return s.in(s.marks), nil
}

func inOrder(found []Repeat) []Repeat {
	slices.SortFunc(found, func(a, b Repeat) int { return cmp.Compare(a.Number, b.Number) })
	return found
}

// search finds repeats among marks. It keeps its room from one file to the next, which would otherwise grow with the file
// that is read.
type search struct {
	marks  []mark
	bytes  []byte
	places []uint32
}

// read reads the marks of a file.
func (s *search) read(f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if s.bytes == nil {
		s.bytes = make([]byte, 1024*markSize)
	}
	s.marks = slices.Grow(s.marks[:0], int(size/markSize))
	in := io.NewSectionReader(f, 0, size)
	for {
		n, err := io.ReadFull(in, s.bytes)
		for at := 0; at+markSize <= n; at += markSize {
			s.marks = append(s.marks, markOf(s.bytes[at:]))
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// in returns those of the marks that share a reference. There are few in most files, so the marks are only hashed to find
// out which those are, and they alone are sorted.
func (s *search) in(marks []mark) (found []Repeat) {
	shared := s.shared(marks)
	slices.SortFunc(shared, func(a, b mark) int {
		return cmp.Or(cmp.Compare(a.reference[0], b.reference[0]), cmp.Compare(a.reference[1], b.reference[1]), cmp.Compare(a.number, b.number))
	})
	for len(shared) > 0 {
		n, differs := 1, 0 // differs: the first one that is unlike the first of all
		for n < len(shared) && shared[n].reference == shared[0].reference {
			if differs == 0 && shared[n].content != shared[0].content {
				differs = n
			}
			n++
		}
		for i, m := range shared[:n] {
			if differs == 0 && i == 0 {
				continue
			}
			other := shared[0]
			if m.content == shared[0].content {
				other = shared[differs]
			}
			found = append(found, Repeat{Number: int(m.number), Line: int(m.line), Other: int(other.line), Conflict: differs > 0, Faulty: m.faulty})
		}
		shared = shared[n:]
	}
	return found
}

// shared returns the marks whose reference another one has too, by a table of half-full open addressing.
func (s *search) shared(marks []mark) []mark {
	size := 1
	for size < 2*len(marks) {
		size *= 2
	}
	s.places = slices.Grow(s.places[:0], size)[:size]
	clear(s.places)
	first := s.places         // one more than the index of the first mark with a reference; 0 is a free place
	told := map[uint32]bool{} // first marks that are among the shared ones
	var shared []mark
	for i := range marks {
		for at := marks[i].reference[1] & uint64(size-1); ; at = (at + 1) & uint64(size-1) {
			f := first[at]
			if f == 0 {
				first[at] = uint32(i) + 1
				break
			}
			if marks[f-1].reference != marks[i].reference {
				continue
			}
			if !told[f] {
				told[f] = true
				shared = append(shared, marks[f-1])
			}
			shared = append(shared, marks[i])
			break
		}
	}
	return shared
}

// Close removes the temporary files.
func (r *Repeats) Close() error {
	var errs []error
	for _, f := range r.files {
		if f != nil {
			errs = append(errs, f.Close(), os.Remove(f.Name()))
		}
	}
	return errors.Join(errs...)
}
