package importer

import (
	"context"
	"time"

	"tallyman/formats"
)

// API is what the importer needs of Moment's customers endpoints. Each call is one exchange that is never repeated by
// whoever implements it, and that waits for the pace. No request starts once the context is done, and the answer is
// NotSent then; a request that has started by then may still end with its answer.
type API interface {
	Create(ctx context.Context, key string, body []byte) Answer
	Retrieve(ctx context.Context, customer string) Answer // by id or reference
	Update(ctx context.Context, customer string, body []byte) Answer
}

// Class says what an exchange allows to conclude.
type Class int

// The classes of answers.
const (
	Silence       Class = iota // sent, or perhaps sent, and no usable answer came
	NotSent                    // nothing left this machine
	OK                         // done, and Customer is what stands at Moment
	NotFound                   // there is no such customer
	Conflict                   // the reference is taken, or an unknown kind of conflict
	InFlight                   // the first request with this key has not ended
	KeyReused                  // the key was used with another body: a fault of ours
	Invalid                    // understood, and refused for what it says
	Throttled                  // too fast, or not now
	ServerError                // a failure at Moment's side; it may have been done
	Unauthorized               // the credentials are refused
	Misconfigured              // not an answer of Moment's
)

// Answer is the result of one exchange.
type Answer struct {
	Class    Class
	Status   int  // HTTP status; 0 without an answer
	Replayed bool // a stored outcome was repeated
	Customer Remote
	Problem  string // what Moment says about it
	Err      error
	GiveUp   error // set when the API has been refusing for so long that the run should stop
}

// Remote is a customer as Moment shows it.
type Remote struct {
	ID       string
	Customer formats.Customer // no due date: that is no field of the API
	Payable  bool
}

// Ledger is what the importer needs of the records, for the one file that is imported. What a writing method returns
// from is on disk, all or nothing. Plan gets the rows that are to be sent, in order of their numbers, and those that are
// finished without a request; what is on record of any of them is replaced. A row with a final outcome is never written again;
// one that is rejected or has no final outcome asserts nothing. Rows returns those with numbers in [from, to], in order. What a writing method gets it may
// use until it returns.
type Ledger interface {
	Standings(ctx context.Context, references []string) (map[string]Standing, error)
	// Payments returns, by reference, what customers have paid on their balances at or after an instant.
	Payments(ctx context.Context, since time.Time, references []string) (map[string][]Payment, error)
	Rows(ctx context.Context, from, to int) ([]*Row, error)
	Plan(ctx context.Context, planned []*Row, finished []Finished) error
	Record(ctx context.Context, advances []Advance, finished []Finished) error
}

// Standing is what is on record of the customer with a reference. The zero value: nothing.
type Standing struct {
	CustomerID string // empty if the customer is not known to stand at Moment
	Asserted   formats.Customer
	SentAt     time.Time // when Moment acknowledged that
	Payable    string
	Newer      bool        // it was asserted by a newer file than this one
	Paid       bool        // payments arrived since
	PaidSince  formats.Sum // their sum, in the asserted balance's currency
	Unresolved bool        // a row of another file for this reference was sent and has no answer
	NewerOpen  bool        // such a row is a newer file's
	// Doubted are the balances, with their currencies, that those rows say: each may stand at Moment or not.
	Doubted []formats.Customer
}

// Payment is money that was applied to a customer, or taken back if the amount is negative.
type Payment struct {
	formats.TakenOff
	Currency string
	News     bool // it arrived after what stands was acknowledged
}

// The operations of a row.
const (
	operationNone   = ""
	operationCreate = "create"
	operationUpdate = "update"
)

// Row is one record as it is on record: what is to be sent, and what became of it. With an empty outcome it is planned
// and may have been sent.
type Row struct {
	Number     int
	Operation  string // "", create or update
	Key        string // idempotency key of the current generation
	BodySHA256 [32]byte
	Generation int
	Refused    bool // the last answer to a create was a definite failure, which the key may replay
	PlannedAt  time.Time
	Result     formats.OutcomeRow
	// TakenOff are the payments by which the balance that is sent is less than that of Result, which the file says.
	TakenOff []formats.TakenOff
}

// Advance is what is to be sent next for a row: under a new generation of its key, or, with a CustomerID, as an update of
// a customer that was found to be there. What was found is on record from then on as what stands.
type Advance struct {
	Row Row

	CustomerID string // empty: nobody was found
	Found      formats.Customer
	Payable    string
}

// Finished is a row with its outcome. Assertion is nil unless Moment now holds the customer as the row says.
type Finished struct {
	Row       *Row
	Assertion *Standing
}
