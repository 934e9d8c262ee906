package reconciler

import (
	"fmt"
	"time"

	"tallyman/formats"
)

// The sentences of exceptions.csv. Each says what happened and what to do, to somebody who never sees the tool.

// eventDetail is the sentence for a held or unapplied event, or a reversal.
func eventDetail(e *event, v verdict) string {
	switch v.reason {
	case formats.ReasonInvalidEvent:
		return fmt.Sprintf("The event at %s cannot be counted: %s. Ask Moment what it should say; once that is settled, have it dropped.", e.Ref, v.why)
	case formats.ReasonConflictingEvent:
		return fmt.Sprintf("An event with this id came before with other data, and the first one counts. Ask Moment which one is right, then have this one (%s, at %s) applied or dropped.", e.money(), e.Ref)
	case formats.ReasonPossibleDuplicate:
		return fmt.Sprintf("This payment of this customer was reported before under another event id; %s. Find out whether the money came once or twice, then have this one applied or dropped.", v.why)
	case formats.ReasonOtherObligation:
		return fmt.Sprintf("The money was paid to %s, not to a customer's balance, so it counts for no balance here. Book it where that is kept.", obligation(e))
	case formats.ReasonUnknownCustomer:
		return fmt.Sprintf("No balance is known for customer %s. Find out whose money it is: another merchant's, or a customer whose row was rejected or never sent.", e.CustomerID)
	case formats.ReasonCurrencyMismatch:
		return fmt.Sprintf("The customer's balance is not in %s, so the payment cannot be taken off it. Ask Moment why it was paid in another currency.", e.Currency)
	default:
		return fmt.Sprintf("%s was taken back; it counts as owed again.", formats.SumOf(e.Amount).Abs().Major(e.Currency)+" "+e.Currency)
	}
}

// signatureDetail is the sentence for a line whose signature does not fit.
func signatureDetail(e *event) string {
	return fmt.Sprintf("The line at %s carries a signature that none of the configured secrets gives. Either the secret it was made with is missing from the configuration, or the line was changed after it was received.", e.Ref)
}

// compareAmounts says whether a possible duplicate agrees with the event it resembles.
func compareAmounts(e *event, earlier int64) string {
	if e.Amount == earlier {
		return fmt.Sprintf("the amounts agree (%s)", e.money())
	}
	return fmt.Sprintf("the amounts differ (%s before, %s now)", formats.FormatMajor(earlier, e.Currency), e.money())
}

// money prints the event's amount with its currency.
func (e *event) money() string { return formats.FormatMajor(e.Amount, e.Currency) + " " + e.Currency }

// obligation names the account or bill that was paid.
func obligation(e *event) string {
	switch {
	case e.AccountID != "" && e.BillID != "":
		return "account " + e.AccountID + " and bill " + e.BillID
	case e.AccountID != "":
		return "account " + e.AccountID
	default:
		return "bill " + e.BillID
	}
}

func overpaidDetail(row formats.BalanceRow) string {
	return fmt.Sprintf("The customer paid %s %s more than was owed. Nothing needs fixing; it is a credit until it is billed against or refunded.", row.Closing.Neg().Major(row.Currency), row.Currency)
}

func crossedDetail(p *point) string {
	amount := p.crossed.Abs().Major(p.line.currency) + " " + p.line.currency
	asked := fmt.Sprintf("the balance does not know of %s paid, and the customer may be asked for it twice", amount)
	if p.crossed.Sign() < 0 {
		asked = fmt.Sprintf("the balance does not know of %s taken back, and the customer may be asked for too little", amount)
	}
	came := payments(p.crossedCount)
	if len(p.takenOff) > 0 {
		came += " besides what was taken off it"
	}
	return fmt.Sprintf("A balance as of %s reached Moment at %s; in between came %s, so %s. Send a corrected balance.",
		p.at.UTC().Format(time.RFC3339), p.sentAt.UTC().Format(time.RFC3339), came, asked)
}

// closedDetail is the sentence for a break that is open no more.
func closedDetail(detail string) string { return "Closed. It said: " + detail }

func payments(n int64) string {
	if n == 1 {
		return "1 payment"
	}
	return fmt.Sprintf("%d payments", n)
}
