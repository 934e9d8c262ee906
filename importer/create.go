package importer

import (
	"context"
	"fmt"

	"tallyman/formats"
)

// create brings a customer into being at Moment, by the rules in the package comment. The error, if any, stops the whole
// import; the outcome is valid in any case.
func (w *worker) create(ctx context.Context, j *job) (Finished, error) {
	for tries := 0; ; {
		if j.lookFirst || w.im.tooOld(j.row.PlannedAt) {
			finished, settled, err := w.settle(ctx, j)
			if settled || err != nil {
				return finished, err
			}
		}
		if ctx.Err() != nil {
			return j.interrupted(ctx), nil
		}
		answer := w.api.Create(ctx, j.row.Key, j.body)
		if answer.Class != NotSent {
			j.row.Result.Attempts++
			tries++
		}
		if finished, settled, err := w.created(ctx, j, answer, tries); settled || err != nil {
			return finished, err
		}
	}
}

// created draws the conclusions from the answer to a create request. settled is false if there is more to be done.
func (w *worker) created(ctx context.Context, j *job, answer Answer, tries int) (f Finished, settled bool, err error) {
	firstEver := j.row.Result.Attempts == 1 && !j.maybeSent
	before := j.maybeSent
	j.note(answer)
	j.maybeSent = j.maybeSent || answer.uncertain()
	switch answer.Class {
	case Unauthorized, Throttled, ServerError:
		j.row.Refused, j.lookFirst = true, true
	}
	if stop := reasonToStop(answer); stop != nil {
		return j.stopped(stop), true, stop
	}
	switch answer.Class {
	case OK:
		if stop := j.otherReference(answer.Customer); stop != nil {
			j.maybeSent = true
			return j.stopped(stop), true, stop
		}
		if answer.Replayed && firstEver {
			// The key is older than our records, which must have been lost. The stored answer tells what was, not what is.
			j.maybeSent, j.lookFirst = true, true
			return f, false, nil
		}
		return w.acknowledged(j, formats.Created, answer, ""), true, nil
	case Invalid:
		return w.refused(ctx, j, answer)
	case KeyReused:
		return j.finish(formats.Failed, "key_reused", "the API says that our key was used with another body; nothing was sent again: report it"+because(answer)), true, nil
	case Conflict:
		// That the reference is taken does not say that we took it.
		j.maybeSent = before
		f, settled, err = w.conflict(ctx, j)
	}
	if settled || err != nil {
		return f, true, err
	}
	return w.again(ctx, j, answer, tries)
}

// again waits before the next attempt, or ends the record when it has had its tries.
func (w *worker) again(ctx context.Context, j *job, answer Answer, tries int) (Finished, bool, error) {
	if tries >= w.im.options.Waits.Tries && answer.Class != Throttled && answer.Class != NotSent {
		if answer.Class == ServerError {
			finished, settled, err := w.settle(ctx, j)
			if settled || err != nil {
				return finished, true, err
			}
			return j.finish(formats.Failed, "server_error", fmt.Sprintf("the API failed %d times, and the customer is not there%s; run again", tries, because(answer))), true, nil
		}
		return j.unfinished(unansweredReason(answer.Class), fmt.Sprintf("%d attempts in this run", tries)), true, nil
	}
	if answer.Class == Throttled {
		return Finished{}, false, nil // the pace waits for everybody
	}
	if !w.backoffAfter(ctx, answer, tries) {
		return j.interrupted(ctx), true, nil
	}
	return Finished{}, false, nil
}

// unansweredReason is the word for a record whose tries have ended without an answer that settles it.
func unansweredReason(c Class) string {
	switch c {
	case Conflict:
		return "conflict_unresolved"
	case InFlight:
		return "key_in_use"
	default:
		return "no_answer"
	}
}

// settle looks the customer up and adopts it if it is there. If it is not and a failure may be stored under the key, a
// new generation is put on record; the caller then sends.
func (w *worker) settle(ctx context.Context, j *job) (f Finished, settled bool, err error) {
	remote, found, err := w.lookUp(ctx, j, j.entry.customer.ExternalReference)
	if err != nil {
		f, err = j.unsettled(ctx, err)
		return f, true, err
	}
	if found {
		f, err = w.adopt(ctx, j, remote)
		return f, true, err
	}
	next := j.row
	next.PlannedAt = w.im.now()
	if j.row.Refused {
		next.Generation++
		next.Refused = false
	}
	next.Key = w.im.idempotencyKey(operationCreate, j.entry.customer.ExternalReference, j.body, next.Generation)
	if stop := w.advance(j, next, Advance{}); stop != nil {
		return j.stopped(stop), true, stop
	}
	j.lookFirst = false
	return f, false, nil
}

// advance puts what is to be sent next for a record on record.
func (w *worker) advance(j *job, next Row, found Advance) *StopError {
	found.Row = next
	if err := w.rec.advance(found); err != nil {
		return recordsFailed(err)
	}
	j.row = next
	return nil
}

// refused handles a refusal of what the record says. It is final for these bytes, unless the customer is there after
// all: how Moment answers a duplicate is not documented.
func (w *worker) refused(ctx context.Context, j *job, answer Answer) (Finished, bool, error) {
	remote, found, err := w.lookUp(ctx, j, j.entry.customer.ExternalReference)
	if err != nil {
		j.row.Refused = true
		f, err := j.unsettled(ctx, err)
		return f, true, err
	}
	j.row.Result.HTTPStatus = answer.Status
	if found {
		f, err := w.adopt(ctx, j, remote)
		return f, true, err
	}
	return j.finish(formats.Rejected, "refused_by_api", fmt.Sprintf("the API refuses the record with %d%s", answer.Status, because(answer))), true, nil
}

// conflict handles a 409 that is not about a key in use: the customer is there, or it is not yet.
func (w *worker) conflict(ctx context.Context, j *job) (Finished, bool, error) {
	j.taken = j.row.Generation == 0
	remote, found, err := w.lookUp(ctx, j, j.entry.customer.ExternalReference)
	if err != nil {
		j.maybeSent = true
		f, err := j.unsettled(ctx, err)
		return f, true, err
	}
	if !found {
		j.maybeSent = true
		return Finished{}, false, nil
	}
	j.row.Result.HTTPStatus = 409
	f, err := w.adopt(ctx, j, remote)
	return f, true, err
}
