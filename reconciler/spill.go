package reconciler

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// SpillFile is a file for what has no room in memory. It is written once, from beginning to end, and then read.
type SpillFile interface {
	Write(p []byte) (n int, err error)                // as io.Writer
	ReadAt(p []byte, offset int64) (n int, err error) // as io.ReaderAt
	Close() error                                     // gives the room on disk free
}

// spill is a printTable's part on disk: runs of entries in the order of their prints. A run that is not much larger than
// the next one is merged with it, so that there are few however much is spilled. A filter in memory, of about 12 bits an
// entry, tells of nearly all new prints that no run has them, without a look at the disk.
type spill struct {
	create func() (SpillFile, error)
	runs   []*spillRun
	block  []byte
}

// spillRun is one run.
type spillRun struct {
	file   SpillFile
	count  int64
	starts [printShards + 1]int64 // the first entry of each shard
	filter []uint64
}

const (
	filterBits   = 12 // for each entry
	filterProbes = 6
	spillBlock   = 64 // entries that are read at once
)

// bytes returns the bytes that the table takes in memory.
func (t *printTable) bytes() int64 {
	var total int64
	for i := range t.shards {
		total += int64(len(t.shards[i].slots))
	}
	return total
}

// spillTo moves all entries to disk.
func (t *printTable) spillTo(s *spill) error {
	run, w, err := s.begin(int64(t.count))
	if err != nil {
		return err
	}
	size := t.size()
	for i := range t.shards {
		run.starts[i] = run.count
		for slots := t.shards[i].slots; len(slots) > 0; slots = slots[size:] {
			if binary.LittleEndian.Uint64(slots) == 0 {
				continue
			}
			if err := run.add(w, byte(i), slots[:size], t.keySize); err != nil {
				return err
			}
		}
		t.shards[i] = printShard{}
	}
	t.count = 0
	run.starts[printShards] = run.count
	if err := w.Flush(); err != nil {
		return fmt.Errorf("spill to disk: %w", err)
	}
	for n := len(s.runs); n > 0 && s.runs[n-1].count <= 2*run.count; n = len(s.runs) {
		if run, err = s.merge(t, s.runs[n-1], run); err != nil {
			return err
		}
		s.runs = s.runs[:n-1]
	}
	s.runs = append(s.runs, run)
	return nil
}

// begin makes an empty run for so many entries.
func (s *spill) begin(entries int64) (*spillRun, *bufio.Writer, error) {
	file, err := s.create()
	if err != nil {
		return nil, nil, fmt.Errorf("spill to disk: %w", err)
	}
	return &spillRun{file: file, filter: make([]uint64, entries*filterBits/64+1)}, bufio.NewWriterSize(file, 256<<10), nil
}

// add writes one entry.
func (r *spillRun) add(w *bufio.Writer, shard byte, entry []byte, keySize int) error {
	r.count++
	r.probe(shard, entry[:keySize], true)
	if _, err := w.Write(entry); err != nil {
		return fmt.Errorf("spill to disk: %w", err)
	}
	return nil
}

// probe asks the filter for a key, or enters it. A filter never forgets a key, and takes one in some hundred for another.
func (r *spillRun) probe(shard byte, key []byte, enter bool) bool {
	h := binary.LittleEndian.Uint64(key) ^ uint64(shard)<<56
	step := h*0x9e3779b97f4a7c15 | 1
	for _, c := range key[8:] {
		step = step*31 + uint64(c)<<1
	}
	bits := uint64(len(r.filter)) * 64
	for range filterProbes {
		h += step
		at := (h ^ h>>29) % bits
		if enter {
			r.filter[at/64] |= 1 << (at % 64)
		} else if r.filter[at/64]&(1<<(at%64)) == 0 {
			return false
		}
	}
	return true
}

