package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tallyman/formats"
)

// takeOff takes payments that the file could not have known off the balance that is to be sent. What an earlier run may
// have sent stays as it was sent, whatever was paid since: its body is on record.
func (e *entry) takeOff(paid []Payment) {
	if e.before.mayBeSent() {
		e.takenOff = e.before.TakenOff
	} else {
		for _, p := range paid {
			if p.Currency == e.customer.Currency {
				e.takenOff = append(e.takenOff, p.TakenOff)
			}
		}
	}
	less, ok := lowered(e.customer, sumOff(e.takenOff))
	if !ok {
		e.takenOff = nil
		return
	}
	e.customer = less
	for _, p := range paid {
		if p.News && slices.Contains(e.takenOff, p.TakenOff) {
			e.news = e.news.Add(p.Amount)
		}
	}
}

// mayBeSent reports whether a request of an earlier run may have left for the row; nil is a row that was never planned.
func (r *Row) mayBeSent() bool {
	if r == nil || r.Operation == operationNone {
		return false
	}
	return r.Result.Outcome == "" || r.Result.Outcome == formats.InDoubt || r.Result.Attempts > 0
}

// explainTakenOff says in the verdict what was taken off, and forgets it where no balance is asserted.
func (e *entry) explainTakenOff(since time.Time) {
	if e.verdict.Operation == operationNone && e.verdict.Outcome != formats.Unchanged {
		e.takenOff = nil
	}
	if e.takenOff == nil {
		return
	}
	filed := e.customer
	filed.Balance = e.says
	paid := formats.SumOf(e.says.Minor).SubSum(formats.SumOf(e.customer.Balance.Minor))
	text := fmt.Sprintf("balance %s less %s %s paid", amount(filed), paid.Major(filed.Currency), filed.Currency)
	if !since.IsZero() {
		text += " since " + since.Format(time.RFC3339)
	}
	e.verdict.Detail = strings.TrimPrefix(e.verdict.Detail+"; "+text, "; ")
}

// sumOff is what was taken off a balance.
func sumOff(off []formats.TakenOff) formats.Sum {
	var sum formats.Sum
	for _, t := range off {
		sum = sum.Add(t.Amount)
	}
	return sum
}
