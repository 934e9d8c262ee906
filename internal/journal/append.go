package journal

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"
)

// Delivery is one verified delivery of a webhook.
type Delivery struct {
	WebhookID string // header webhook-id
	Timestamp int64  // header webhook-timestamp, Unix seconds
	Signature string // header webhook-signature as it came
	Key       string // ID of the secret that verified it
	Body      []byte // as it came; at most MaxBody
}

// Result is what became of a delivery.
type Result struct {
	Seq       int64 // number of its line; 0 for a duplicate
	Duplicate bool  // the same webhook-id with the same body was there already; no line was written
}

// appending is a delivery on its way to the committer and back.
type appending struct {
	delivery Delivery
	received *time.Time // nil: now; an imported one was received elsewhere
	pair     pair
	result   Result
	err      error
	done     chan struct{}
}

// Append writes a delivery to the journal and returns once it is synced; what
// is appended at the same time shares the sync. A delivery that is known by
// webhook-id and body is a duplicate and is answered once the first is synced;
// a known webhook-id with another body is appended.
//
// An error means that nothing was acknowledged: ErrFull, ErrBroken, ErrClosed,
// ErrInvalid, or the context's while the delivery waited for its turn. From
// then on its fate is awaited whatever the context says.
func (w *Writer) Append(ctx context.Context, d Delivery) (Result, error) {
	switch {
	case d.WebhookID == "", !utf8.ValidString(d.WebhookID), !utf8.ValidString(d.Signature):
		return Result{}, fmt.Errorf("%w: webhook-id and webhook-signature must be UTF-8 text", ErrInvalid)
	case len(d.Body) > MaxBody, len(d.WebhookID)+len(d.Signature) > maxHeaders:
		return Result{}, fmt.Errorf("%w: body or headers are too long", ErrInvalid)
	}
	a := &appending{delivery: d, pair: pairOf(d.WebhookID, d.Body), done: make(chan struct{})}
	select {
	case w.queue <- a:
		<-a.done
		return a.result, a.err
	case <-w.stop:
		return Result{}, ErrClosed
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// appendBatch hands deliveries to the committer as one batch and returns once
// it has decided about each.
func (w *Writer) appendBatch(ctx context.Context, batch []*appending) error {
	select {
	case w.bulk <- batch:
	case <-w.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, a := range batch {
		<-a.done
	}
	return nil
}

const (
	// maxHeaders bounds what stands in a line beside the body.
	maxHeaders = 16 << 10

	// A commit takes at most so many deliveries and about so many bytes.
	maxBatch      = 1024
	maxBatchBytes = 4 << 20
)

// run is the committer.
func (w *Writer) run() {
	defer close(w.done)
	late := time.NewTimer(headEvery)
	late.Stop()
	defer late.Stop()
	var batch []*appending
	for {
		select {
		case <-w.stop:
			return
		case a := <-w.queue:
			batch = w.gather(append(batch[:0], a))
			w.settle(batch)
			clear(batch)
		case bulk := <-w.bulk:
			w.settle(bulk)
		case <-late.C:
		}
		w.keepHead(late)
	}
}

// settle commits a batch and tells everybody who waits for it.
func (w *Writer) settle(batch []*appending) {
	w.commit(batch)
	for _, a := range batch {
		close(a.done)
	}
}

// gather takes whoever waits already along with the first.
func (w *Writer) gather(batch []*appending) []*appending {
	for size := len(batch[0].delivery.Body); len(batch) < maxBatch && size < maxBatchBytes; {
		select {
		case a := <-w.queue:
			batch = append(batch, a)
			size += len(a.delivery.Body)
		default:
			return batch
		}
	}
	return batch
}

// keepHead writes HEAD now if the last time is long enough ago, else soon.
func (w *Writer) keepHead(late *time.Timer) {
	if w.head == w.seq {
		return
	}
	if wait := headEvery - time.Since(w.headAt); wait > 0 {
		late.Reset(wait)
		return
	}
	if err := w.writeHead(); err != nil {
		// HEAD may lag: the lines are synced, and the next commit tries again.
		w.log.Error("journal head is behind", "error", err)
		late.Reset(proveEvery)
	}
}
