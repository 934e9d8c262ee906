package nightly

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"tallyman/formats"
)

// placed is what became of one journal line in a report.
type placed struct{ event, customer, reference, currency, amount, status, reason, ref string }

// counts reports whether the line moves a figure or an exception of the report: the others could as well not be there.
func (p *placed) counts() bool {
	return p != nil && p.status != formats.StatusExcluded && p.status != formats.StatusDuplicate
}

// place is the status with its reason.
func (p *placed) place() string {
	if p.reason == "" {
		return p.status
	}
	return p.status + " " + p.reason
}

// key tells a line from all others of the journal.
func (p *placed) key() string { return p.ref + "\x00" + p.event }

// eventChange is a line whose place or amount is another one; either side may be nil.
type eventChange struct{ before, now *placed }

// events compares the rows of payments.csv. Both stand in journal order, and a journal only grows: most rows meet their
// counterpart at once, and only those that did not yet are remembered.
func (c *comparison) events() error {
	before, now, err := c.openBoth("payments.csv", "event_id", "customer_id", "external_reference", "currency", "amount", "status", "reason", "journal_ref")
	if err != nil {
		return err
	}
	defer before.close()
	defer now.close()
	m := eventMatch{before: map[string]*placed{}, now: map[string]*placed{}}
	for ended := false; ; {
		o, err := nextPlaced(before, ended)
		if err != nil {
			return err
		}
		ended = o == nil
		n, err := nextPlaced(now, false)
		if err != nil {
			return err
		}
		if o == nil && n == nil {
			break
		}
		m.take(o, n, ended)
	}
	for _, change := range m.finish() {
		if err := c.event(change); err != nil {
			return err
		}
	}
	return nil
}

func nextPlaced(t *reportTable, ended bool) (*placed, error) {
	if ended {
		return nil, nil
	}
	cells, err := t.next()
	if cells == nil {
		return nil, err
	}
	return &placed{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7]}, nil
}

// eventMatch brings the rows of two reports together.
type eventMatch struct {
	before, now map[string]*placed // that have not met their counterpart
	changes     []eventChange
}

// take takes the next row of each report, nil for none. ended says that the earlier report has no more rows.
func (m *eventMatch) take(o, n *placed, ended bool) {
	if o != nil && n != nil && o.key() == n.key() {
		m.pair(o, n)
		return
	}
	if o != nil {
		if met := m.now[o.key()]; met != nil {
			delete(m.now, o.key())
			m.pair(o, met)
		} else {
			m.before[o.key()] = o
		}
	}
	if n == nil {
		return
	}
	switch met := m.before[n.key()]; {
	case met != nil:
		delete(m.before, n.key())
		m.pair(met, n)
	case !ended || n.counts():
		m.now[n.key()] = n
	}
}

// pair notes what is different about one line.
func (m *eventMatch) pair(o, n *placed) {
	if (o.counts() || n.counts()) && (o == nil || n == nil || o.place() != n.place() || o.amount != n.amount || o.currency != n.currency) {
		m.changes = append(m.changes, eventChange{o, n})
	}
}

// finish returns the changes in journal order.
func (m *eventMatch) finish() []eventChange {
	for _, o := range m.before {
		m.pair(o, nil)
	}
	for _, n := range m.now {
		m.pair(nil, n)
	}
	slices.SortFunc(m.changes, func(a, b eventChange) int {
		x, y := cmp.Or(a.now, a.before), cmp.Or(b.now, b.before)
		fileX, lineX := splitRef(x.ref)
		fileY, lineY := splitRef(y.ref)
		return cmp.Or(cmp.Compare(fileX, fileY), cmp.Compare(lineX, lineY), cmp.Compare(x.event, y.event))
	})
	return m.changes
}

// splitRef takes file:line apart.
func splitRef(ref string) (file string, line int64) {
	i := strings.LastIndexByte(ref, ':')
	if i < 0 {
		return ref, 0
	}
	line, _ = strconv.ParseInt(ref[i+1:], 10, 64)
	return ref[:i], line
}

func (c *comparison) event(change eventChange) error {
	about := cmp.Or(change.now, change.before)
	row := formats.ChangeRow{
		Kind: formats.ChangeEvent, ExternalReference: about.reference, CustomerID: about.customer, EventID: about.event, Currency: about.currency, JournalRef: about.ref,
	}
	figures := func(p *placed) []string {
		if p == nil {
			return nil
		}
		return []string{p.place(), p.amount}
	}
	switch {
	case !change.before.counts():
		row.Detail = "This event belongs to the date and was not in the last report."
	case !change.now.counts():
		row.Detail = "This event was in the last report and does not count any more."
	default:
		row.Detail = "This event has another place than in the last report."
	}
	return c.write(row, []string{"status", "amount"}, figures(change.before), figures(change.now))
}