// merge makes one run of two, and frees those.
func (s *spill) merge(t *printTable, a, b *spillRun) (*spillRun, error) {
	run, w, err := s.begin(a.count + b.count)
	if err != nil {
		return nil, err
	}
	size := int64(t.size())
	left := bufio.NewReaderSize(&runReader{file: a.file, left: a.count * size}, 256<<10)
	right := bufio.NewReaderSize(&runReader{file: b.file, left: b.count * size}, 256<<10)
	for shard := range printShards {
		run.starts[shard] = run.count
		restA, restB := a.starts[shard+1]-a.starts[shard], b.starts[shard+1]-b.starts[shard]
		for restA+restB > 0 {
			from, rest := left, &restA
			if restA == 0 {
				from, rest = right, &restB
			} else if restB > 0 {
				x, errX := left.Peek(int(size))
				y, errY := right.Peek(int(size))
				if err := errors.Join(errX, errY); err != nil {
					return nil, fmt.Errorf("read what was spilled to disk: %w", err)
				}
				if t.compare(y, x) < 0 {
					from, rest = right, &restB
				}
			}
			entry, err := from.Peek(int(size))
			if err != nil {
				return nil, fmt.Errorf("read what was spilled to disk: %w", err)
			}
			if err := run.add(w, byte(shard), entry, t.keySize); err != nil {
				return nil, err
			}
			_, _ = from.Discard(int(size)) // it was peeked at
			*rest--
		}
	}
	run.starts[printShards] = run.count
	if err := errors.Join(w.Flush(), a.file.Close(), b.file.Close()); err != nil {
		return nil, fmt.Errorf("spill to disk: %w", err)
	}
	return run, nil
}

// runReader reads a run from beginning to end.
type runReader struct {
	file     SpillFile
	at, left int64
}

func (r *runReader) Read(p []byte) (int, error) {
	n, err := r.file.ReadAt(p[:min(int64(len(p)), r.left)], r.at)
	r.at, r.left = r.at+int64(n), r.left-int64(n)
	return n, err
}

// compare orders two entries of a shard.
func (t *printTable) compare(a, b []byte) int {
	x, y := binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return bytes.Compare(a[8:t.keySize], b[8:t.keySize])
	}
}

// find returns the value of a print that was spilled, or nil. It is valid until the next call.
func (s *spill) find(t *printTable, k printKey) ([]byte, error) {
	if len(s.runs) == 0 {
		return nil, nil
	}
	var key [16]byte
	t.write(key[:t.keySize], k)
	for _, run := range s.runs {
		if !run.probe(k.shard, key[:t.keySize], false) {
			continue
		}
		value, err := s.findIn(run, t, k.shard, key[:t.keySize])
		if value != nil || err != nil {
			return value, err
		}
	}
	return nil, nil
}

// findIn looks for a print in one run: it halves the stretch in which it must stand until that can be read at once.
func (s *spill) findIn(run *spillRun, t *printTable, shard byte, key []byte) ([]byte, error) {
	size := int64(t.size())
	if s.block == nil {
		s.block = make([]byte, spillBlock*32)
	}
	read := func(from, to int64) ([]byte, error) {
		block := s.block[:(to-from)*size]
		if _, err := run.file.ReadAt(block, from*size); err != nil {
			return nil, fmt.Errorf("read what was spilled to disk: %w", err)
		}
		return block, nil
	}
	low, high := run.starts[shard], run.starts[int(shard)+1]
	for high-low > spillBlock {
		middle := low + (high-low)/2
		entry, err := read(middle, middle+1)
		if err != nil {
			return nil, err
		}
		if t.compare(entry, key) <= 0 {
			low = middle
		} else {
			high = middle
		}
	}
	block, err := read(low, high)
	for ; len(block) > 0; block = block[size:] {
		if t.compare(block[:size], key) == 0 {
			return block[t.keySize:size], nil
		}
	}
	return nil, err
}

// close frees all runs.
func (s *spill) close() error {
	var err error
	for _, run := range s.runs {
		err = errors.Join(err, run.file.Close())
	}
	s.runs = nil
	return err
}
