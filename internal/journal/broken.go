package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// A write or a sync that failed leaves a segment in a state that nobody knows:
// the kernel may hold bytes that the disk never got and will not say so again.
// So the error is final for that segment. What was not acknowledged is moved
// aside, and a new segment must take the next batch.

// broken notes why the writer cannot go on and returns it as ErrBroken.
func (w *Writer) broken(cause error) error {
	w.health.Lock()
	defer w.health.Unlock()
	w.trouble = fmt.Errorf("%w: %w", ErrBroken, cause)
	w.proveAt = time.Now().Add(proveEvery)
	w.log.Error("the journal cannot be written, events are refused until it can: look at the disk", "error", cause)
	return w.trouble
}

// synced notes that so many bytes, received at now, have reached the disk.
func (w *Writer) synced(bytes int, now time.Time) {
	w.health.Lock()
	defer w.health.Unlock()
	w.stats = Stats{Seq: w.seq, Bytes: w.stats.Bytes + int64(bytes), Last: now}
	if w.trouble != nil {
		w.log.Info("the journal can be written again", "segment", filepath.Base(w.path))
		w.trouble = nil
	}
}

// prove leaves the segment that failed behind, so that the next batch goes to
// a new one. Until that is synced the writer stays broken.
func (w *Writer) prove(trouble error) error {
	if errors.Is(trouble, errTouched) || time.Now().Before(w.proveAt) {
		return trouble
	}
	if w.segment == nil {
		return nil
	}
	if err := w.abandon(); err != nil {
		return w.broken(err)
	}
	return nil
}

// abandon cuts the segment down to what was acknowledged and closes it.
func (w *Writer) abandon() error {
	info, err := w.opt.disk.stat(w.path)
	if err != nil {
		return err
	}
	if info.Size() > w.size {
		aside, err := moveAside(w.opt.disk, w.path, w.size, w.opt.Now())
		if err != nil {
			return err
		}
		w.log.Warn("moved what was never acknowledged aside", "segment", filepath.Base(w.path), "aside", aside)
	}
	// The descriptor has reported its error; closing it can only repeat that.
	_ = w.endSegment()
	if w.size > 0 {
		return nil
	}
	// Nothing was ever acknowledged in it. Its name is free again, so that a
	// disk that stays broken does not use up the names of the day.
	if err := w.opt.disk.remove(w.path); err != nil {
		return err
	}
	return w.opt.disk.syncDir(w.dir)
}
