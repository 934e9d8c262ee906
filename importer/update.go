package importer

import (
	"context"
	"fmt"
	"slices"

	"tallyman/formats"
)

// prior is what may stand at Moment if an update has not been done: only over one of these balances is it sent again
// after silence.
type prior []formats.Customer

// known returns what the records explain: the balance last asserted and those that unanswered rows of other files say,
// with and without the payments since. Whether a payment lowers the balance at Moment is not documented.
func known(s Standing) prior {
	p := prior{s.Asserted}
	for _, c := range s.Doubted {
		if c.Balance.Set {
			p = append(p, c)
		}
	}
	for _, c := range p {
		if less, ok := lowered(c, s.PaidSince); ok {
			p = append(p, less)
		}
	}
	return p
}

// explains reports whether a balance is one of those that were to be expected before the update.
func (p prior) explains(remote formats.Customer) bool {
	return slices.ContainsFunc(p, func(c formats.Customer) bool { return sameBalance(c, remote) })
}

// update sets what the record says at Moment. It sets an absolute balance and carries no key, so after silence it looks
// first: the update may have been done, and a payment may have moved the balance since. The error, if any, stops the
// whole import.
func (w *worker) update(ctx context.Context, j *job, id string, before prior) (Finished, error) {
	look := j.lookFirst || j.maybeSent
	for tries := 0; ; {
		if look {
			finished, settled, err := w.confirm(ctx, j, id, before)
			if settled || err != nil {
				return finished, err
			}
		}
		if ctx.Err() != nil {
			return j.interrupted(ctx), nil
		}
		answer := w.api.Update(ctx, id, j.body)
		if answer.Class != NotSent {
			j.row.Result.Attempts++
			tries++
		}
		finished, settled, err := w.updated(ctx, j, id, answer, before, tries)
		if settled || err != nil {
			return finished, err
		}
		look = answer.uncertain()
	}
}

// updated draws the conclusions from the answer to an update. settled is false if it is to be tried again.
func (w *worker) updated(ctx context.Context, j *job, id string, answer Answer, before prior, tries int) (f Finished, settled bool, err error) {
	j.note(answer)
	j.maybeSent = j.maybeSent || answer.uncertain()
	if stop := reasonToStop(answer); stop != nil {
		return j.stopped(stop), true, stop
	}
	switch answer.Class {
	case OK:
		if stop := j.otherReference(answer.Customer); stop != nil {
			j.maybeSent = true
			return j.stopped(stop), true, stop
		}
		return w.acknowledged(j, formats.Updated, answer, j.entry.verdict.Detail), true, nil
	case NotFound:
		return j.missing(), true, nil
	case Invalid, KeyReused:
		// A look-up tells a wrong key, which may be answered in the same way, from a record that is refused.
		if _, _, err := w.lookUp(ctx, j, id); err != nil {
			f, err := j.unsettled(ctx, err)
			return f, true, err
		}
		j.row.Result.HTTPStatus = answer.Status
		return j.finish(formats.Rejected, "refused_by_api", fmt.Sprintf("the API refuses the update with %d%s", answer.Status, because(answer))), true, nil
	}
	if tries >= w.im.options.Waits.Tries && answer.Class != NotSent && answer.Class != Throttled {
		f, settled, err = w.confirm(ctx, j, id, before)
		if settled || err != nil {
			return f, true, err
		}
		return j.finish(formats.Failed, "server_error", fmt.Sprintf("the update was tried %d times and is not done%s; run again", tries, because(answer))), true, nil
	}
	if answer.Class != Throttled && !w.backoffAfter(ctx, answer, tries) {
		return j.interrupted(ctx), true, nil
	}
	return f, false, nil
}

// confirm looks at what stands. If it is what the record says, the update is done. If it is a balance that was to be
// expected before the update, the update is not done and may be sent. Any other balance may be a payment over it: a
// person decides.
func (w *worker) confirm(ctx context.Context, j *job, id string, before prior) (f Finished, settled bool, err error) {
	remote, found, err := w.lookUp(ctx, j, id)
	if err != nil {
		f, err = j.unsettled(ctx, err)
		return f, true, err
	}
	if !found {
		return j.missing(), true, nil
	}
	changes := j.entry.verdict.Changes
	left := changed(changes, remote.Customer)
	if left.Equal(formats.Customer{}) {
		return j.recovered(formats.Updated, remote, "no answer came, but the customer stands as the record says; "+j.entry.verdict.Detail), true, nil
	}
	if left.Balance.Set {
		expected := before.explains(remote.Customer)
		paidOn := j.paidOn(left, remote.Customer)
		if paidOn && !expected {
			return j.recovered(formats.Updated, remote, "no answer came, but the customer stands as the record says, less what was paid since; "+j.entry.verdict.Detail), true, nil
		}
		if paidOn || !expected {
			j.maybeSent = true
			return j.unfinished("balance_moved", fmt.Sprintf("asked to set %s, Moment shows %s, expected %s: a payment may have moved it",
				amount(changes), amount(remote.Customer), amount(before[0]))), true, nil
		}
	}
	j.maybeSent = false // what stands shows that nothing was done
	return f, false, nil
}

// paidOn reports whether all that keeps the customer from standing as the record says is what was paid since, by the
// records: an earlier run's request was carried out then.
func (j *job) paidOn(left, remote formats.Customer) bool {
	less, ok := lowered(j.entry.verdict.Changes, j.entry.standing.PaidSince.SubSum(j.entry.news))
	return ok && j.resumed && onlyBalance(left) && sameBalance(less, remote)
}

// missing is the outcome of a record whose customer the records know and Moment does not.
func (j *job) missing() Finished {
	return j.finish(formats.Failed, "customer_missing", "the ledger knows this customer as "+j.entry.standing.CustomerID+" and Moment does not: is api.base_url or the key another account's?")
}
