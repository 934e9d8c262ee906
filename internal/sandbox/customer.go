package sandbox

import (
	"maps"

	"github.com/go-json-experiment/json"
)

// Customer is a customer as Moment shows it. Amounts are minor units; a positive
// balance is owed, a negative one is credit, and nil means that no balance is
// tracked. There is no creation or change time: Moment's answers have none.
type Customer struct {
	ID                string            `json:"id"`
	ExternalReference string            `json:"external_reference"`
	Name              string            `json:"name,omitzero"`
	Email             string            `json:"email,omitzero"`
	Phone             string            `json:"phone,omitzero"`
	Currency          string            `json:"currency,omitzero"`
	Balance           *int64            `json:"balance,omitzero"`
	PaymentRules      *PaymentRules     `json:"payment_rules,omitzero"`
	Metadata          map[string]string `json:"metadata,omitempty"`
}

// PaymentRules say what payments a customer may make, in minor units. A customer
// without them cannot be paid.
type PaymentRules struct {
	MinAmount           int64 `json:"min_amount"`
	MaxAmount           int64 `json:"max_amount"`
	UnderpaymentAllowed bool  `json:"underpayment_allowed"`
	OverpaymentAllowed  bool  `json:"overpayment_allowed"`
}

// defaultRules are those every customer gets: the bounds are those that Moment
// documents for a bill.
func defaultRules() *PaymentRules {
	return &PaymentRules{MinAmount: 1, MaxAmount: 99_999_999, UnderpaymentAllowed: true, OverpaymentAllowed: true}
}

// encode returns c as the API answers it.
func (c Customer) encode() ([]byte, error) {
	return json.Marshal(c, json.Deterministic(true))
}

// with returns c after a PATCH: what the change names replaces what was there,
// metadata keys are added to those there are. The maps of c are left alone, since
// readers hold them.
func (c Customer) with(ch change) Customer {
	replace := func(field *string, to *string) {
		if to != nil {
			*field = *to
		}
	}
	replace(&c.Name, ch.name)
	replace(&c.Email, ch.email)
	replace(&c.Phone, ch.phone)
	replace(&c.Currency, ch.currency)
	if ch.balance != nil {
		c.Balance = ch.balance
	}
	if len(ch.metadata) > 0 {
		merged := make(map[string]string, len(c.Metadata)+len(ch.metadata))
		maps.Copy(merged, c.Metadata)
		maps.Copy(merged, ch.metadata)
		c.Metadata = merged
	}
	return c
}
