package reconciler

import (
	"iter"

	"tallyman/formats"
)

// Sheet is a stretch of the journal on its way into payments.csv. For who has millions of lines, the way has three parts:
// Prepare, which any number of goroutines may do at once, Place, in journal order, and Rows, again at once. What Fields and
// Body of the lines point to must stay until the last of them. A sheet may be used again.
type Sheet struct {
	Lines []Placing

	claims  []claim
	rows    formats.PaymentRows // as they will most likely be
	ends    []int               // of the rows
	amended []amendment         // rows that must be another one
	other   formats.PaymentRows
	line    formats.PaymentLine
}

// amendment is what a row says that was not expected.
type amendment struct {
	row            int
	status, reason string
}

// Prepare looks up what does not depend on the lines before, and puts the rows together. It is safe for concurrent use once
// the last assertion was given, also while another goroutine is in Place.
//
// Where there are a million customers, nearly every look-up waits for memory twice. So some are begun together,
// and wait together.
func (r *Reconciler) Prepare(s *Sheet) {
	s.claims, s.ends, s.amended = s.claims[:0], s.ends[:0], s.amended[:0]
	s.rows.Reset()
	var guesses [customersAhead]guess
	for rest := s.Lines; len(rest) > 0; {
		some := rest[:min(len(rest), customersAhead)]
		rest = rest[len(some):]
		for i := range some {
			guesses[i] = r.customers.guess(some[i].Fields.CustomerID)
		}
		for i := range some {
			r.customers.follow(&guesses[i])
		}
		r.prepare(s, some, guesses[:len(some)])
	}
}

// prepare makes the claims and the rows of some lines.
func (r *Reconciler) prepare(s *Sheet, some []Placing, guesses []guess) {
	from := len(s.claims)
	for i := range some {
		c := claim{}
		if id := some[i].Fields.CustomerID; len(id) > 0 {
			if at, found := r.customers.find(&guesses[i], id); found {
				n, currency := r.customers.texts.numbers(at)
				c.customer, c.texts, c.owed = n+1, at, currency+1
			}
		}
		s.claims = append(s.claims, c)
	}
	for i := from; i < len(s.claims); i++ {
		c := &s.claims[i]
		r.claimOf(&s.Lines[i], c)
		v := &verdicts[c.expected]
		s.rows.Append(r.row(s, i, v.status, v.reason))
		s.ends = append(s.ends, len(s.rows.Bytes()))
	}
}

// row returns a row of payments.csv. It is valid until the next one.
func (r *Reconciler) row(s *Sheet, i int, status, reason string) *formats.PaymentLine {
	p, c, l := &s.Lines[i], &s.claims[i], &s.line
	at := p.instant()
	l.BusinessDate, l.Status, l.Reason, l.EventTime, l.HasEventTime = r.options.BusinessDate, status, reason, at.time, at.known
	l.ReceivedAt, l.Signature, l.JournalRef = p.ReceivedAt, p.Signature, p.Ref
	l.ExternalReference = r.customers.reference(c)
	l.Fields, l.File, l.Line = p.Fields, p.File, p.Line
	return l
}

// Rows yields the rows of payments.csv of a sheet whose lines have their places, as text in pieces. Each is valid until the
// next one. It is safe for concurrent use with different sheets.
func (r *Reconciler) Rows(s *Sheet) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		text, from := s.rows.Bytes(), 0
		for _, a := range s.amended {
			before := 0
			if a.row > 0 {
				before = s.ends[a.row-1]
			}
			s.other.Reset()
			s.other.Append(r.row(s, a.row, a.status, a.reason))
			if !yield(text[from:before]) || !yield(s.other.Bytes()) {
				return
			}
			from = s.ends[a.row]
		}
		yield(text[from:])
	}
}
