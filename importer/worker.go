package importer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"tallyman/formats"
)

// worker does jobs one after the other. The context of its methods ends the import: no request starts once it is done.
type worker struct {
	im  *Importer
	api API
	rec *recorder
}

// run does jobs until there are none or the import stops. Jobs that are left in the channel when it stops are put back.
func (w *worker) run(ctx context.Context, jobs <-chan *job) error {
	for j := range jobs {
		if ctx.Err() != nil {
			if err := w.rec.finish(j.left(ctx)); err != nil {
				return err
			}
			continue
		}
		finished, stop := w.do(ctx, j)
		if err := w.rec.finish(finished); err != nil {
			return errors.Join(stop, err)
		}
		w.im.progress(finished.Row.Result.Outcome)
		if stop != nil {
			return stop
		}
	}
	return nil
}

// do works on one job. A panic is a fault of ours: the record is in doubt, and the import stops.
func (w *worker) do(ctx context.Context, j *job) (finished Finished, stop error) {
	defer func() {
		if p := recover(); p != nil {
			w.im.options.Log.Error("panic while a record was imported", "line", j.entry.line, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			finished = j.finish(formats.InDoubt, "internal_error", "tallyman failed while it worked on this record: report it, and run again")
			stop = &StopError{Reason: "internal_error", Err: fmt.Errorf("panic while the record of line %d was imported: report it with the log", j.entry.line)}
		}
	}()
	if j.row.Operation == operationUpdate {
		return w.update(ctx, j, j.entry.standing.CustomerID, known(j.entry.standing))
	}
	return w.create(ctx, j)
}

// finish makes the record's outcome.
func (j *job) finish(outcome formats.Outcome, reason, detail string) Finished {
	j.row.Result.Outcome, j.row.Result.Reason, j.row.Result.Detail = outcome, reason, detail
	return Finished{Row: &j.row}
}

// unfinished is the outcome of a record that the run did not get to the end of: in doubt if something may have been done
// for it, else not attempted.
func (j *job) unfinished(reason, detail string) Finished {
	if j.maybeSent {
		return j.finish(formats.InDoubt, reason, "a request was sent and no usable answer came; "+detail+"; run again")
	}
	return j.finish(formats.NotAttempted, reason, detail+"; run again")
}

// stopped is the outcome of a record at which the whole import stops.
func (j *job) stopped(stop *StopError) Finished {
	return j.unfinished(stop.Reason, "the run was stopped")
}

// interrupted is the outcome of a record that was under way when the import stopped for another reason than its own.
func (j *job) interrupted(ctx context.Context) Finished {
	return j.unfinished(whyEnded(ctx), "the run was stopped")
}

// notSent is what is told of a record that the import stopped before.
const notSent = "the run stopped before it was sent"

// left is the outcome of a record that nobody took up before the import stopped.
func (j *job) left(ctx context.Context) Finished { return j.unfinished(whyEnded(ctx), notSent) }

// whyEnded is the word for why the context of the workers has ended: that of the answer that stopped the import, or
// interrupted if somebody told it to stop.
func whyEnded(ctx context.Context) string {
	if stop, ok := errors.AsType[*StopError](context.Cause(ctx)); ok {
		return stop.Reason
	}
	return "interrupted"
}

// note takes over what every answer tells.
func (j *job) note(a Answer) {
	if a.Status != 0 {
		j.row.Result.HTTPStatus = a.Status
	}
}

// reasonToStop returns why the whole import must stop, if an answer says so.
func reasonToStop(a Answer) *StopError {
	switch {
	case a.Class == Unauthorized:
		return &StopError{Reason: "credentials_refused", Err: fmt.Errorf("the API answered %d: check api.key and that it has not been revoked%s", a.Status, because(a))}
	case a.Class == Misconfigured:
		return &StopError{Reason: "misconfigured", Err: fmt.Errorf("%w%s", a.Err, because(a))}
	case a.GiveUp != nil:
		return &StopError{Reason: "api_gave_up", Err: a.GiveUp}
	}
	return nil
}

func because(a Answer) string {
	if a.Problem == "" {
		return ""
	}
	return " (" + a.Problem + ")"
}

// uncertain reports whether the request may have been carried out although the answer does not say so. A 429 comes
// before anything is done.
func (a Answer) uncertain() bool {
	switch a.Class {
	case Silence, ServerError, InFlight, Conflict:
		return true
	case Throttled:
		return a.Status != 429
	}
	return false
}

// backoff waits before the next attempt for the same record: exponential with full jitter. It reports false when the
// import stops.
func (w *worker) backoff(ctx context.Context, attempt int) bool {
	waits := w.im.options.Waits
	most := waits.Most
	if shift := attempt - 1; shift < 16 && waits.First<<shift < most {
		most = waits.First << shift
	}
	return pause(ctx, rand.N(most+1))
}

// unreachable is the backoff step for requests that never left: the API is away for everybody, and trying often helps
// nobody.
const unreachable = 4

// backoffAfter waits as backoff does for the given number of tries, longer if the request never left.
func (w *worker) backoffAfter(ctx context.Context, a Answer, tries int) bool {
	if a.Class == NotSent {
		return w.backoff(ctx, unreachable)
	}
	return w.backoff(ctx, tries)
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
