package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tallyman/formats"
	"tallyman/internal/durable"
)

// makeDir creates the directory of a journal. One that others may write to is
// refused, since they could exchange the segments.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create journal: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("create journal: %w", err)
	}
	if durable.Shared(info)&0o002 != 0 {
		return fmt.Errorf("everybody may write to the journal directory %s: run chmod o-w on it", dir)
	}
	return nil
}

// resume finds the end of the journal and prepares the writer to go on there.
func (w *Writer) resume(ctx context.Context) error {
	if err := w.sweep(); err != nil {
		return err
	}
	s, headEnd, err := w.recent(ctx)
	if err != nil {
		return err
	}
	for _, d := range s.damage.list[:min(len(s.damage.list), 10)] {
		if d.Kind != TornTail {
			w.log.Error("the journal is damaged: run `tallyman journal verify`", "damage", d.String(), "in_all", s.damage.count)
		}
	}
	if s.repairable() {
		if _, err := s.repair(w.opt.disk, w.opt.Now(), w.log); err != nil {
			return err
		}
	}
	w.seq, w.hash = s.chain.seq, s.chain.hash
	if err := w.heed(s); err != nil {
		return err
	}
	if err := w.openLast(headEnd); err != nil {
		return err
	}
	w.stats.Seq = w.seq
	return w.firstHead()
}

// sweep removes what a killed process left of a HEAD that was never put in
// place.
func (w *Writer) sweep() error {
	left, err := filepath.Glob(filepath.Join(escapeGlob(w.dir), "."+headName+"*"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// recent scans the segments of the last days, and older ones if those hold no
// line, and remembers their deliveries. It also returns where the line that
// HEAD knows ends in the last segment, or 0.
func (w *Writer) recent(ctx context.Context) (*scan, int64, error) {
	segments, err := Segments(w.dir)
	if err != nil {
		return nil, 0, err
	}
	oldest := w.opt.Now().UTC().AddDate(0, 0, -rememberDays-1)
	for all := false; ; all = true {
		s, err := newScan(w.dir, nil)
		if err != nil {
			return nil, 0, err
		}
		s.own, s.mine, s.files = true, true, s.files[:0]
		for i, segment := range segments {
			if all || i == len(segments)-1 || !segment.Day.Before(oldest) {
				s.files = append(s.files, segment.Path)
			}
		}
		s.excerpt = len(s.files) < len(segments)
		w.memory = newMemory(w.opt.Remember)
		var headEnd int64
		s.fn = func(l Line) error {
			headEnd = w.recall(l, s, headEnd)
			return nil
		}
		if _, err := s.run(ctx); err != nil {
			return nil, 0, err
		}
		if s.chain.started || all || len(s.files) == len(segments) {
			return s, headEnd, nil
		}
	}
}

// recall remembers one delivery of the past.
func (w *Writer) recall(l Line, s *scan, headEnd int64) int64 {
	if l.Err != nil || l.Record.Prev == "" {
		return headEnd
	}
	w.stats.Last = l.Record.ReceivedAt
	w.memory.add(pairOf(l.Record.WebhookID, l.Record.Body))
	if l.Path != s.files[len(s.files)-1] {
		return 0
	}
	for _, known := range s.known {
		if known.Source == headName && l.Record.Seq == known.Seq {
			return l.Offset + int64(len(l.Raw)) + 1
		}
	}
	return headEnd
}

// heed compares the end of the journal with HEAD. Where HEAD knows more, the
// chain goes on behind that; where it knows something else, it is kept.
func (w *Writer) heed(s *scan) error {
	head, err := readHead(filepath.Join(w.dir, headName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.head = -1
		return nil
	case errors.Is(err, errHeadUnreadable):
		w.head = -1
		return w.keepOldHead()
	case err != nil:
		return err
	}
	w.head = head.Seq
	for _, seen := range s.chain.seen {
		if seen.Source == headName && seen.met && !seen.fit {
			w.head = -1
			return w.keepOldHead()
		}
	}
	if head.Seq > w.seq {
		w.log.Error("lines at the end of the journal are missing: look for them in a backup", "have", w.seq, "head", head.Seq)
		var hash [sha256.Size]byte
		if _, err := hex.Decode(hash[:], []byte(head.Hash)); err != nil {
			return err
		}
		w.seq, w.hash = head.Seq, hash
	}
	return nil
}

func (w *Writer) keepOldHead() error {
	aside, err := putHeadAside(w.dir, w.opt.Now())
	if err == nil {
		w.log.Error("HEAD does not fit the journal; it is kept, and `tallyman journal verify` names it", "aside", aside)
	}
	return err
}

// openLast opens the last segment for appending, if it is a plain file. Lines
// behind headEnd may stand in the page cache only, if a sync failed before; so
// they are written once more in place before anything is built on them.
func (w *Writer) openLast(headEnd int64) error {
	segments, err := Segments(w.dir)
	if err != nil || len(segments) == 0 {
		return err
	}
	last := segments[len(segments)-1]
	w.day = last.Day
	if last.Compressed {
		return nil
	}
	if err := w.opt.disk.rewrite(last.Path, headEnd); err != nil {
		return err
	}
	if err := w.opt.disk.syncDir(w.dir); err != nil {
		return err
	}
	if w.segment, err = w.opt.disk.open(last.Path); err != nil {
		return err
	}
	w.path, w.size = last.Path, last.Bytes
	return nil
}

// firstHead brings HEAD up to the end of the journal. An empty journal has one
// too: from then on a missing HEAD means that somebody took it away.
func (w *Writer) firstHead() error {
	if w.seq == 0 {
		hash := formats.JournalGenesis
		if w.head == 0 {
			return nil
		}
		w.headAt = time.Now()
		w.head = 0
		return w.opt.disk.writeHead(filepath.Join(w.dir, headName), Witness{Hash: hash}.text())
	}
	return w.writeHead()
}
