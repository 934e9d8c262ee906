package reconciler

import (
	"fmt"
	"strconv"
	"time"

	"tallyman/formats"
)

// Delivery is one line of the journal.
type Delivery struct {
	Body       []byte    // what was delivered, byte for byte; not kept
	ReceivedAt time.Time // the zero time means not known, as for a bare event
	Signature  string    // one of formats.SignatureVerified, SignatureUnverified and SignatureFailed
	Ref        string    // file:line
}

// Placing is one line of the journal on its way to its place.
type Placing struct {
	Delivery
	File string // Ref is File:Line, if it is empty
	Line int64

	Fields *formats.EventFields // as an EventReader with the reconciler's Key read Body
}

func (p *Placing) ref() string {
	if p.Ref != "" {
		return p.Ref
	}
	return p.File + ":" + strconv.FormatInt(p.Line, 10)
}

// instant is when an event happened: data.created_at, else when it was received.
func (p *Placing) instant() instant {
	switch {
	case p.Fields.HasCreatedAt:
		return instant{p.Fields.CreatedAt, true}
	case !p.ReceivedAt.IsZero():
		return instant{p.ReceivedAt, true}
	default:
		return instant{}
	}
}

// Key is what the prints of events must be made with that are placed here.
func (r *Reconciler) Key() *formats.EventKey { return r.key }

// Place gives the lines of prepared sheets, which come in journal order, their places. The errors are misuse, which is lines
// after the result was taken or an unknown word for a signature, and those of Options.Spill.
func (r *Reconciler) Place(s *Sheet) error {
	if r.stage == finished {
		return fmt.Errorf("%d deliveries after the result was taken", len(s.Lines))
	}
	r.stage = delivering
	if r.memory.limit == 0 && r.options.Memory > 0 {
		r.memory.limit = max(r.options.Memory-r.customers.bytes(), leastMemory)
	}
	for from := 0; from < len(s.claims); from += eventsAhead {
		to := min(from+eventsAhead, len(s.claims))
		r.near = r.touch(s.claims[from:to])
		for i := from; i < to; i++ {
			if err := r.place(s, i); err != nil {
				return err
			}
		}
	}
	return r.memory.shrink()
}

// GoOn says how much of the journals has been placed and how much is still to come, in bytes or any other unit, so that
// memory for events is made in few pieces. It is a hint: no figure depends on it. It is for the goroutine that is in Place.
func (r *Reconciler) GoOn(placed, ahead int64) { r.memory.goOn(placed, ahead) }

// eventsAhead is how many events are looked up together, so that they wait for memory together.
const eventsAhead = 32

// touch has what some events will ask for brought near.
func (r *Reconciler) touch(claims []claim) (near byte) {
	for i := range claims {
		near ^= r.memory.touch(&claims[i].prints)
	}
	for i := range claims {
		if n := claims[i].customer; n > 0 {
			near ^= r.customers.record(n - 1).flags
		}
	}
	return near
}

// place gives a line of a sheet its place.
func (r *Reconciler) place(s *Sheet, i int) error {
	e := &r.event
	e.Placing, e.claim, e.filled = &s.Lines[i], &s.claims[i], false
	if e.signature == noSignature {
		return fmt.Errorf("delivery %s: signature is %q: it is verified, unverified or failed", e.ref(), e.Signature)
	}
	if e.at = e.claim.instant(); e.stamp == farStamp {
		e.at = e.Placing.instant()
	}
	v, err := r.judge(e)
	if err != nil {
		return err
	}
	r.book(e, v)
	if expected := &verdicts[e.expected]; expected.status != v.status || expected.reason != v.reason {
		s.amended = append(s.amended, amendment{i, v.status, v.reason})
	}
	return nil
}

// Deliver gives one line of the journal its place and returns its row of payments.csv. Lines come in journal order. The
// errors are those of Place.
func (r *Reconciler) Deliver(d Delivery) (formats.PaymentRow, error) {
	if r.stage == finished {
		return formats.PaymentRow{}, fmt.Errorf("delivery %s after the result was taken", d.Ref)
	}
	var fields formats.EventFields
	r.reader.ReadBody(d.Body, &fields)
	s := &r.single
	s.Lines = append(s.Lines[:0], Placing{Delivery: d, Fields: &fields})
	r.Prepare(s)
	if err := r.Place(s); err != nil {
		return formats.PaymentRow{}, err
	}
	v := verdicts[s.claims[0].expected]
	for _, a := range s.amended {
		v.status, v.reason = a.status, a.reason
	}
	row := r.row(s, 0, v.status, v.reason).PaymentRow
	row.EventID, row.ObligationID, row.PaymentID, row.CustomerID = string(fields.ID), string(fields.ObligationID), string(fields.PaymentID), string(fields.CustomerID)
	row.Currency, row.Amount, row.HasAmount, row.JournalRef = string(fields.Currency), fields.Amount, fields.HasAmount, s.Lines[0].ref()
	return row, nil
}
