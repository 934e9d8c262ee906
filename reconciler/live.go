package reconciler

import (
	"fmt"

	"tallyman/formats"
)

// The modes of the live comparison: which customers Moment is asked about.
const (
	LiveNone = "none"
	// LiveExceptions are the customers that an exception names, and the first few who paid: they show whether Moment
	// lowers a balance that is paid.
	LiveExceptions = "exceptions"
	LiveAll        = "all" // every customer with a balance
)

// liveWitnesses is how many customers who paid are asked about beside those with an exception.
const liveWitnesses = 25

// LiveCustomer is what Moment shows of a customer now, and what there is to compare it with.
type LiveCustomer struct {
	LiveCandidate
	Currency string // of both balances
	Missing  bool   // Moment knows no such customer; Balance says nothing
	Balance  int64  // that Moment shows, minor units
	Asserted int64  // that Moment acknowledged last
	// PaidSince are the payments after that acknowledgement. Unsure says that one of them was so near to it that nobody can
	// tell which came first.
	PaidSince formats.Sum
	Unsure    bool
}

// position is what the customer owes: the last assertion less the payments since.
func (c *LiveCustomer) position() formats.Sum { return formats.SumOf(c.Asserted).SubSum(c.PaidSince) }

// liveFigure is what balances.csv says of it.
type liveFigure struct {
	currency   string
	balance    int64
	difference formats.Sum
}

// LiveCandidate is a customer that Moment is to be asked about.
type LiveCandidate struct{ CustomerID, ExternalReference string }

// LiveCandidates returns the customers that Moment is to be asked about, in the order of balances.csv. Any mode other than
// LiveExceptions and LiveAll asks about nobody. also are the ids of further customers, of those whose balance drifted before,
// say.
func (r *Result) LiveCandidates(mode string, also ...string) []LiveCandidate {
	if mode != LiveExceptions && mode != LiveAll {
		return nil
	}
	named := map[string]bool{}
	for _, id := range also {
		named[id] = true
	}
	for i := range r.own {
		named[r.own[i].CustomerID] = true
	}
	var asked []LiveCandidate
	witnesses := 0
	for l := range r.lines() {
		if l != l.customer.current() {
			continue
		}
		paid := l.count > 0 && witnesses < liveWitnesses
		if paid {
			witnesses++
		}
		if mode == LiveAll || paid || named[l.customer.id] {
			asked = append(asked, LiveCandidate{l.customer.id, l.customer.reference})
		}
	}
	return asked
}

// CompareLive compares the balances that Moment shows with what they should be, fills them into the rows of balances.csv,
// and adds a balance_drift for each that is another one. It comes before Continue.
//
// Moment does not say whether it lowers a balance when it is paid (Moment: /documentation/billing/core-concepts). The
// customers who paid since their balance was asserted tell: if all of them that fit either reading show the balance less
// the payments, it does; if all show the balance as asserted, it does not. Without such customers, or if they contradict
// each other, it is unknown, and both readings are right for everybody: what nobody can know is no drift.
func (r *Result) CompareLive(customers []LiveCustomer) formats.Live {
	live := formats.Live{LowersBalance: formats.LowersUnknown}
	for i := range customers {
		c := &customers[i]
		if c.Missing || c.Unsure || c.PaidSince.IsZero() {
			continue
		}
		switch formats.SumOf(c.Balance) {
		case c.position():
			live.EvidenceYes++
		case formats.SumOf(c.Asserted):
			live.EvidenceNo++
		}
	}
	switch {
	case live.EvidenceYes > 0 && live.EvidenceNo == 0:
		live.LowersBalance = formats.LowersYes
	case live.EvidenceNo > 0 && live.EvidenceYes == 0:
		live.LowersBalance = formats.LowersNo
	}
	r.live = make(map[string]liveFigure, len(customers))
	for i := range customers {
		c := &customers[i]
		live.Compared++
		if !c.Missing {
			r.live[c.CustomerID] = liveFigure{c.Currency, c.Balance, formats.SumOf(c.Balance).SubSum(c.position())}
		}
		if r.drifts(c, live.LowersBalance) {
			live.Drift++
			r.own = append(r.own, r.driftException(c, live.LowersBalance))
		}
	}
	r.Continue(nil)
	return live
}

// drifts reports whether Moment shows another balance than it can be explained to.
func (r *Result) drifts(c *LiveCustomer, lowers string) bool {
	if c.Missing {
		return true
	}
	near := func(expected formats.Sum) bool {
		return formats.SumOf(c.Balance).SubSum(expected).Abs().Cmp(formats.SumOf(r.tolerance)) <= 0
	}
	lowered, asserted := near(c.position()), near(formats.SumOf(c.Asserted))
	switch {
	case c.Unsure || lowers == formats.LowersUnknown:
		return !lowered && !asserted
	case lowers == formats.LowersYes:
		return !lowered
	default:
		return !asserted
	}
}

// driftException is the break that a drift is. Its amount is signed: what Moment shows too much.
func (r *Result) driftException(c *LiveCustomer, lowers string) formats.ExceptionRow {
	row := formats.ExceptionRow{
		ID:     exceptionID(formats.ReasonBalanceDrift, c.CustomerID, c.Currency),
		Reason: formats.ReasonBalanceDrift, ExternalReference: c.ExternalReference, CustomerID: c.CustomerID, Currency: c.Currency, FirstSeen: r.to,
		Detail: "Moment knows no customer with this id any more. Find out who removed it, and import the customer again.",
	}
	row.Severity, _ = formats.Severity(row.Reason)
	comment := r.comments[row.ID]
	row.Owner, row.Comment = comment.Owner, comment.Comment
	r.age(&row)
	if c.Missing {
		return row
	}
	expected := c.position()
	if lowers == formats.LowersNo {
		expected = formats.SumOf(c.Asserted)
	}
	row.Amount, row.HasAmount = formats.SumOf(c.Balance).SubSum(expected), true
	row.Detail = fmt.Sprintf("Moment shows %s %s, and by the last balance that was asserted (%s) and the payments since (%s) it should show %s. Find out who changed it there, then assert the right balance.",
		formats.FormatMajor(c.Balance, c.Currency), c.Currency, formats.FormatMajor(c.Asserted, c.Currency), c.PaidSince.Major(c.Currency), expected.Major(c.Currency))
	return row
}
