package importer

import (
	"context"
	"errors"
	"time"
)

// Outcomes are written together: at most batchSize of them, and none later than linger after it came. Each commit costs
// a synchronization of the disk, and the pages that it writes as a whole.
const (
	batchSize = 2048
	linger    = 50 * time.Millisecond
)

// note is one thing to be recorded. done, if set, gets the result once it is on disk.
type note struct {
	advance  *Advance
	finished Finished // without a row: nothing
	done     chan<- error
}

// recorder writes outcomes and new generations for all workers, in batches.
type recorder struct {
	ledger Ledger
	notes  chan note
	stop   func()        // called at the first error
	failed chan struct{} // closed after the first error
	err    error         // readable once failed is closed
}

var errRecorderFailed = errors.New("the records cannot be written any more")

func newRecorder(ledger Ledger, stop func()) *recorder {
	return &recorder{ledger: ledger, notes: make(chan note, batchSize), stop: stop, failed: make(chan struct{})}
}

// run writes until close is called, and returns the first error. After an error nothing is written any more.
func (r *recorder) run(ctx context.Context) error {
	for first := range r.notes {
		batch := r.gather(first)
		err := r.err
		if err == nil {
			err = r.write(ctx, batch)
		}
		if err != nil && r.err == nil {
			r.err = err
			close(r.failed)
			r.stop()
		}
		for _, n := range batch {
			if n.done != nil {
				n.done <- err
			}
		}
	}
	return r.err
}

// gather waits for more to be written together with a first note. Whoever waits for a note to be on disk is not kept
// waiting.
func (r *recorder) gather(first note) []note {
	batch := []note{first}
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for len(batch) < batchSize && batch[len(batch)-1].done == nil {
		select {
		case n, ok := <-r.notes:
			if !ok {
				return batch
			}
			batch = append(batch, n)
		case <-timer.C:
			return batch
		}
	}
	return batch
}

func (r *recorder) write(ctx context.Context, batch []note) error {
	var advances []Advance
	finished := make([]Finished, 0, len(batch))
	for _, n := range batch {
		if n.advance != nil {
			advances = append(advances, *n.advance)
		}
		if n.finished.Row != nil {
			finished = append(finished, n.finished)
		}
	}
	return r.ledger.Record(ctx, advances, finished)
}

// finish records an outcome soon. It fails if an earlier one could not be written.
func (r *recorder) finish(f Finished) error {
	select {
	case <-r.failed:
		return errRecorderFailed
	default:
	}
	r.notes <- note{finished: f}
	return nil
}

// advance records a new generation and returns when it is on disk.
func (r *recorder) advance(a Advance) error {
	done := make(chan error, 1)
	r.notes <- note{advance: &a, done: done}
	return <-done
}

// close lets run return once everything is written. Nobody may add anything afterwards.
func (r *recorder) close() { close(r.notes) }
