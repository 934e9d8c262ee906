package formats

import (
	"slices"
	"strconv"
)

// Customer is what one record of a customer file says of one customer. An empty text, a missing balance or an absent
// metadata key says nothing about that field.
type Customer struct {
	ExternalReference string
	Name              string
	Email             string
	Phone             string // E.164
	Currency          string // ISO 4217
	Balance           Balance
	Metadata          []Metadatum // sorted by key, no key twice
	DueDate           string      // YYYY-MM-DD; no field of the API, kept for ageing
}

// Balance is an optional amount in minor units; positive is owed, negative is credit. The currency stands beside it.
type Balance struct {
	Minor int64
	Set   bool
}

// BalanceOf returns a balance that is set.
func BalanceOf(minor int64) Balance { return Balance{Minor: minor, Set: true} }

// Metadatum is one key and value of a customer's metadata.
type Metadatum struct{ Key, Value string }

// Equal reports whether two customers say the same in every field.
func (c Customer) Equal(o Customer) bool {
	return c.ExternalReference == o.ExternalReference && c.Name == o.Name && c.Email == o.Email && c.Phone == o.Phone &&
		c.Currency == o.Currency && c.Balance == o.Balance && c.DueDate == o.DueDate && slices.Equal(c.Metadata, o.Metadata)
}

// AppendCanonical appends a text that two customers share exactly if they are equal. It is meant for hashing.
func (c Customer) AppendCanonical(b []byte) []byte {
	for _, field := range []string{c.ExternalReference, c.Name, c.Email, c.Phone, c.Currency, c.DueDate} {
		b = append(b, field...)
		b = append(b, 0) // no field can hold NUL: the reader rejects it
	}
	if c.Balance.Set {
		b = strconv.AppendInt(b, c.Balance.Minor, 10)
	}
	for _, m := range c.Metadata {
		b = append(b, 0)
		b = append(b, m.Key...)
		b = append(b, 0)
		b = append(b, m.Value...)
	}
	return b
}
