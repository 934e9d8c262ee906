package sandbox

import (
	"fmt"
	"strings"
)

// Customers returns all customers of a mode in order of creation: the truth,
// whatever reads show.
func (s *Sandbox) Customers(m Mode) []Customer {
	if b := s.books[m]; b != nil {
		return b.all()
	}
	return nil
}

// Customer returns the customer with this id or external reference; of several
// with one reference the first.
func (s *Sandbox) Customer(m Mode, name string) (Customer, bool) {
	if b := s.books[m]; b != nil {
		return b.truth(name)
	}
	return Customer{}, false
}

// Duplicates returns, sorted, the external references that more than one
// customer has. There are none unless [Options.UniqueOff].
func (s *Sandbox) Duplicates(m Mode) []string {
	if b := s.books[m]; b != nil {
		return b.duplicates()
	}
	return nil
}

// AddCustomer puts a customer into the books as if it had always been there, and
// returns it with its id. A given ID must begin with bcus_.
func (s *Sandbox) AddCustomer(m Mode, c Customer) (Customer, error) {
	b := s.books[m]
	if b == nil {
		return Customer{}, fmt.Errorf("mode %q is neither test nor live", m)
	}
	if broken := referenceRule(c.ExternalReference); broken != "" {
		return Customer{}, fmt.Errorf("external_reference %s", broken)
	}
	if c.ID == "" {
		c.ID = mint(reservedPrefix)
	}
	if !strings.HasPrefix(c.ID, reservedPrefix) {
		return Customer{}, fmt.Errorf("id %q does not begin with %s", c.ID, reservedPrefix)
	}
	// Created at the zero time, it is older than any staleness.
	if !b.addSeen(c) {
		return Customer{}, fmt.Errorf("external_reference %s is taken", c.ExternalReference)
	}
	return c, nil
}
