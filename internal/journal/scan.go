package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tallyman/formats"
)

// scan is one way through a journal.
type scan struct {
	path    string
	files   []string // full names, in order
	own     bool     // a directory with a head: its segments hold nothing but chained lines
	excerpt bool     // files are only the youngest segments
	mine    bool     // this process holds the lock, so nobody else is writing
	known   []Witness
	fn      func(Line) error

	summary Summary
	damage  findings
	notices findings
	chain   *chain
	torn    *tail

	// of the file that is being read
	name      string
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

func (s *scan) run(ctx context.Context) (Summary, error) {
	s.chain = newChain(&s.damage, &s.notices, s.known)
	s.chain.excerpt = s.excerpt
	for i, path := range s.files {
		if err := s.file(ctx, path); err != nil {
			return Summary{}, err
		}
		if err := s.endFile(path, i == len(s.files)-1); err != nil {
			return Summary{}, err
		}
	}
	s.chain.finish()
	s.summary.Seq, s.summary.Hash = s.chain.end()
	s.summary.Damage, s.summary.DamageCount = s.damage.list, s.damage.count
	s.summary.Notices = s.notices.list
	return s.summary, nil
}

func (s *scan) file(ctx context.Context, path string) error {
	in, err := openInput(path)
	if err != nil {
		return err
	}
	path = in.path
	s.name = filepath.Base(path)
	_, segment := segmentDay(s.name)
	if segment {
		s.name = plainName(s.name)
	}
	s.segment, s.chained = segment && s.own, false
	s.loose, s.partial, s.bad = position{}, position{}, position{}
	if s.own && !segment {
		s.notices.add(ForeignFile, position{file: s.name}, "it is no segment of this journal, and its lines are no part of the chain")
	}
	lines, err := s.lines(ctx, path, newLineReader(in))
	sum, closeErr := in.finish()
	if err != nil {
		return err
	}
	if closeErr != nil {
		return closeErr
	}
	s.summary.Files = append(s.summary.Files, FileSummary{Path: path, SHA256: sum, Lines: lines})
	return nil
}

func (s *scan) lines(ctx context.Context, path string, from *lineReader) (count int64, err error) {
	defer func() { s.size = from.offset }()
	for number := int64(1); ; number++ {
		if number%1024 == 1 && ctx.Err() != nil {
			return count, ctx.Err()
		}
		raw, err := from.next()
		at := position{s.name, number, raw.offset}
		switch {
		case errors.Is(err, io.EOF):
			return count, nil
		case err != nil && filepath.Ext(path) == ".jsonl":
			return count, fmt.Errorf("read journal %s: %w", path, err)
		case err != nil:
			s.damage.add(UnreadableInput, at, "the compressed file breaks off or is damaged: take it from a backup")
			return count, nil
		}
		if !raw.whole && !s.complete(raw) {
			s.partial = at
			return count, nil
		}
		count++
		if err := s.line(path, raw, at); err != nil {
			return count, err
		}
	}
}

// complete reports whether a last line without a newline is to be taken as it
// is: others leave the newline out.
func (s *scan) complete(raw rawLine) bool {
	if s.chained || s.segment || raw.cut {
		return false
	}
	r, err := formats.ParseJournalLine(trimMark(raw))
	if err != nil || r.Prev != "" {
		return false
	}
	var object map[string]json.RawMessage
	return json.Unmarshal(trimMark(raw), &object) == nil
}

// line checks one line and hands it out.
func (s *scan) line(path string, raw rawLine, at position) error {
	l := Line{Path: path, File: s.name, Number: at.line, Offset: at.offset, Raw: raw.text}
	if raw.cut {
		l.Record = formats.JournalRecord{Bare: true, Body: raw.text}
		l.Err = fmt.Errorf("the line is longer than %d bytes", maxLine)
	} else {
		l.Record, l.Err = formats.ParseJournalLine(trimMark(raw))
	}
	blank := isBlank(raw.text)
	switch {
	case l.Err == nil && l.Record.Prev != "" && l.Record.Seq > 0:
		s.link(&l, at)
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
	if blank {
		return nil
	}
	s.summary.Lines++
	return s.fn(l)
}

// link takes a chained line.
func (s *scan) link(l *Line, at position) {
	if s.loose.known() && !s.chain.started && l.Record.Seq != 1 {
		s.damage.add(Unparsable, s.loose, "it stands in the place of line number %d", l.Record.Seq-1)
		s.chain.unreadable(s.loose)
	}
	s.chained, s.loose, s.bad = true, position{}, position{}
	s.chain.add(&l.Record, l.Raw, at)
}

func unparsable(l Line, blank bool) string {
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
