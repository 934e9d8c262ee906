package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tallyman/formats"
)

// commit decides about a batch: known deliveries are duplicates, the others are
// written and synced together, and share their fate.
func (w *Writer) commit(batch []*appending) {
	now := w.opt.Now().UTC()
	fresh := w.fresh[:0]
	for _, a := range batch {
		if w.memory.knows(a.pair) {
			a.result = Result{Duplicate: true}
		} else {
			fresh = append(fresh, a)
		}
	}
	defer func() {
		clear(fresh)
		w.fresh = fresh[:0]
	}()
	if len(fresh) == 0 {
		return
	}
	err := w.ready(now)
	if err == nil {
		err = w.write(fresh, now)
	}
	if err != nil {
		for _, a := range fresh {
			a.result, a.err = Result{}, err
		}
	}
}

// ready makes sure that there is a segment for now, and room.
func (w *Writer) ready(now time.Time) error {
	if err := w.brokenBy(); err != nil {
		if err = w.prove(err); err != nil {
			return err
		}
	}
	if err := w.room(); err != nil {
		return err
	}
	today := now.Truncate(24 * time.Hour)
	if w.segment != nil && today.After(w.day) {
		// A clock that jumps back must not write into a day that is over.
		if err := w.endSegment(); err != nil {
			return w.broken(err)
		}
	}
	if w.segment == nil {
		return w.begin(today)
	}
	return w.untouched()
}

// begin creates the segment of a day and syncs the directory, so that no
// acknowledged line can vanish with its file.
func (w *Writer) begin(today time.Time) error {
	if today.Before(w.day) {
		today = w.day
	}
	for n := 1; n < 100; n++ {
		path := filepath.Join(w.dir, segmentName(today, n))
		if w.sealed(path) {
			continue
		}
		segment, err := w.opt.disk.create(path)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err == nil {
			w.segment, w.path, w.day, w.size = segment, path, today, 0
			err = w.opt.disk.syncDir(w.dir)
		}
		if err != nil {
			return w.broken(err)
		}
		return nil
	}
	return w.broken(fmt.Errorf("the day %s has 99 segments already", today.Format(day)))
}

// sealed reports whether the segment is there in a compressed form.
func (w *Writer) sealed(path string) bool {
	for _, ext := range []string{".gz", ".zst"} {
		if _, err := w.opt.disk.stat(path + ext); err == nil {
			return true
		}
	}
	return false
}

// untouched makes sure that nobody has replaced or written to the segment.
func (w *Writer) untouched() error {
	there, err := w.opt.disk.stat(w.path)
	if err != nil {
		return w.broken(err)
	}
	ours, err := w.segment.Stat()
	if err != nil {
		return w.broken(err)
	}
	if !os.SameFile(there, ours) || there.Size() != w.size {
		return w.broken(errTouched)
	}
	return nil
}

// errTouched is a trouble that no new segment mends: somebody else is at work.
var errTouched = errors.New("somebody else has written to the segment or replaced it: find out who, then start the receiver again")

// write appends the lines of a batch, syncs them, and only then counts them. A
// delivery that stands in the batch twice is written once.
func (w *Writer) write(batch []*appending, now time.Time) error {
	seq, hash, lines := w.seq, w.hash, w.buffer[:0]
	here := make(map[pair]struct{}, len(batch))
	for _, a := range batch {
		if _, ok := here[a.pair]; ok {
			a.result = Result{Duplicate: true}
			continue
		}
		here[a.pair] = struct{}{}
		seq++
		received := now
		if a.received != nil {
			received = *a.received
		}
		from := len(lines)
		lines = formats.JournalRecord{
			Seq: seq, ReceivedAt: received, WebhookID: a.delivery.WebhookID, WebhookTimestamp: a.delivery.Timestamp,
			WebhookSignature: a.delivery.Signature, Key: a.delivery.Key, Prev: hex.EncodeToString(hash[:]), Body: a.delivery.Body,
		}.AppendLine(lines)
		hash = sha256.Sum256(lines[from:])
		lines = append(lines, '\n')
		a.result = Result{Seq: seq}
	}
	w.buffer = keepSmall(lines)
	n, err := w.segment.Write(lines)
	if err == nil && n < len(lines) {
		err = fmt.Errorf("short write: %d of %d bytes", n, len(lines))
	}
	if err == nil {
		err = w.segment.Sync()
	}
	if err != nil {
		return w.broken(err)
	}
	w.seq, w.hash, w.size = seq, hash, w.size+int64(len(lines))
	for p := range here {
		w.memory.add(p)
	}
	w.synced(len(lines), now)
	return nil
}

// keepSmall returns b for the next batch, unless one huge batch would hold its
// memory for ever.
func keepSmall(b []byte) []byte {
	if cap(b) > maxBatchBytes {
		return nil
	}
	return b
}
