package reconciler

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"tallyman/formats"
)

// customer is what is known of one customer: the assertions that matter to the period, and what was paid between them.
//
// An assertion sets the position, so of those before the period only the last one matters; it alone is kept.
type customer struct {
	id, reference, name, payable string

	points []point // assertions in order of time
	before int     // how many of them take effect before the period: 0 or 1
	lines  []*line // one for each currency that was ever asserted, in order of first assertion
}

// point is one assertion on the customer's line of time.
type point struct {
	at, sentAt time.Time
	line       *line
	balance    int64

	takenOff     []string    // ids of events that the balance was sent less of
	crossed      formats.Sum // payments in the period that its file could not have known
	crossedCount int64
}

// line is a customer's balance in one currency: one row of balances.csv.
type line struct {
	customer *customer
	currency string
	dueDate  string

	// paid are the applied amounts: those before the period by the number of points that had taken effect, then those in
	// the period in the same way. It is made with the first of them, since many customers do not pay in many a period.
	paid        []formats.Sum
	count       int64 // applied events in the period
	first, last instant
}

// assert puts one more assertion on the line of time.
func (c *customer) assert(a Assertion, before bool) error {
	if n := len(c.points); n > 0 && a.At.Before(c.points[n-1].at) {
		return fmt.Errorf("assertion for %s as of %s comes after a later one: give those of a customer in order of time",
			c.id, a.At.Format(time.RFC3339))
	}
	keep(&c.reference, a.ExternalReference)
	keep(&c.name, a.Name)
	keep(&c.payable, a.Payable)
	l := c.line(a.Currency)
	if l == nil {
		l = &line{customer: c, currency: a.Currency}
		c.lines = append(c.lines, l)
	}
	l.dueDate = a.DueDate
	p := point{at: a.At, sentAt: a.SentAt, line: l, balance: a.Balance, takenOff: a.TakenOff}
	if before && c.before == 1 {
		c.points[0] = p
		return nil
	}
	if before {
		c.before = 1
	}
	c.points = append(c.points, p)
	return nil
}

// keep overwrites a text unless the newer one says nothing.
func keep(text *string, newer string) {
	if newer != "" {
		*text = newer
	}
}

// line returns the customer's balance in a currency, or nil if none was ever asserted.
func (c *customer) line(currency string) *line {
	for _, l := range c.lines {
		if l.currency == currency {
			return l
		}
	}
	return nil
}

// current is the line that the last assertion was about.
func (c *customer) current() *line { return c.points[len(c.points)-1].line }

// inForce returns how many assertions have taken effect at an instant. An event of unknown time comes after all of them.
func (c *customer) inForce(at instant) int {
	if !at.known {
		return len(c.points)
	}
	return sort.Search(len(c.points), func(i int) bool {
		p := c.points[i]
		return !p.at.IsZero() && p.at.After(at.time)
	})
}

// payBefore books a payment from before the period: it moves the opening position only.
func (l *line) payBefore(at instant, amount int64) {
	l.pay(l.customer.inForce(at), amount)
}

// payWithin books a payment in the period, that of the event with an id.
func (l *line) payWithin(at instant, amount int64, id []byte) {
	n := l.customer.inForce(at)
	l.pay(n+1, amount)
	l.count++
	if at.known && (!l.first.known || at.time.Before(l.first.time)) {
		l.first = at
	}
	if at.known && (!l.last.known || at.time.After(l.last.time)) {
		l.last = at
	}
	if n == 0 {
		return
	}
	if p := &l.customer.points[n-1]; p.line == l && at.known && !p.at.IsZero() && at.time.Before(p.sentAt) && !slices.Contains(p.takenOff, string(id)) {
		p.crossed = p.crossed.Add(amount)
		p.crossedCount++
	}
}

func (l *line) pay(slot int, amount int64) {
	if l.paid == nil {
		l.paid = make([]formats.Sum, len(l.customer.points)+2)
	}
	l.paid[slot] = l.paid[slot].Add(amount)
}

// paidIn returns what was paid in one slot.
func (l *line) paidIn(slot int) formats.Sum {
	if l.paid == nil {
		return formats.Sum{}
	}
	return l.paid[slot]
}

// movement is the way of a position through the period: opening + billed - paid = closing.
type movement struct {
	opening, billed, paid, closing formats.Sum
}

// movement walks along the line of time.
func (l *line) movement() movement { return l.walk(nil) }

// walk goes along the line of time and shows what each assertion in the period billed. The position begins at zero; an
// assertion in the line's currency sets it, one in another currency closes it.
func (l *line) walk(bill func(*point, formats.Sum)) movement {
	c := l.customer
	var position formats.Sum
	for n := 0; n <= c.before; n++ {
		position = position.SubSum(l.paidIn(n))
		if n < c.before {
			position = l.after(&c.points[n])
		}
	}
	m := movement{opening: position}
	for n := c.before; n <= len(c.points); n++ {
		paid := l.paidIn(n + 1)
		m.paid = m.paid.AddSum(paid)
		position = position.SubSum(paid)
		if n < len(c.points) {
			next := l.after(&c.points[n])
			billed := next.SubSum(position)
			m.billed = m.billed.AddSum(billed)
			if bill != nil {
				bill(&c.points[n], billed)
			}
			position = next
		}
	}
	m.closing = position
	return m
}

// after is the line's position once an assertion has taken effect.
func (l *line) after(p *point) formats.Sum {
	if p.line != l {
		return formats.Sum{}
	}
	return formats.SumOf(p.balance)
}

// reported reports whether the line stands in balances.csv: the currency of the last assertion always does, one that the
// customer has left as long as anything moves or is left in it.
func (l *line) reported(m movement) bool {
	return l == l.customer.current() || l.count > 0 || m != (movement{})
}
