package nightly

import (
	"cmp"
	"context"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"

	"tallyman/formats"
	"tallyman/internal/journal"
	"tallyman/reconciler"
)

// leavesAhead is how many leaves may wait for a worker or for the writer.
const leavesAhead = 16

// leaf is one batch of the journal on its way into payments.csv: read and prepared by the journal's workers, placed in
// order, put into rows by workers of ours, written in order.
type leaf struct {
	batch *journal.Batch
	lines []reconciler.Placing
	rows  formats.PaymentRows
	ready chan struct{} // the rows are there
}

// leafOf returns the leaf that belongs to a batch.
func leafOf(b *journal.Batch) *leaf {
	p, ok := b.Aside.(*leaf)
	if !ok {
		p = &leaf{batch: b, ready: make(chan struct{}, 1)}
		b.Aside = p
	}
	return p
}

// prepare makes a placing of every line.
func (p *leaf) prepare(engine *reconciler.Reconciler) {
	p.lines = p.lines[:0]
	for i := range p.batch.Lines {
		l := &p.batch.Lines[i]
		p.lines = append(p.lines, reconciler.Placing{
			Delivery: reconciler.Delivery{Body: l.Record.Body, ReceivedAt: l.Record.ReceivedAt, Signature: string(l.Signature)},
			Fields:   &l.Event,
		})
	}
	engine.Prepare(p.lines)
}

// place gives the lines their places.
func (p *leaf) place(engine *reconciler.Reconciler, names inputNames) error {
	lines := p.batch.Lines
	if len(lines) == 0 {
		p.lines = p.lines[:0]
		return nil
	}
	if len(p.lines) != len(lines) { // blank lines have gone, and the others may have moved
		p.prepare(engine)
	}
	file := names.file(&lines[0])
	for i := range lines {
		p.lines[i].File, p.lines[i].Line = file, lines[i].Number
	}
	return engine.Place(p.lines)
}

// place reads one journal as read says of it, gives every line its place and writes its rows of payments.csv.
func (r *Reporter) place(ctx context.Context, engine *reconciler.Reconciler, path string, read journal.Work, names inputNames, w io.Writer) (journal.Summary, error) {
	group, ctx := errgroup.WithContext(ctx)
	fill, order := make(chan *leaf, leavesAhead), make(chan *leaf, leavesAhead)
	for range cmp.Or(r.Workers, runtime.GOMAXPROCS(0)) {
		group.Go(func() error {
			for p := range fill {
				p.rows.Reset()
				for i := range p.lines {
					engine.AppendRow(&p.rows, &p.lines[i])
				}
				p.ready <- struct{}{}
			}
			return nil
		})
	}
	group.Go(func() error {
		for p := range order {
			<-p.ready
			if _, err := w.Write(p.rows.Bytes()); err != nil {
				return err
			}
			p.batch.Release()
		}
		return nil
	})
	var summary journal.Summary
	group.Go(func() (err error) {
		defer close(fill)
		defer close(order)
		read.Workers, read.Block, read.Key, read.Secrets = r.Workers, r.Block, engine.Key(), r.Secrets
		read.Prepare = func(_ int, b *journal.Batch) { leafOf(b).prepare(engine) }
		read.Take = func(b *journal.Batch) error {
			p := leafOf(b)
			if err := p.place(engine, names); err != nil {
				return err
			}
			return handOn(ctx, p, fill, order)
		}
		summary, err = journal.ReadBatches(ctx, path, read)
		return err
	})
	return summary, group.Wait()
}

// handOn gives a leaf to the first free worker and to whoever writes.
func handOn(ctx context.Context, p *leaf, to ...chan<- *leaf) error {
	for _, next := range to {
		select {
		case next <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
