package reconciler

import (
	"cmp"
	"fmt"
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
	rank     int // the smaller, the better the evidence
	customer string
	evidence string
}

// suggest adds to each payment of an unknown customer whose money it may be, with the evidence: a customer with an id or a
// reference one edit away, then one who owes exactly that amount. Nothing is ever applied for it.
func (r *Result) suggest() {
	var open []int
	for i := range r.own {
		if r.own[i].Reason == formats.ReasonUnknownCustomer {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return
	}
	type money struct {
		currency string
		amount   formats.Sum
	}
	byAmount, near := map[money][]int{}, neighbours{} // of the payments
	for n, i := range open {
		key := money{r.own[i].Currency, r.own[i].Amount}
		byAmount[key] = append(byAmount[key], i)
		if id := r.own[i].CustomerID; len(id) >= tellingID && n < mostNeighbours {
			near.add(id, i)
		}
	}
	found := map[int][]suggestion{}
	add := func(i, rank int, l *line, evidence string) {
		name := l.customer.id
		if l.customer.reference != "" {
			name = l.customer.reference + " (" + l.customer.id + ")"
		}
		if len(found[i]) < 8*suggestionsEach {
			found[i] = append(found[i], suggestion{rank, name, evidence})
		}
	}
	for l := range r.lines() {
		for _, i := range byAmount[money{l.currency, l.movement().closing}] {
			add(i, 2, l, "owes exactly this amount")
		}
		for _, i := range near.find(l.customer.id, l.customer.reference) {
			if id := r.own[i].CustomerID; oneEdit(id, l.customer.id) || oneEdit(id, l.customer.reference) {
				add(i, 1, l, "differs by one character")
			}
		}
	}
	for i, list := range found {
		slices.SortFunc(list, func(a, b suggestion) int {
			return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.customer, b.customer))
		})
		var texts []string
		for _, s := range list[:min(len(list), suggestionsEach)] {
			texts = append(texts, fmt.Sprintf("%s %s", s.customer, s.evidence))
		}
		r.own[i].Detail += " It may be: " + strings.Join(texts, "; ") + "."
	}
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
