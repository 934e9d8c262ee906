package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"tallyman/internal/sandbox"
)

// The model's books: who owes what, who paid what and when, and what a report of a date has to say of it, worked out from
// the words of design.md section 8 and not as the program does it.

// firstDate is the business date with number 0; instantOf is a time of a date in Johannesburg, which has no summer time.
var firstDate = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func instantOf(day, hour, minute int) time.Time {
	return firstDate.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute - 2*time.Hour)
}

// modelFile is a customer file of a date.
type modelFile struct {
	day      int
	balances map[string]int64
	text     string
}

func (f modelFile) sha256() string {
	sum := sha256.Sum256([]byte(f.text))
	return hex.EncodeToString(sum[:])
}

// asserted is a balance that a file has told.
type asserted struct {
	day     int
	balance int64
	sent    time.Time
}

// modelCustomer is a customer in the books of biller and Moment.
type modelCustomer struct {
	ref      string
	owes     int64 // as the biller sees it
	shown    int64 // the balance that Moment shows
	paid     bool  // an event has come since the last assertion
	asserted []asserted
}

// money is a payment, or one taken back.
type money struct {
	ref        string // empty for a stranger
	day        int
	at         time.Time
	amount     int64
	late       bool
	stranger   bool   // a customer that nobody knows
	bill       string // it is for a bill, not for the balance
	obligation string // of an earlier payment: two payments on one

	event    sandbox.Event
	decision string // on its twin: apply or drop
}

func (m *money) payer() string {
	switch {
	case m.stranger:
		return "bcus_NOBODY"
	case m.bill != "":
		return ""
	}
	return m.ref
}

func (m *money) fill(e sandbox.Event) { m.event, m.obligation = e, e.Payment.ObligationID }

func (m *money) twinID() string { return m.event.ID + "T" }

// The ways in which money is told of.
const (
	first    = iota
	repeated // the same event under another webhook-id
	twin     // the same money under another event id
)

// line is one line of the journal.
type line struct {
	*money
	kind int
}

func (l line) eventID() string {
	if l.kind == twin {
		return l.twinID()
	}
	return l.event.ID
}

type modelBooks struct {
	customers  map[string]*modelCustomer
	order      []string
	moneys     []*money // all that was ever paid
	lines      []line   // of the journal, in no certain order within an evening
	assertions int
}

func newModelBooks() *modelBooks {
	b := &modelBooks{customers: map[string]*modelCustomer{}}
	for i := range yearCustomers {
		ref := fmt.Sprintf("C-%02d", i)
		b.order = append(b.order, ref)
		b.customers[ref] = &modelCustomer{ref: ref, owes: int64(20_000 + 3_000*i)}
	}
	return b
}

// bill is the biller's file of a date: what was owed, less what was paid before that date, and now and then more.
func (b *modelBooks) bill(day int, r *rand.Rand) modelFile {
	f := modelFile{day: day, balances: map[string]int64{}}
	for i, ref := range b.order {
		c := b.customers[ref]
		if day > 0 {
			for _, l := range b.lines {
				if l.kind == first && l.ref == ref && l.bill == "" && l.day == day-1 {
					c.owes -= l.amount
				}
			}
			if r.IntN(4) == 0 {
				c.owes += int64(r.IntN(9_000) + 1)
			}
		}
		if day < i-yearCustomers+8 { // the last few become customers in the first days
			continue
		}
		f.balances[ref] = c.owes
	}
	f.write(b.order)
	return f
}

func (f *modelFile) write(order []string) {
	var text strings.Builder
	text.WriteString("external_reference,name,currency,balance\n")
	for _, ref := range order {
		if balance, in := f.balances[ref]; in {
			fmt.Fprintf(&text, "%s,Customer %s,ZAR,%d\n", ref, ref, balance)
		}
	}
	f.text = text.String()
}

// correct is another file of the same date.
func (b *modelBooks) correct(f modelFile, r *rand.Rand) modelFile {
	other := modelFile{day: f.day, balances: map[string]int64{}}
	for _, ref := range b.order {
		balance, in := f.balances[ref]
		if !in {
			continue
		}
		if r.IntN(5) == 0 || ref == b.order[0] {
			by := int64(r.IntN(5_000) + 1)
			balance += by
			b.customers[ref].owes += by
		}
		other.balances[ref] = balance
	}
	other.write(b.order)
	return other
}

// reprice is a file in which the total moves by more than a guard lets through: up while little is owed, else down.
func (b *modelBooks) reprice(day int) modelFile {
	f := modelFile{day: day, balances: map[string]int64{}}
	total := int64(0)
	for _, ref := range b.order {
		total += b.customers[ref].owes
	}
	for _, ref := range b.order {
		c := b.customers[ref]
		if total < 2_000_000 {
			c.owes = c.owes*3 + 1_000
		} else {
			c.owes = c.owes / 5
		}
		f.balances[ref] = c.owes
	}
	f.write(b.order)
	return f
}

