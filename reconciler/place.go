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

// Placing is one line of the journal on its way to its place. For who has millions of lines, the way has three parts:
// Prepare, which any number of goroutines may do at once, Place, in journal order, and AppendRow, again at once. What
// Fields and Body point to must stay until the last of them.
type Placing struct {
	Delivery
	File string // Ref is File:Line, if it is empty
	Line int64

	Fields *formats.EventFields // as an EventReader with the reconciler's Key read Body

	at             instant // data.created_at, else when it was received
	customer       uint32  // that it names, if known
	known          bool    // there is an assertion for it
	reference      string  // of that customer
	status, reason string
}

// Key is what the prints of events must be made with that are placed here.
func (r *Reconciler) Key() *formats.EventKey { return r.key }

// Prepare looks up what does not depend on the lines before. It is safe for concurrent use once the last assertion was
// given, also while another goroutine is in Place.
//
// Where there are a million customers, nearly every look-up waits for memory three times. So some are begun together,
// and wait together.
func (r *Reconciler) Prepare(lines []Placing) {
	var guesses [customersAhead]guess
	for len(lines) > 0 {
		some := lines[:min(len(lines), len(guesses))]
		lines = lines[len(some):]
		for i := range some {
			guesses[i] = r.customers.guess(some[i].Fields.CustomerID)
		}
		for i := range some {
			r.customers.follow(&guesses[i])
		}
		for i := range some {
			r.prepare(&some[i], &guesses[i])
		}
	}
}

func (r *Reconciler) prepare(p *Placing, g *guess) {
	f := p.Fields
	p.at, p.known, p.reference = instant{}, false, ""
	switch {
	case f.HasCreatedAt:
		p.at = instant{f.CreatedAt, true}
	case !p.ReceivedAt.IsZero():
		p.at = instant{p.ReceivedAt, true}
	}
	if len(f.CustomerID) > 0 {
		var at place
		if at, p.known = r.customers.find(g, f.CustomerID); p.known {
			p.customer, p.reference = r.customers.texts.number(at), r.customers.texts.reference(at)
		}
	}
}

// Place gives prepared lines, which come in journal order, their places. The errors are misuse, which is lines after the
// result was taken or an unknown word for a signature, and those of Options.Spill.
func (r *Reconciler) Place(lines []Placing) error {
	if r.stage == finished {
		return fmt.Errorf("%d deliveries after the result was taken", len(lines))
	}
	r.stage = delivering
	if r.memory.limit == 0 && r.options.Memory > 0 {
		r.memory.limit = max(r.options.Memory-r.customers.bytes(), leastMemory)
	}
	var near byte
	for i := range lines {
		near ^= r.memory.touch(&lines[i].Fields.Prints)
		if lines[i].known {
			near ^= r.customers.record(lines[i].customer).slot
		}
	}
	r.near = near
	for i := range lines {
		if err := r.place(&lines[i]); err != nil {
			return err
		}
	}
	return r.memory.shrink()
}

func (r *Reconciler) place(p *Placing) error {
	switch p.Signature {
	case formats.SignatureVerified, formats.SignatureUnverified, formats.SignatureFailed:
	default:
		return fmt.Errorf("delivery %s: signature is %q: it is verified, unverified or failed", p.Ref, p.Signature)
	}
	e := &r.event
	e.Placing, e.filled = p, false
	v, err := r.judge(e)
	if err != nil {
		return err
	}
	r.book(e, v)
	p.status, p.reason = v.status, v.reason
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
	one := [1]Placing{{Delivery: d, Fields: &fields}}
	r.Prepare(one[:])
	if err := r.Place(one[:]); err != nil {
		return formats.PaymentRow{}, err
	}
	return r.paymentRow(&one[0]), nil
}

// paymentRow puts together the row of payments.csv.
func (r *Reconciler) paymentRow(p *Placing) formats.PaymentRow {
	f := p.Fields
	return formats.PaymentRow{
		BusinessDate:      r.options.BusinessDate,
		EventID:           string(f.ID),
		ObligationID:      string(f.ObligationID),
		PaymentID:         string(f.PaymentID),
		CustomerID:        string(f.CustomerID),
		ExternalReference: p.reference,
		Currency:          string(f.Currency),
		Amount:            f.Amount,
		HasAmount:         f.HasAmount,
		Status:            p.status,
		Reason:            p.reason,
		EventTime:         p.at.time,
		HasEventTime:      p.at.known,
		ReceivedAt:        p.ReceivedAt,
		Signature:         p.Signature,
		JournalRef:        p.ref(),
	}
}

// AppendRow adds the row of payments.csv of a line that has its place. It is safe for concurrent use.
func (r *Reconciler) AppendRow(rows *formats.PaymentRows, p *Placing) {
	rows.Append(&formats.PaymentLine{
		PaymentRow: formats.PaymentRow{
			BusinessDate: r.options.BusinessDate, ExternalReference: p.reference, Status: p.status, Reason: p.reason,
			EventTime: p.at.time, HasEventTime: p.at.known, ReceivedAt: p.ReceivedAt, Signature: p.Signature, JournalRef: p.Ref,
		},
		Fields: p.Fields, File: p.File, Line: p.Line,
	})
}

func (p *Placing) ref() string {
	if p.Ref != "" {
		return p.Ref
	}
	return p.File + ":" + strconv.FormatInt(p.Line, 10)
}
