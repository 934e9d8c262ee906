package journal

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"tallyman/formats"
)

// Work says how the lines of a journal are read: by several workers, block by
// block, and taken in order. No answer depends on how many there are, or on the
// size of the blocks.
type Work struct {
	Block   int                        // bytes read at once; 0: what fits in a cache
	Workers int                        // 0: one a processor
	Key     *formats.EventKey          // to fill Line.Event; nil leaves it empty
	Secrets Secrets                    // to fill Line.Signature
	Ours    bool                       // a Writer made the directory: segments without a HEAD are damage
	Known   []Witness                  // of lines that must be there still, if older ones than they are here
	Prepare func(worker int, b *Batch) // called by the workers, in any order and at the same time; may be nil
	Take    func(b *Batch) error       // called in the order of the journal, one at a time; calls b.Release once it has done with the lines
}

// Batch is some lines of one file, in order.
type Batch struct {
	Lines []Line // those that hold any text; valid until Release
	Aside any    // what whoever takes batches keeps with this one; it outlives Release

	file  *source
	begin bool  // the file begins here
	first int64 // number of its first line
	block block
	end   error // of closing the file
	sum   string

	ready chan struct{}
	free  chan *Batch
}

// source is a file that lines come from.
type source struct {
	path    string // as it was opened
	name    string // without directory; of a segment the one it had before it was sealed
	segment bool
}

func newSource(path string) *source {
	f := &source{path: path, name: filepath.Base(path)}
	if _, f.segment = segmentDay(f.name); f.segment {
		f.name = plainName(f.name)
	}
	return f
}

// Release gives the batch back to be filled again.
func (b *Batch) Release() { b.free <- b }

// batchesAhead is how many batches there are beside one for each worker: being
// read, taken, and worked on by whoever takes them.
const batchesAhead = 6

// run reads all files and takes their batches.
func (s *scan) run(ctx context.Context) (Summary, error) {
	s.chain = newChain(&s.damage, &s.notices, s.known)
	s.chain.excerpt = s.excerpt
	if err := s.batches(ctx); err != nil {
		return Summary{}, err
	}
	s.chain.finish()
	s.summary.Seq, s.summary.Hash = s.chain.end()
	s.summary.Damage, s.summary.DamageCount = s.damage.list, s.damage.count
	s.summary.Notices = s.notices.list
	return s.summary, nil
}

func (s *scan) batches(ctx context.Context) error {
	workers := cmp.Or(s.work.Workers, runtime.GOMAXPROCS(0))
	all := workers + batchesAhead
	free, parse, order := make(chan *Batch, all), make(chan *Batch, all), make(chan *Batch, all)
	for range all {
		free <- &Batch{ready: make(chan struct{}, 1), free: free}
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(parse)
		defer close(order)
		return s.readFiles(within, free, func(b *Batch) {
			parse <- b
			order <- b
		})
	})
	for n := range workers {
		group.Go(func() error {
			parser := newLineParser(s.work)
			for b := range parse {
				parser.parse(b)
				if s.work.Prepare != nil {
					s.work.Prepare(n, b)
				}
				b.ready <- struct{}{}
			}
			return nil
		})
	}
	group.Go(func() error {
		for b := range order {
			<-b.ready
			if err := s.take(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// readFiles reads all files block by block.
func (s *scan) readFiles(ctx context.Context, free <-chan *Batch, hand func(*Batch)) error {
	for _, path := range s.files {
		in, err := openInput(path)
		if err != nil {
			return err
		}
		file, blocks := newSource(in.path), newBlockReader(in, cmp.Or(s.work.Block, blockSize))
		for begin, number := true, int64(1); ; begin = false {
			var b *Batch
			select {
			case b = <-free:
			case <-ctx.Done():
				in.close()
				return errors.Join(ctx.Err(), in.file.Close())
			}
			b.file, b.begin = file, begin
			b.block, b.first = blocks.next(b.block.text), number
			number += b.block.lines()
			last := b.block.last
			if last {
				b.sum, b.end = in.finish()
			}
			hand(b)
			if last {
				break
			}
		}
	}
	return nil
}

// lineParser is what one worker parses lines with.
type lineParser struct {
	events  *formats.EventReader // nil: nobody asks for events
	secrets Secrets
}

func newLineParser(w Work) *lineParser {
	p := &lineParser{secrets: w.Secrets}
	if w.Key != nil {
		p.events = formats.NewEventReader(w.Key)
	}
	return p
}

// parse splits a block into lines and reads each.
func (p *lineParser) parse(b *Batch) {
	b.Lines = b.Lines[:0]
	rest := b.block.text
	for len(rest) > 0 {
		text, after, whole := bytes.Cut(rest, []byte("\n"))
		offset := b.block.offset + int64(len(b.block.text)-len(rest))
		rest = after
		n := len(b.Lines)
		if n < cap(b.Lines) {
			b.Lines = b.Lines[:n+1]
		} else {
			b.Lines = append(b.Lines, Line{})
		}
		l := &b.Lines[n]
		l.Path, l.File, l.Number, l.Offset, l.Raw, l.Err = b.file.path, b.file.name, b.first+int64(n), offset, text, nil
		l.whole = whole || (b.block.cut && !b.block.open)
		if l.cut = b.block.cut || len(text) > maxLine; l.cut {
			l.Raw = text[:maxLine]
		}
		l.blank = isBlank(l.Raw)
		p.line(l)
	}
}

// line reads one line.
func (p *lineParser) line(l *Line) {
	text := l.Raw
	if l.Offset == 0 {
		text = bytes.TrimPrefix(text, byteOrderMark)
	}
	switch {
	case l.cut:
		l.Record, l.Err = formats.JournalRecord{Bare: true, Body: l.Raw}, fmt.Errorf("the line is longer than %d bytes", maxLine)
		if p.events != nil {
			p.events.ReadBody(l.Raw, &l.Event)
		}
	case p.events != nil:
		l.Err = p.events.ReadLine(text, &l.Record, &l.Event)
	default:
		l.Record, l.Err = formats.ParseJournalLine(text)
	}
	if l.Err == nil && l.Record.Prev != "" {
		l.sum = sha256.Sum256(l.Raw)
	}
	l.Signature = Unverified
	if len(p.secrets) > 0 && l.Err == nil {
		l.Signature = p.secrets.Check(l.Record)
	}
}
