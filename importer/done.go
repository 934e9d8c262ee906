package importer

import (
	"time"

	"tallyman/formats"
)

// done makes the outcome of a record that Moment now holds as it says. at is when it was acknowledged.
func (j *job) done(outcome formats.Outcome, remote Remote, at time.Time, reason, detail string) Finished {
	j.row.Result.CustomerID = remote.ID
	j.row.Result.Payable = yesNo(remote.Payable)
	j.row.Refused = false
	f := j.finish(outcome, reason, detail)
	stood := j.entry.standing.Asserted
	if j.entry.standing.Unresolved {
		// What a request without an answer has done to the fields that this record says nothing of, only Moment knows.
		stood = remote.Customer
		stood.DueDate = j.entry.standing.Asserted.DueDate
	}
	f.Assertion = &Standing{
		CustomerID: remote.ID, Asserted: overlay(stood, j.entry.customer), SentAt: at, Payable: yesNo(remote.Payable),
	}
	return f
}

// acknowledged is done for an answer that came just now.
func (w *worker) acknowledged(j *job, outcome formats.Outcome, a Answer, detail string) Finished {
	if a.Replayed {
		// It was done under an earlier attempt, and a payment may have come since.
		return j.done(outcome, a.Customer, j.since(j.row.PlannedAt), "", detail)
	}
	return j.done(outcome, a.Customer, j.since(w.im.now()), "", detail)
}

// recovered is done for a request that was carried out although no answer said so. When is not known; the time since which
// it may have been is the one by which no later payment is taken for an earlier one.
func (j *job) recovered(outcome formats.Outcome, remote Remote, detail string) Finished {
	return j.done(outcome, remote, j.since(j.row.PlannedAt), "recovered", detail)
}

// since returns the time from which on payments are news to the balance that stands: now, if a balance was sent, else that
// of the one that stands already.
func (j *job) since(now time.Time) time.Time {
	standing := j.entry.standing
	if j.row.Operation == operationUpdate && !j.entry.verdict.Changes.Balance.Set && !standing.SentAt.IsZero() {
		return standing.SentAt
	}
	return now
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
