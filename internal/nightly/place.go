package nightly

import (
	"context"
	"io"

	"golang.org/x/sync/errgroup"

	"tallyman/internal/journal"
	"tallyman/reconciler"
)

// leaf is one batch of the journal on its way into payments.csv: read, prepared and put into rows by the journal's workers,
// placed in order, written in order.
type leaf struct {
	batch *journal.Batch
	sheet reconciler.Sheet
	file  string // what the rows call it
}

// leafOf returns the leaf that belongs to a batch.
func leafOf(b *journal.Batch) *leaf {
	p, ok := b.Aside.(*leaf)
	if !ok {
		p = &leaf{batch: b}
		b.Aside = p
	}
	return p
}

// prepare makes a row of every line, of a file that will have that name.
func (p *leaf) prepare(engine *reconciler.Reconciler, file func(*journal.Line) string) {
	p.file, p.sheet.Lines = p.fileBy(file), p.sheet.Lines[:0]
	for i := range p.batch.Lines {
		l := &p.batch.Lines[i]
		p.sheet.Lines = append(p.sheet.Lines, reconciler.Placing{
			Delivery: reconciler.Delivery{Body: l.Record.Body, ReceivedAt: l.Record.ReceivedAt, Signature: string(l.Signature)},
			File:     p.file, Line: l.Number, Fields: &l.Event,
		})
	}
	engine.Prepare(&p.sheet)
}

// fileBy asks for the name of the file that the lines are of.
func (p *leaf) fileBy(name func(*journal.Line) string) string {
	if len(p.batch.Lines) == 0 {
		return ""
	}
	return name(&p.batch.Lines[0])
}

// place gives the lines their places. If blank ones have gone, the others may have moved, and a file of another directory may
// have the name already.
func (p *leaf) place(engine *reconciler.Reconciler, names inputNames) error {
	if len(p.sheet.Lines) != len(p.batch.Lines) || p.file != p.fileBy(names.file) {
		p.prepare(engine, names.file)
	}
	return engine.Place(&p.sheet)
}

// leavesAhead is how many leaves may wait for the writer.
const leavesAhead = 16

// place reads one journal as read says of it, gives every line its place and writes its rows of payments.csv.
func (r *Reporter) place(ctx context.Context, engine *reconciler.Reconciler, path string, read journal.Work, way *way, w io.Writer) (journal.Summary, error) {
	group, ctx := errgroup.WithContext(ctx)
	order := make(chan *leaf, leavesAhead)
	group.Go(func() error {
		for p := range order {
			for rows := range engine.Rows(&p.sheet) {
				if _, err := w.Write(rows); err != nil {
					return err
				}
			}
			p.batch.Release()
		}
		return nil
	})
	var summary journal.Summary
	group.Go(func() (err error) {
		defer close(order)
		read.Workers, read.Block, read.Key, read.Secrets = r.Workers, r.Block, engine.Key(), r.Secrets
		read.Prepare = func(_ int, b *journal.Batch) { leafOf(b).prepare(engine, usualFile) }
		read.Take = func(b *journal.Batch) error {
			p := leafOf(b)
			if err := p.place(engine, way.names); err != nil {
				return err
			}
			engine.GoOn(way.pass(b))
			select {
			case order <- p:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		summary, err = journal.ReadBatches(ctx, path, read)
		return err
	})
	return summary, group.Wait()
}
