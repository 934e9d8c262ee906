package reconciler

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"tallyman/formats"
)

// suggestionsEach is how many customers are suggested for one payment.
const suggestionsEach = 3

// mostNeighbours is for how many payments customers with a similar id are looked for.
const mostNeighbours = 1000

// tellingID is the length from which an id says something: short ones are near each other by chance.
const tellingID = 7

// suggestion is a customer whose money it may be.
type suggestion struct {
	rank     int // the smaller, the better the evidence; equal ones stand in the order of the customers
	customer string
	evidence string
}

// Seen is a customer whose balance is not known here, though the customer is: one whose row was rejected, or one that no
// file gave a balance. It may be whom money of an unknown customer is for.
type Seen struct {
	ExternalReference string
	CustomerID        string          // empty if it is not known
	Currency          string          // of Balance
	Balance           formats.Balance // what a rejected row says, in minor units, if it says it
	Rejected          bool
	Where             string // the file and the line where it was seen last
}

// money is an amount that somebody may owe.
type money struct {
	currency string
	amount   formats.Sum
}

// suggester looks for whom the money of unknown customers is for.
type suggester struct {
	rows     []formats.ExceptionRow
	byID     map[string][]int // numbers of the rows
	byAmount map[money]*sameAmount
	near     neighbours
	found    map[int][]suggestion
}

// sameAmount are the payments of one amount, and how many customers were found who owe it: they are suggested for all of
// them, and no more of them are looked for than can be named.
type sameAmount struct {
	rows                []int
	customers, rejected int
}

// newSuggester returns nil if there is nobody unknown.
func newSuggester(rows []formats.ExceptionRow) *suggester {
	s := &suggester{rows: rows, byID: map[string][]int{}, byAmount: map[money]*sameAmount{}, found: map[int][]suggestion{}}
	open := 0
	for i := range rows {
		row := &rows[i]
		if row.Reason != formats.ReasonUnknownCustomer {
			continue
		}
		s.byID[row.CustomerID] = append(s.byID[row.CustomerID], i)
		key := money{row.Currency, row.Amount}
		if s.byAmount[key] == nil {
			s.byAmount[key] = &sameAmount{}
		}
		s.byAmount[key].rows = append(s.byAmount[key].rows, i)
		if len(row.CustomerID) >= tellingID && open < mostNeighbours {
			s.near.add(row.CustomerID, i)
		}
		open++
	}
	if open == 0 {
		return nil
	}
	return s
}

// suggest adds to each payment of an unknown customer whose money it may be, with the evidence: the customer itself, who
// was seen without a balance, then one with an id or a reference one edit away, then one who owes exactly that amount.
// Nothing is ever applied for it.
func (r *Result) suggest(seen iter.Seq2[Seen, error]) error {
	s := newSuggester(r.own)
	if s == nil {
		return nil
	}
	ids := idPrefix{}
	for l := range r.lines() {
		s.line(l)
		ids.add(l.customer.id)
	}
	if seen != nil {
		for c, err := range seen {
			if err != nil {
				return fmt.Errorf("look for whom unknown money is for: %w", err)
			}
			s.seen(c)
		}
	}
	s.tell(ids)
	return nil
}

func (s *suggester) line(l *line) {
	if same := s.byAmount[money{l.currency, l.movement().closing}]; same != nil && same.customers < suggestionsEach {
		same.customers++
		for _, i := range same.rows {
			s.add(i, 2, l.customer.reference, l.customer.id, "owes exactly this amount")
		}
	}
	for _, i := range s.near.find(l.customer.id, l.customer.reference) {
		if id := s.rows[i].CustomerID; oneEdit(id, l.customer.id) || oneEdit(id, l.customer.reference) {
			s.add(i, 1, l.customer.reference, l.customer.id, "differs by one character")
		}
	}
}

func (s *suggester) seen(c Seen) {
	if c.CustomerID != "" {
		why := "has this id, and no file gave a balance: "
		if c.Rejected {
			why = "has this id, and the row was rejected: "
		}
		for _, i := range s.byID[c.CustomerID] {
			s.add(i, 0, c.ExternalReference, "", why+c.Where)
		}
	}
	if !c.Rejected || !c.Balance.Set {
		return
	}
	if same := s.byAmount[money{c.Currency, formats.SumOf(c.Balance.Minor)}]; same != nil && same.rejected < suggestionsEach {
		same.rejected++
		for _, i := range same.rows {
			if s.rows[i].CustomerID != c.CustomerID {
				s.add(i, 3, c.ExternalReference, c.CustomerID, "owes exactly this amount in a row that was rejected: "+c.Where)
			}
		}
	}
}

func (s *suggester) add(i, rank int, reference, id, evidence string) {
	name := cmp.Or(reference, id)
	if reference != "" && id != "" {
		name = reference + " (" + id + ")"
	}
	s.found[i] = append(s.found[i], suggestion{rank, name, evidence})
}

// tell writes what was found into the details.
func (s *suggester) tell(ids idPrefix) {
	for i := range s.rows {
		if s.rows[i].Reason != formats.ReasonUnknownCustomer {
			continue
		}
		list := s.found[i]
		slices.SortStableFunc(list, func(a, b suggestion) int { return cmp.Compare(a.rank, b.rank) })
		var texts []string
		for _, g := range list[:min(len(list), suggestionsEach)] {
			texts = append(texts, g.customer+" "+g.evidence)
		}
		if len(texts) > 0 {
			s.rows[i].Detail += " It may be: " + strings.Join(texts, "; ") + "."
		}
		if prefix := ids.missing(s.rows[i].CustomerID); prefix != "" {
			s.rows[i].Detail += fmt.Sprintf(" All %d customers here have ids that begin with %s: it may be another merchant's.", ids.count, prefix)
		}
	}
}

// idPrefix is what all ids of customers begin with.
type idPrefix struct {
	count  int
	common string
}

// Few customers, and prefixes that all merchants have, say nothing of whose customer it is.
const (
	fewestPrefixed = 20
	everyPrefix    = "bcus_"
)

func (p *idPrefix) add(id string) {
	p.count++
	if p.count == 1 {
		p.common = id
		return
	}
	n := 0
	for n < min(len(p.common), len(id)) && p.common[n] == id[n] {
		n++
	}
	p.common = p.common[:n]
}

// missing returns the prefix that the id does not have and all others do; empty if there is none that says something. It
// ends with a mark: ids that count up have digits in common.
func (p *idPrefix) missing(id string) string {
	prefix := p.common[:strings.LastIndexAny(p.common, "_-.:")+1]
	if p.count < fewestPrefixed || len(prefix) <= len(everyPrefix) || strings.HasPrefix(id, prefix) {
		return ""
	}
	return prefix
}

// oneEdit reports whether one character put in, taken out or replaced, or two neighbours swapped, makes one text of the
// other. Equal texts are no edit away from each other, and an empty one is none.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if a == "" || len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
