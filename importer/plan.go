package importer

import (
	"crypto/sha256"
	"time"

	"tallyman/formats"
)

// maxKeyAge is how old a request may be for its key to be trusted: Moment keeps keys for 24 hours, and a look-up costs
// less than a duplicate.
const maxKeyAge = 20 * time.Hour

// job is one record that a request is sent for.
type job struct {
	entry     *entry
	row       Row
	body      []byte
	maybeSent bool // a request for this record may have been carried out by Moment
	lookFirst bool // ask what stands before sending anything
	resumed   bool // maybeSent is about a request of an earlier run
	taken     bool // Moment said of this very key that the reference is taken
}

// plan makes the row of an entry that has a verdict, and the job if it needs one.
func (im *Importer) plan(e *entry) (*Row, *job) {
	j := &job{entry: e}
	j.row = Row{Number: e.number, PlannedAt: im.now(), Operation: e.verdict.Operation, Result: e.result(), TakenOff: e.takenOff}
	row := &j.row
	if row.Operation == operationNone {
		row.Result.Outcome, row.Result.Reason, row.Result.Detail = e.verdict.Outcome, e.verdict.Reason, e.verdict.Detail
		return row, nil
	}
	if row.Operation == operationCreate {
		j.body = createBody(e.customer)
		j.lookFirst = e.standing.Unresolved
	} else {
		j.body = updateBody(e.verdict.Changes)
	}
	row.BodySHA256 = sha256.Sum256(j.body)
	if e.before != nil {
		im.resume(j)
	}
	if row.Operation == operationCreate {
		row.Key = im.idempotencyKey(operationCreate, e.customer.ExternalReference, j.body, row.Generation)
	}
	return row, j
}

// waits reports whether an entry was sent by an earlier run and cannot be gone on with now: its row stays as it is.
func (e *entry) waits() bool {
	return e.verdict.Outcome == formats.NotAttempted && e.before != nil && e.before.Operation != operationNone
}

// resume carries over what an earlier run did for the record. A record that was ever sent is looked up first, but for
// one case: a create without an answer goes out again under its own key, with the same bytes.
func (im *Importer) resume(j *job) {
	before, row := j.entry.before, &j.row
	if before.Operation == operationNone {
		return
	}
	row.Generation, row.Refused, row.Result.Attempts = before.Generation, before.Refused, before.Result.Attempts
	switch before.Result.Outcome {
	case "", formats.InDoubt:
		j.maybeSent, j.resumed = true, true
		row.PlannedAt = before.PlannedAt
		sameCreate := row.Operation == operationCreate && before.Operation == operationCreate && before.BodySHA256 == row.BodySHA256
		j.lookFirst = j.lookFirst || row.Refused || !sameCreate || im.tooOld(before.PlannedAt)
	case formats.Failed:
		j.maybeSent = before.Result.Attempts > 0
		j.lookFirst = true
	default:
		j.lookFirst = j.lookFirst || row.Refused || before.Result.Attempts > 0
	}
}

// now is the wall clock's time without a monotonic reading: that one stands still while a machine sleeps, and the age of
// a key does not.
func (im *Importer) now() time.Time { return im.options.Now().Round(0) }

// tooOld reports whether a request planned at a time is too old for its key to be trusted. A time in the future means
// that the clock has jumped, so that no age can be trusted.
func (im *Importer) tooOld(plannedAt time.Time) bool {
	age := im.now().Sub(plannedAt)
	return age > maxKeyAge || age < -time.Minute
}
