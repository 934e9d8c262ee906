package importer

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"tallyman/formats"
)

// Send does what the records of the file ask for. It returns nil when every record has been worked on, or a *StopError;
// other errors are faults of our own. In any case the outcomes are told by Account.
func (im *Importer) Send(ctx context.Context, file File, s *Survey) error {
	if im.options.DryRun {
		return nil
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	g, taking := errgroup.WithContext(working)
	// What cannot be recorded must not be done: the first error of the records stops everybody.
	rec := newRecorder(file.Ledger, stop)
	recorded := make(chan error, 1)
	// The recorder outlives the workers: what they did must be on record even when everything else stops.
	go func() { recorded <- rec.run(context.WithoutCancel(ctx)) }()

	jobs := make(chan *job, chunkSize)
	g.Go(func() error {
		defer close(jobs)
		return im.produce(taking, file, s, jobs)
	})
	for range im.options.Concurrency {
		g.Go(func() error {
			w := &worker{im: im, api: im.api, rec: rec}
			return w.run(taking, jobs)
		})
	}
	err := g.Wait()
	for j := range jobs {
		err = errors.Join(err, rec.finish(j.left(taking)))
	}
	rec.close()
	if recordErr := <-recorded; recordErr != nil {
		return recordsFailed(recordErr)
	}
	var stopped *StopError
	switch {
	case errors.As(err, &stopped):
		s.stopped = stopped.Reason
		return stopped
	case ctx.Err() != nil:
		return &StopError{Reason: "interrupted", Err: context.Cause(ctx)}
	default:
		return err
	}
}

// produce plans the file chunk by chunk. A chunk is on record before its first job is handed out.
func (im *Importer) produce(ctx context.Context, file File, s *Survey, jobs chan<- *job) error {
	return im.walk(ctx, file, s, 0, func(_ *formats.CustomerReader, chunk []entry) error {
		var rows []*Row
		var finished []Finished
		var planned []*job
		for i := range chunk {
			e := &chunk[i]
			if !e.ready {
				continue
			}
			if e.waits() {
				im.progress(formats.NotAttempted)
				continue
			}
			row, j := im.plan(e)
			if j != nil {
				rows, planned = append(rows, row), append(planned, j)
				continue
			}
			f := Finished{Row: row}
			if row.Result.Outcome == formats.Unchanged && !e.standing.Unresolved {
				f.Assertion = assertAgain(e)
			}
			finished = append(finished, f)
			im.progress(row.Result.Outcome)
		}
		if len(rows)+len(finished) > 0 {
			if err := file.Ledger.Plan(ctx, rows, finished); err != nil {
				return stopForRecords(ctx, err)
			}
		}
		for _, j := range planned {
			select {
			case jobs <- j:
			case <-ctx.Done():
				return im.putBack(ctx, file, planned, j)
			}
		}
		return nil
	})
}

func (im *Importer) progress(o formats.Outcome) {
	if im.options.Progress != nil {
		im.options.Progress(o)
	}
}

// assertAgain is what an unchanged customer's record says: the same once more, by this file. Nothing is sent for it, so
// Moment's acknowledgement is still the earlier one, and a payment since then is not forgotten.
func assertAgain(e *entry) *Standing {
	return &Standing{
		CustomerID: e.standing.CustomerID, Asserted: overlay(e.standing.Asserted, e.customer), SentAt: e.standing.SentAt, Payable: e.standing.Payable,
	}
}

// putBack records the jobs of a chunk that no worker took as not attempted, so that nothing looks as if it had been sent.
func (im *Importer) putBack(ctx context.Context, file File, planned []*job, from *job) error {
	var finished []Finished
	back := false
	for _, j := range planned {
		if back = back || j == from; back {
			finished = append(finished, j.left(ctx))
		}
	}
	return errors.Join(context.Cause(ctx), file.Ledger.Record(context.WithoutCancel(ctx), nil, finished))
}

// stopForRecords turns an error of the records into the reason to stop: without an intent on disk nothing is sent.
func stopForRecords(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return recordsFailed(err)
}

func recordsFailed(err error) *StopError {
	return &StopError{Reason: "records_failed", Err: fmt.Errorf("%w: see to it that data_dir can be read and written and its disk has room, and run the same command again", err)}
}
