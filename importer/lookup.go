package importer

import (
	"context"
	"errors"
	"fmt"
)

// errUndecided says that a look-up got no usable answer within its tries.
var errUndecided = errors.New("the look-up got no usable answer")

// errInterrupted says that the import stops.
var errInterrupted = errors.New("the run was stopped")

// lookUp asks what stands at Moment under an id or reference. An empty answer is believed only when a second one, a while
// later, is empty too: reads may be stale. The error is errUndecided, errInterrupted or a *StopError.
func (w *worker) lookUp(ctx context.Context, j *job, customer string) (remote Remote, found bool, err error) {
	empty := 0
	for failures := 0; failures < w.im.options.Waits.Tries; {
		if ctx.Err() != nil {
			return Remote{}, false, errInterrupted
		}
		answer := w.api.Retrieve(ctx, customer)
		if answer.Class == Invalid {
			// A reference that we have checked cannot be refused for what it is: Moment says "invalid request" for a wrong
			// key too (Moment: /api-reference/getting-started/authentication).
			answer.Class = Unauthorized
		}
		j.note(answer)
		if stop := reasonToStop(answer); stop != nil {
			return Remote{}, false, stop
		}
		goOn := true
		switch answer.Class {
		case OK:
			if stop := j.otherReference(answer.Customer); stop != nil {
				return Remote{}, false, stop
			}
			return answer.Customer, true, nil
		case NotFound:
			if empty++; empty == 2 {
				return Remote{}, false, nil
			}
			goOn = pause(ctx, w.im.options.Waits.Stale)
		case Throttled:
			// The pace has slowed down for everybody already.
		case NotSent:
			goOn = w.backoff(ctx, unreachable)
		default:
			failures++
			goOn = w.backoff(ctx, failures)
		}
		if !goOn {
			return Remote{}, false, errInterrupted
		}
	}
	return Remote{}, false, errUndecided
}

// otherReference stops the import if Moment answers for somebody else: nothing it says can be relied on then.
func (j *job) otherReference(remote Remote) *StopError {
	got := remote.Customer.ExternalReference
	if got == "" || got == j.entry.customer.ExternalReference {
		return nil
	}
	return &StopError{Reason: "wrong_answer", Err: fmt.Errorf("for the record of line %d the API answered with a customer of another external_reference: nothing it says can be relied on; ask Moment", j.entry.line)}
}

// unsettled turns an error of lookUp into the outcome of the record.
func (j *job) unsettled(ctx context.Context, err error) (Finished, error) {
	var stop *StopError
	switch {
	case errors.As(err, &stop):
		return j.stopped(stop), stop
	case errors.Is(err, errInterrupted):
		return j.interrupted(ctx), nil
	default:
		j.maybeSent = j.maybeSent || j.row.Result.Attempts > 0
		return j.unfinished("lookup_failed", "whether the customer is there could not be found out"), nil
	}
}
