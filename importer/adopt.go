package importer

import (
	"context"
	"crypto/sha256"
	"fmt"

	"tallyman/formats"
)

// adopt takes over a customer that a look-up found: as our own if we may have created it just so, else as one that was
// there before, for which imports.existing decides.
func (w *worker) adopt(ctx context.Context, j *job, remote Remote) (Finished, error) {
	left := changed(j.entry.customer, remote.Customer)
	if j.maybeSent && left.Equal(formats.Customer{}) {
		return j.recovered(formats.Created, remote, "the customer is there as the record says, by a request that had no usable answer"), nil
	}
	policy := w.im.options.Existing
	j.row.Result.CustomerID, j.row.Result.Payable = remote.ID, yesNo(remote.Payable)
	if j.maybeOurs(policy) && onlyBalance(left) && !known(j.entry.standing).explains(remote.Customer) {
		return j.unfinished("balance_moved", fmt.Sprintf("the customer is there, with %s and not %s: it was there before, or a payment has moved it", amount(remote.Customer), amount(j.entry.customer))), nil
	}
	verdict := decideExisting(j.entry.customer, remote.Customer, false, policy)
	switch verdict.Outcome {
	case formats.Unchanged:
		return j.done(formats.Unchanged, remote, w.im.now(), "existing", "the customer was there before, just so"), nil
	case formats.Updated:
		return w.takeOver(ctx, j, remote, verdict)
	default:
		j.row.Refused = false
		return j.finish(verdict.Outcome, verdict.Reason, verdict.Detail), nil
	}
}

// maybeOurs reports whether a customer with another balance may be one that an earlier run has created and that was paid on
// since: to overwrite, skip or reject it would be wrong. Within a run there was no time for a payment. A failure answer
// makes it so much likelier that it was there before that an update goes ahead.
func (j *job) maybeOurs(policy Policy) bool {
	return j.maybeSent && j.resumed && !j.taken && (policy != Update || !j.row.Refused)
}

// takeOver updates a customer that was found. First it is put on record: as what stood before the update, so that a later
// run can tell whether it was done.
func (w *worker) takeOver(ctx context.Context, j *job, remote Remote, verdict Verdict) (Finished, error) {
	next := j.row
	next.Operation, next.Key, next.Refused, next.PlannedAt = operationUpdate, "", false, w.im.now()
	body := updateBody(verdict.Changes)
	next.BodySHA256 = sha256.Sum256(body)
	found := Advance{CustomerID: remote.ID, Found: remote.Customer, Payable: yesNo(remote.Payable)}
	found.Found.ExternalReference = j.entry.customer.ExternalReference
	if stop := w.advance(j, next, found); stop != nil {
		return j.stopped(stop), stop
	}
	j.entry.standing = Standing{CustomerID: remote.ID, Asserted: found.Found, SentAt: next.PlannedAt, Payable: found.Payable}
	j.entry.verdict, j.body = verdict, body
	// What may have been sent was a create, and the look-up has settled it.
	j.maybeSent, j.lookFirst, j.resumed = false, false, false
	return w.update(ctx, j, remote.ID, known(j.entry.standing))
}

// onlyBalance reports whether changes say something of the balance and of nothing else.
func onlyBalance(changes formats.Customer) bool {
	return changes.Balance.Set && changes.Equal(formats.Customer{Balance: changes.Balance, Currency: changes.Currency})
}
