package overview

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"tallyman/formats"
)

// Signed is a signature on the figures of the business date, and what moved since.
type Signed struct {
	By    string    `json:"by"`
	Note  string    `json:"note,omitempty"`
	At    time.Time `json:"at"`
	Run   string    `json:"run"`   // the report that was signed
	Moved []Moved   `json:"moved"` // empty: the figures are those that were signed
}

// Moved is one figure that is no longer what was signed.
type Moved struct {
	Figure string `json:"figure"` // "ZAR closing", "breaks"
	Signed string `json:"signed"`
	Now    string `json:"now"`
}

// OK reports whether all is right: nothing needs a person.
func (o *Overview) OK() bool { return len(o.Reasons()) == 0 }

// Reasons lists, in words, why it is not all right; it is empty if it is.
func (o *Overview) Reasons() []string {
	var why []string
	for _, c := range o.Summary.Checks {
		if !c.OK {
			why = append(why, fmt.Sprintf("The check %q failed: %s.", Words(c.Name), strings.TrimSuffix(c.Detail, ".")))
		}
	}
	for _, d := range o.Differences {
		why = append(why, "The files do not agree: "+d+".")
	}
	for _, g := range o.Exceptions {
		if g.Severity == formats.SeverityBreak {
			why = append(why, fmt.Sprintf("%s: %s.", Explain(g.Reason), g.figures()))
		}
	}
	c := o.Summary.Completeness
	if came := datesCame(c); came < c.ExpectedFiles {
		why = append(why, notCame(c.ExpectedFiles, came))
	}
	for _, f := range c.Files {
		if f.State == fileHeld || f.State == fileRejected {
			why = append(why, fmt.Sprintf("The customer file %s is %s, so its balances are not in the figures.", f.Name, f.State))
		}
	}
	if o.Signed != nil && len(o.Signed.Moved) > 0 {
		why = append(why, fmt.Sprintf("The figures have moved since %s signed them.", o.Signed.By))
	}
	return why
}

// The states of a customer file that keep its balances out of the figures, as the ledger words them.
const (
	fileHeld     = "held"
	fileRejected = "rejected"
)

// notCame says how many of the day files that were expected are not there.
func notCame(expected, came int) string {
	if expected == 1 {
		return "The customer file of this date did not come."
	}
	return fmt.Sprintf("Of %d customer files expected, %d came.", expected, came)
}

// datesCame counts the business dates of which the day file came, in whatever state it is.
func datesCame(c formats.Completeness) int {
	dates := map[string]bool{}
	for _, f := range c.Files {
		if f.DayFile && f.State != formats.FileMissing {
			dates[f.Date] = true
		}
	}
	return len(dates)
}

// figures is how many there are of a reason, and how much money.
func (g ExceptionGroup) figures() string {
	if money := g.Money(); money != "" {
		return fmt.Sprintf("%d, %s", g.Count, money)
	}
	return fmt.Sprint(g.Count)
}

// Words makes a word of the files readable: "part_paid" is "part paid".
func Words(text string) string { return strings.ReplaceAll(text, "_", " ") }

// Explain says what a reason of exceptions.csv means, as a sentence without a full stop. A reason that it does not know is
// said as it is.
func Explain(reason string) string {
	if text, ok := explanations()[reason]; ok {
		return text
	}
	return Words(reason)
}

func explanations() map[string]string {
	return map[string]string{
		formats.ReasonInvalidEvent:         "Payments that cannot be read",
		formats.ReasonConflictingEvent:     "Payments told twice, with different contents",
		formats.ReasonPossibleDuplicate:    "Payments that may have been counted twice",
		formats.ReasonOtherObligation:      "Payments for an account or a bill, not for a customer's balance",
		formats.ReasonUnknownCustomer:      "Payments of customers that nobody knows",
		formats.ReasonCurrencyMismatch:     "Payments in another currency than the customer's balance",
		formats.ReasonBalanceDrift:         "Moment shows another balance than the position",
		formats.ReasonCrossedPayment:       "Balances sent over a payment that their file did not know of: the customer may be asked twice",
		formats.ReasonTotalsDiffer:         "Totals that do not agree",
		formats.ReasonJournalDamaged:       "The journal of payments is damaged",
		formats.ReasonTornTail:             "The journal of payments ends in a torn line",
		formats.ReasonSignatureFailed:      "Payments whose signature does not hold",
		formats.ReasonOverpaid:             "Customers who paid more than they owed",
		formats.ReasonReversal:             "Payments that were taken back",
		formats.ReasonNotPayable:           "Customers who cannot pay, for want of payment rules",
		formats.ReasonStartsLate:           "The journal of payments begins later than its first line",
		formats.ReasonReportGap:            "Moment's own report has a gap",
		formats.ReasonCompletenessUnproven: "Nothing proves that every payment was told",
	}
}

// Money is the amounts of a group in words, "ZAR 12.50, JPY 300"; empty if no row has one.
func (g ExceptionGroup) Money() string {
	var parts []string
	for _, a := range g.Amounts {
		parts = append(parts, a.Currency+" "+a.Amount)
	}
	return strings.Join(parts, ", ")
}

// Story says what has become of the signed figures.
func (s *Signed) Story() string {
	if len(s.Moved) == 0 {
		return "the figures are those that were signed"
	}
	var parts []string
	for _, m := range s.Moved {
		parts = append(parts, fmt.Sprintf("%s was %s and is %s", m.Figure, m.Signed, m.Now))
	}
	return "since then " + strings.Join(parts, "; ")
}

// Foots reports whether opening + billed - paid = closing.
func Foots(t formats.RollForward) bool {
	sum := &Decimal{}
	for _, part := range []struct {
		text string
		sign int64
	}{{t.Opening, 1}, {t.Billed, 1}, {t.Paid, -1}, {t.Closing, -1}} {
		d, err := ParseDecimal(part.text)
		if err != nil {
			return false
		}
		d.minor.Mul(&d.minor, big.NewInt(part.sign))
		sum.Add(d)
	}
	return sum.Sign() == 0
}
