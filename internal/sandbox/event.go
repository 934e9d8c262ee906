package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrUnknownCustomer says that a payment names a customer that is not in the
// books; set [Payment.Unknown] if that is meant.
var ErrUnknownCustomer = errors.New("no such customer in the sandbox")

// Payment is money that a payer hands over, or takes back if Amount is negative.
type Payment struct {
	// Mode is whose books it is looked up in; empty means Test.
	Mode Mode
	// CustomerID names the customer, by id or by external reference; AccountID and
	// BillID are passed on as they are. At least one of the three is needed.
	CustomerID, AccountID, BillID string
	// Unknown allows a CustomerID that is not in the books.
	Unknown bool
	// Amount is in minor units and not 0. Currency may be empty if the customer
	// has one.
	Amount   int64
	Currency string
	Metadata map[string]string
	// EventID, ObligationID and PaymentID are minted where they are empty.
	EventID, ObligationID, PaymentID string
	// At is when it was applied; zero means now. Bare leaves the event's times
	// out, as some of Moment's samples do.
	At   time.Time
	Bare bool
	// Late keeps the event back: only [Sandbox.Redeliver] sends it.
	Late bool
}

// Event is a message that the sandbox sends to the receiver.
type Event struct {
	// ID is the event's own (evt_…), WebhookID that of the message (msg_…), which
	// stays the same when it is sent again.
	ID, WebhookID string
	// Body is what is signed and sent, byte for byte.
	Body []byte
	// Payment is what it tells of, with every id filled in; zero for a body that
	// was given to [Sandbox.SendBody].
	Payment Payment
}

// wireEvent is obligation.amount_applied
// (/api-reference/billing/webhook/obligation_amount_applied).
type wireEvent struct {
	ID   string   `json:"id"`
	Type string   `json:"type"`
	Data wireData `json:"data"`
}

type wireData struct {
	ID         string            `json:"id"`
	Amount     int64             `json:"amount"`
	Currency   string            `json:"currency"`
	PaymentID  string            `json:"payment_id"`
	CustomerID string            `json:"customer_id,omitzero"`
	AccountID  string            `json:"account_id,omitzero"`
	BillID     string            `json:"bill_id,omitzero"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	CreatedAt  string            `json:"created_at,omitzero"`
	UpdatedAt  string            `json:"updated_at,omitzero"`
}

// eventTime is RFC 3339 in UTC, with milliseconds where there are any: Moment's
// samples show both.
const eventTime = "2006-01-02T15:04:05.999Z07:00"

// newEvent builds the event of a complete payment.
func newEvent(p Payment) (Event, error) {
	w := wireEvent{ID: p.EventID, Type: "obligation.amount_applied", Data: wireData{
		ID: p.ObligationID, Amount: p.Amount, Currency: p.Currency, PaymentID: p.PaymentID,
		CustomerID: p.CustomerID, AccountID: p.AccountID, BillID: p.BillID, Metadata: p.Metadata,
	}}
	if !p.Bare {
		w.Data.CreatedAt = p.At.UTC().Format(eventTime)
		w.Data.UpdatedAt = w.Data.CreatedAt
	}
	body, err := json.Marshal(w, json.Deterministic(true), jsontext.Multiline(false))
	if err != nil {
		return Event{}, fmt.Errorf("write event of payment %s: %w", p.PaymentID, err)
	}
	return Event{ID: p.EventID, WebhookID: mint("msg_"), Body: body, Payment: p}, nil
}

// complete checks p and fills in what was left open.
func (s *Sandbox) complete(p Payment) (Payment, error) {
	p.Mode = Mode(orElse(string(p.Mode), string(Test)))
	b, ok := s.books[p.Mode]
	if !ok {
		return p, fmt.Errorf("mode %q of the payment is neither test nor live", p.Mode)
	}
	if p.CustomerID == "" && p.AccountID == "" && p.BillID == "" {
		return p, errors.New("the payment names no customer, account or bill")
	}
	if p.CustomerID != "" && !p.Unknown {
		c, known := b.truth(p.CustomerID)
		if !known {
			return p, fmt.Errorf("payment by %q: %w", p.CustomerID, ErrUnknownCustomer)
		}
		p.CustomerID = c.ID
		p.Currency = orElse(p.Currency, c.Currency)
	}
	if p.Amount == 0 {
		return p, errors.New("the payment's amount is 0: give minor units, negative to take a payment back")
	}
	if broken := currencyRule(p.Currency); broken != "" {
		return p, fmt.Errorf("the payment's currency %s", broken)
	}
	if p.At.IsZero() {
		p.At = s.opt.Now()
	}
	fill := func(id *string, prefix string) {
		if *id == "" {
			*id = mint(prefix)
		}
	}
	fill(&p.EventID, "evt_")
	fill(&p.ObligationID, "ob_")
	fill(&p.PaymentID, "pay_")
	return p, nil
}

// Pay records a payment and starts to deliver its event; [Sandbox.Flush] waits
// for that. The customer's balance stays as it is unless
// [Options.LowerBalance]. A customer that is not in the books is
// [ErrUnknownCustomer], unless the payment says so.
func (s *Sandbox) Pay(p Payment) (Event, error) {
	p, err := s.complete(p)
	if err != nil {
		return Event{}, err
	}
	e, err := newEvent(p)
	if err != nil {
		return Event{}, err
	}
	if s.opt.LowerBalance {
		s.books[p.Mode].lower(p.CustomerID, p.Currency, p.Amount)
	}
	s.till.add(e)
	if !p.Late {
		s.sender.enqueue(e)
	}
	return e, nil
}

// Redeliver sends an event again, under the same message id and newly signed, as
// a sender does that has missed the answer.
func (s *Sandbox) Redeliver(e Event) { s.sender.enqueue(e) }

// SendBody signs and delivers a body as it is: events of other types, or bytes
// that are no event at all.
func (s *Sandbox) SendBody(body []byte) Event {
	e := Event{WebhookID: mint("msg_"), Body: slices.Clone(body)}
	s.sender.enqueue(e)
	return e
}

// Payments returns the events of all payments made, in order.
func (s *Sandbox) Payments() []Event { return s.till.all() }
