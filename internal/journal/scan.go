package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// scan is one way through a journal.
type scan struct {
	path    string
	files   []string // full names, in order
	own     bool     // a directory with a head: its segments hold nothing but chained lines
	excerpt bool     // files are only the youngest segments
	mine    bool     // this process holds the lock, so nobody else is writing
	known   []Witness
	fn      func(Line) error // takes one line; nil if whole batches are taken
	work    Work

	summary Summary
	damage  findings
	notices findings
	chain   *chain
	torn    *tail

	// of the file that is being read
	name      string
	number    int64    // of its last line
	segment   bool     // it is a segment of a directory with a head
	chained   bool     // it has had a chained line
	loose     position // its last line without a chain, as long as it has no chained one
	partial   position // a last line without a newline
	bad       position // the first of the lines at its end that are no records
	badDamage findings // the damage before that line
	size      int64    // bytes read, uncompressed
}

// tail is the end of a file that was never written whole.
type tail struct {
	path   string
	offset int64 // of its first byte
	size   int64 // bytes
}

func newScan(path string, fn func(Line) error) (*scan, error) {
	s := &scan{path: path, files: []string{path}, fn: fn}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	if info.IsDir() {
		// Heads first: what is written meanwhile only makes the journal longer.
		if err := s.heads(); err != nil {
			return nil, err
		}
		names, err := lineFiles(path)
		if err != nil {
			return nil, err
		}
		s.files = s.files[:0]
		for _, name := range names {
			s.files = append(s.files, filepath.Join(path, name))
		}
	}
	return s, nil
}

func (s *scan) heads() error {
	known, unreadable, err := witnesses(s.path)
	if err != nil {
		return err
	}
	for _, name := range unreadable {
		s.damage.add(HeadUnreadable, position{file: name},
			"it does not hold a seq and a hash: move it away, and the next start of the receiver writes a new one")
	}
	s.known, s.own = known, len(known)+len(unreadable) > 0
	return nil
}

// take checks the lines of a batch, which come in order, and hands them on.
func (s *scan) take(b *Batch) error {
	if b.begin {
		s.beginFile(b.file)
	}
	lines := b.Lines
	b.Lines = lines[:0]
	for i := range lines {
		l := &lines[i]
		at := l.position()
		if !l.whole && !s.complete(l) {
			s.partial = at
			break
		}
		s.number = l.Number
		if blank := s.line(l, at); blank {
			continue
		}
		if s.fn != nil {
			if err := s.fn(*l); err != nil {
				return err
			}
		}
		if n := len(b.Lines); n < i {
			lines[n] = *l
		}
		b.Lines = b.Lines[:len(b.Lines)+1]
	}
	s.summary.Lines += int64(len(b.Lines))
	if b.block.last {
		if err := s.finishFile(b); err != nil {
			return err
		}
	}
	if s.work.Take != nil {
		return s.work.Take(b)
	}
	b.Release()
	return nil
}

func (s *scan) beginFile(file *source) {
	s.name = file.name
	s.segment, s.chained = file.segment && s.own, false
	s.loose, s.partial, s.bad = position{}, position{}, position{}
	s.number, s.size = 0, 0
	if s.own && !file.segment {
		s.notices.add(ForeignFile, position{file: s.name}, "it is no segment of this journal, and its lines are no part of the chain")
	}
}

// finishFile takes the end of a file, or of what can be read of it.
func (s *scan) finishFile(b *Batch) error {
	path := b.file.path
	s.size = b.block.offset + b.block.size
	switch {
	case b.block.err == nil:
	case filepath.Ext(path) == ".jsonl":
		return fmt.Errorf("read journal %s: %w", path, b.block.err)
	default:
		s.damage.add(UnreadableInput, position{s.name, s.number + 1, s.size}, "the compressed file breaks off or is damaged: take it from a backup")
	}
	if b.end != nil {
		return b.end
	}
	s.summary.Files = append(s.summary.Files, FileSummary{Path: path, SHA256: b.sum, Lines: s.number})
	return s.endFile(path, len(s.summary.Files) == len(s.files))
}

// complete reports whether a last line without a newline is to be taken as it
// is: others leave the newline out.
func (s *scan) complete(l *Line) bool {
	if s.chained || s.segment || l.Err != nil || l.Record.Prev != "" {
		return false
	}
	var object map[string]json.RawMessage
	text := l.Raw
	if l.Offset == 0 {
		text = bytes.TrimPrefix(text, byteOrderMark)
	}
	return json.Unmarshal(text, &object) == nil
}

// line checks one line and reports whether it is blank.
func (s *scan) line(l *Line, at position) (blank bool) {
	blank = l.blank
	switch {
	case l.Err == nil && l.Record.Prev != "" && l.Record.Seq > 0:
		s.link(l, at)
	case s.segment || s.chained:
		s.chain.unreadable(at)
		if !s.bad.known() {
			s.bad, s.badDamage = at, s.damage
		}
		s.damage.add(Unparsable, at, "%s", unparsable(l, blank))
	case l.Err != nil:
		s.damage.add(Unparsable, at, "%s", unparsable(l, blank))
	case !blank:
		s.loose = at
	}
	return blank
}

// link takes a chained line.
func (s *scan) link(l *Line, at position) {
	if s.loose.known() && !s.chain.started && l.Record.Seq != 1 {
		s.damage.add(Unparsable, s.loose, "it stands in the place of line number %d", l.Record.Seq-1)
		s.chain.unreadable(s.loose)
	}
	s.chained, s.loose, s.bad = true, position{}, position{}
	s.chain.add(&l.Record, l.sum, at)
}

func unparsable(l *Line, blank bool) string {
	switch {
	case l.Err != nil:
		return l.Err.Error()
	case blank:
		return "an empty line stands where a record should"
	case !l.Record.Bare:
		return "the record has no seq or no prev, and so is no part of the chain"
	default:
		return "the line is no record of this journal"
	}
}

func isBlank(text []byte) bool {
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}
