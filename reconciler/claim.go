package reconciler

import (
	"time"

	"tallyman/formats"
)

// claim is what must be known of a line to give it its place, in as few bytes as that takes: lines are read in blocks by
// several workers, and placed by one, for whom all else that is known of a line would be far away.
type claim struct {
	prints   formats.EventPrints
	amount   int64
	stamp    stamp  // of the event's time; farStamp if the line must be asked
	customer uint32 // 1 + the number of the one that it names; 0 if nobody asserted it
	texts    place  // of the customer
	currency uint16 // 1 + its number in the book; 0 if no balance is in it
	owed     uint16 // 1 + the number of the currency of the customer's record

	standing  standing
	when      when
	signature signature
	expected  uint8 // number of the verdict that it will most likely get
}

// standing is what a line is worth by itself: the rows of the table of design.md section 8 that ask for no other line.
type standing uint8

const (
	invalid standing = iota
	timeless
	otherType
	otherObligation
	unknownCustomer
	named // a customer that is known
)

// when is where an event lies.
type when uint8

const (
	within when = iota
	ahead       // of the period
	behind
)

// signature is a word of formats; the zero value stands for another one.
type signature uint8

const (
	noSignature signature = iota
	verified
	unverified
	failed
)

// farStamp is the stamp of a claim whose time has no place in one.
const farStamp = noStamp + 1

// verdicts are those that a line can get by itself.
var verdicts = [...]verdict{
	{status: formats.StatusHeld, reason: formats.ReasonInvalidEvent},
	{status: formats.StatusExcluded, reason: formats.ReasonOtherType},
	{status: formats.StatusExcluded, reason: formats.ReasonOutOfPeriod},
	{status: formats.StatusUnapplied, reason: formats.ReasonOtherObligation},
	{status: formats.StatusUnapplied, reason: formats.ReasonUnknownCustomer},
	{status: formats.StatusUnapplied, reason: formats.ReasonCurrencyMismatch},
	{status: formats.StatusApplied},
	{status: formats.StatusApplied, reason: formats.ReasonReversal},
}

const (
	expectInvalid uint8 = iota
	expectOtherType
	expectOutOfPeriod
	expectOtherObligation
	expectUnknownCustomer
	expectMismatch
	expectApplied
	expectReversal
)

// instant is the time of the claim.
func (c *claim) instant() instant {
	if c.stamp == noStamp {
		return instant{}
	}
	return instant{time.Unix(0, int64(c.stamp)).UTC(), true}
}

// claimOf says what a line is worth by itself. Its customer has been looked up.
func (r *Reconciler) claimOf(p *Placing, c *claim) {
	f, at := p.Fields, p.instant()
	c.prints, c.amount, c.currency = f.Prints, f.Amount, r.customers.currencyOf(f.Currency)
	switch {
	case !at.known:
		c.stamp = noStamp
	case near(at.time):
		c.stamp = stamp(at.time.UnixNano())
	default:
		c.stamp = farStamp
	}
	c.standing, c.when, c.signature = r.standing(f, at, c.customer > 0), r.when(at), signatureOf(p.Signature)
	c.expected = r.expect(c)
}

// standing goes down the rows of the table that ask what kind of thing the body is and whom the money is for, but for the
// currency.
func (r *Reconciler) standing(f *formats.EventFields, at instant, known bool) standing {
	switch {
	case f.Problem.Untyped():
		return invalid
	case string(f.Type) != formats.EventAmountApplied:
		return otherType
	case f.Problem != formats.EventFine:
		return invalid
	case !at.known && r.bounded():
		return timeless
	case len(f.AccountID) > 0 || len(f.BillID) > 0:
		return otherObligation
	case !known:
		return unknownCustomer
	default:
		return named
	}
}

// bounded reports whether a period is asked for.
func (r *Reconciler) bounded() bool { return !r.options.From.IsZero() || !r.options.To.IsZero() }

// when tells where an instant lies. Without a period everything is within, and so is what has no time.
func (r *Reconciler) when(at instant) when {
	switch {
	case !at.known:
		return within
	case !r.options.From.IsZero() && at.time.Before(r.options.From):
		return ahead
	case (r.options.To.IsZero() || at.time.Before(r.options.To)):
		return within
	default:
		return behind
	}
}

func signatureOf(word string) signature {
	switch word {
	case formats.SignatureVerified:
		return verified
	case formats.SignatureUnverified:
		return unverified
	case formats.SignatureFailed:
		return failed
	default:
		return noSignature
	}
}

// expect returns the number of the verdict that a claim will get, unless an earlier line or a person's decision makes it
// another one.
func (r *Reconciler) expect(c *claim) uint8 {
	switch {
	case c.standing == invalid || c.standing == timeless:
		return expectInvalid
	case c.standing == otherType:
		return expectOtherType
	case c.when != within:
		return expectOutOfPeriod
	case c.standing == otherObligation:
		return expectOtherObligation
	case c.standing == unknownCustomer:
		return expectUnknownCustomer
	case c.owed != c.currency:
		return expectMismatch
	case c.amount < 0:
		return expectReversal
	default:
		return expectApplied
	}
}
