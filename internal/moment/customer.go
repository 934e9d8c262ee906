package moment

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Customer is a customer as Moment shows it (Moment: /api-reference/billing/customers/retrieve).
type Customer struct {
	ID                string
	ExternalReference string
	Name              string
	Email             string
	Phone             string
	Currency          string
	Balance           int64 // minor units; positive is owed
	HasBalance        bool  // Moment tracks a balance for the customer
	Metadata          map[string]string
	Payable           bool // payment_rules came with the answer: without them nobody can pay
}

// customerBody is the wire form. Unknown members are ignored: Moment adds fields to live objects.
type customerBody struct {
	ID                string         `json:"id"`
	ExternalReference string         `json:"external_reference"`
	Name              string         `json:"name"`
	Email             string         `json:"email"`
	Phone             string         `json:"phone"`
	Currency          string         `json:"currency"`
	Balance           *int64         `json:"balance"`
	Metadata          jsontext.Value `json:"metadata"`
	PaymentRules      jsontext.Value `json:"payment_rules"`
}

// idPrefix begins every customer's id. No reference may begin so: what else stood in an id would be read as a reference,
// and lead to somebody else.
const idPrefix = "bcus_"

var errNoID = errors.New("the answer names no customer id (bcus_…)")

// readCustomer reads the body of a success. Doubled members, other types than documented and a missing id make it
// unusable, since nothing could be concluded from it safely.
func readCustomer(body []byte) (Customer, error) {
	var b customerBody
	if err := json.Unmarshal(body, &b); err != nil {
		return Customer{}, fmt.Errorf("read the customer in the answer: %w", err)
	}
	if !strings.HasPrefix(b.ID, idPrefix) || b.ID == idPrefix {
		return Customer{}, errNoID
	}
	c := Customer{
		ID: b.ID, ExternalReference: b.ExternalReference, Name: b.Name, Email: b.Email, Phone: b.Phone, Currency: b.Currency,
		Payable: len(b.PaymentRules) > 0 && b.PaymentRules.Kind() == '{',
	}
	if b.Balance != nil {
		c.Balance, c.HasBalance = *b.Balance, true
	}
	var err error
	if c.Metadata, err = readMetadata(b.Metadata); err != nil {
		return Customer{}, fmt.Errorf("read the customer in the answer: metadata: %w", err)
	}
	return c, nil
}

// readMetadata reads the metadata of a customer. Only texts are documented; another value is kept as it is written.
func readMetadata(value jsontext.Value) (map[string]string, error) {
	if len(value) == 0 || value.Kind() == 'n' {
		return nil, nil
	}
	var texts map[string]string
	if json.Unmarshal(value, &texts) == nil {
		return texts, nil
	}
	var values map[string]jsontext.Value
	if err := json.Unmarshal(value, &values); err != nil {
		return nil, err
	}
	texts = make(map[string]string, len(values))
	for key, value := range values {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		texts[key] = text
	}
	return texts, nil
}