// imported books a file that a pass has taken. A customer that a newer file has asserted already stays as it is.
func (b *modelBooks) imported(f modelFile, now time.Time) {
	for _, ref := range b.order {
		balance, in := f.balances[ref]
		c := b.customers[ref]
		n := len(c.asserted)
		if !in || n > 0 && c.asserted[n-1].day > f.day {
			continue
		}
		sent := now
		if n == 0 || c.paid || c.asserted[n-1].balance != balance {
			c.shown = balance
		} else {
			sent = c.asserted[n-1].sent // nothing had to be said
		}
		c.paid = false
		c.asserted = append(c.asserted, asserted{f.day, balance, sent})
		b.assertions++
	}
}

// pay draws what is paid on a date: in its hours after the pass, and a little before it, when the file is out already.
func (b *modelBooks) pay(day int, r *rand.Rand, did map[string]int) []*money {
	var moneys []*money
	add := func(m *money) {
		m.day = day
		m.at = instantOf(day, 14+r.IntN(9), r.IntN(60)).Add(time.Duration(r.IntN(60_000)) * time.Millisecond)
		m.late = r.IntN(12) == 0
		if r.IntN(40) == 0 {
			m.at = instantOf(day, 3, r.IntN(60))
			did["crossed"]++
		}
		moneys = append(moneys, m)
	}
	for range r.IntN(6) {
		c := b.customers[b.order[r.IntN(len(b.order))]]
		if len(c.asserted) == 0 {
			continue
		}
		m := &money{ref: c.ref, amount: int64(r.IntN(8_000) + 1)}
		if before := b.lastOf(c.ref); before != nil && r.IntN(8) == 0 {
			m.obligation = before.obligation
			did["two payments on one obligation"]++
		}
		if r.IntN(12) == 0 {
			m.amount = -m.amount
			did["reversal"]++
		}
		add(m)
	}
	if r.IntN(30) == 0 {
		did["stranger"]++
		add(&money{stranger: true, amount: 555})
	}
	if r.IntN(30) == 0 {
		did["bill"]++
		add(&money{bill: "bill_1", amount: 777})
	}
	b.moneys = append(b.moneys, moneys...)
	for _, m := range moneys {
		if m.ref != "" {
			b.customers[m.ref].shown -= m.amount
		}
	}
	return moneys
}

// lastOf is the last payment of a customer that was told of.
func (b *modelBooks) lastOf(ref string) *money {
	for _, l := range slices.Backward(b.lines) {
		if l.ref == ref && l.kind == first && l.amount > 0 {
			return l.money
		}
	}
	return nil
}

// arrives books a line of the journal.
func (b *modelBooks) arrives(l line) {
	b.lines = append(b.lines, l)
	if l.ref != "" && l.kind != repeated {
		b.customers[l.ref].paid = true
	}
}

// placeOfLine is what a report of a date has to say of a line: status and reason, and whether the amount moves a balance.
func (b *modelBooks) placeOfLine(l line, day int) (place string, moves bool) {
	switch {
	case l.kind == repeated:
		return "duplicate duplicate_event", false
	case l.day != day:
		return "excluded out_of_period", b.counts(l)
	case l.bill != "":
		return "unapplied other_obligation", false
	case l.stranger:
		return "unapplied unknown_customer", false
	case l.kind == twin && l.decision == "drop":
		return "excluded possible_duplicate", false
	case l.kind == twin && l.decision == "":
		return "held possible_duplicate", false
	case l.amount < 0:
		return "applied reversal", true
	}
	return "applied ", true
}

// counts reports whether a line moves a balance at all.
func (b *modelBooks) counts(l line) bool {
	return l.ref != "" && (l.kind == first || l.kind == twin && l.decision == "apply")
}

// position is what a customer owes at the end of a date; there is none before the first assertion. A file of a date knows
// what was paid before that date, and nothing after.
func (b *modelBooks) position(c *modelCustomer, day int) (owed int64, any bool) {
	last, found := b.inForce(c, day)
	if !found {
		return 0, false
	}
	owed = last.balance
	for _, l := range b.lines {
		if l.ref == c.ref && b.counts(l) && l.day >= last.day && l.day <= day {
			owed -= l.amount
		}
	}
	return owed, true
}

// inForce is the assertion that holds on a date: that of the newest date, and of those of one date the last.
func (b *modelBooks) inForce(c *modelCustomer, day int) (last asserted, found bool) {
	for _, a := range c.asserted {
		if a.day <= day && (!found || a.day >= last.day) {
			last, found = a, true
		}
	}
	return last, found
}

// crossed are the customers whose payments on a date were made after its file was written and before Moment knew of it.
func (b *modelBooks) crossed(day int) map[string]bool {
	sums := map[string]int64{}
	for _, l := range b.lines {
		if l.ref == "" || l.day != day || !b.counts(l) {
			continue
		}
		if a, found := b.inForce(b.customers[l.ref], day); found && l.at.Before(a.sent) {
			sums[l.ref] += l.amount
		}
	}
	found := map[string]bool{}
	for ref, sum := range sums {
		if sum != 0 {
			found[ref] = true
		}
	}
	return found
}
