package importer

import (
	"fmt"
	"slices"
	"strings"

	"tallyman/formats"
)

// Policy says what is done with a customer that already stands at Moment (imports.existing).
type Policy string

// The policies of design.md section 5.
const (
	Update Policy = "update"
	Skip   Policy = "skip"
	Reject Policy = "reject"
)

// Verdict is what is to be done for a record: a request, or an outcome without one.
type Verdict struct {
	Operation string           // create, update, or empty
	Outcome   formats.Outcome  // without an operation: the outcome; with one: what it will be if all goes well
	Changes   formats.Customer // of an update: only the fields to be sent
	Reason    string
	Detail    string
}

// olderFile is the reason of records that a newer file has overtaken.
const olderFile = "older_file"

// decide says what a good record asks for, given what is on record of its customer. Dry and real runs decide by it.
func decide(c formats.Customer, s Standing, policy Policy) Verdict {
	if s.Newer {
		return Verdict{Outcome: formats.Skipped, Reason: olderFile, Detail: "a newer file has asserted this customer already"}
	}
	if s.NewerOpen {
		// It may have been carried out, and then this must not overwrite it. Only that file can find out.
		return Verdict{Outcome: formats.NotAttempted, Reason: "newer_file_open", Detail: "what a newer file sent for this customer has no answer yet: import that file again, then this one"}
	}
	if s.CustomerID == "" {
		return Verdict{Operation: operationCreate, Outcome: formats.Created}
	}
	standing := s.Asserted
	if s.Unresolved {
		// What an unanswered request of another file has done is not known: say everything again.
		standing = formats.Customer{}
	}
	return decideExisting(c, standing, s.Paid, policy)
}

// decideExisting says what is done with a customer that stands at Moment as given. paid: payments arrived since its
// balance was asserted, so that the same balance must be said again.
func decideExisting(c, standing formats.Customer, paid bool, policy Policy) Verdict {
	switch policy {
	case Skip:
		return Verdict{Outcome: formats.Skipped, Reason: "existing", Detail: "the customer is already there (imports.existing: skip)"}
	case Reject:
		return Verdict{Outcome: formats.Rejected, Reason: "existing", Detail: "the customer is already there (imports.existing: reject)"}
	}
	changes := changed(c, standing)
	if paid && c.Balance.Set {
		changes.Balance, changes.Currency = c.Balance, c.Currency
	}
	if changes.Equal(formats.Customer{}) {
		return Verdict{Outcome: formats.Unchanged}
	}
	return Verdict{Operation: operationUpdate, Outcome: formats.Updated, Changes: changes, Detail: describe(changes, standing)}
}

// changed returns the fields of c that say something other than what stands. A currency never goes alone, since it would
// re-denominate the balance that stands; a balance never goes without its currency.
func changed(c, standing formats.Customer) formats.Customer {
	var d formats.Customer
	for _, f := range []struct {
		to             *string
		wanted, stands string
	}{{&d.Name, c.Name, standing.Name}, {&d.Email, c.Email, standing.Email}, {&d.Phone, c.Phone, standing.Phone}} {
		if f.wanted != "" && f.wanted != f.stands {
			*f.to = f.wanted
		}
	}
	if c.Balance.Set && (c.Balance != standing.Balance || c.Currency != standing.Currency) {
		d.Balance, d.Currency = c.Balance, c.Currency
	}
	for _, m := range c.Metadata {
		if !slices.Contains(standing.Metadata, m) {
			d.Metadata = append(d.Metadata, m)
		}
	}
	return d
}

// overlay returns what stands after the fields that c says something about were set.
func overlay(standing, c formats.Customer) formats.Customer {
	out := standing
	out.ExternalReference = c.ExternalReference
	for _, f := range []struct {
		to    *string
		value string
	}{{&out.Name, c.Name}, {&out.Email, c.Email}, {&out.Phone, c.Phone}, {&out.DueDate, c.DueDate}} {
		if f.value != "" {
			*f.to = f.value
		}
	}
	if c.Balance.Set {
		out.Balance, out.Currency = c.Balance, c.Currency
	} else if out.Currency == "" {
		out.Currency = c.Currency
	}
	out.Metadata = slices.Clone(standing.Metadata)
	for _, m := range c.Metadata {
		i, found := slices.BinarySearchFunc(out.Metadata, m, func(a, b formats.Metadatum) int { return strings.Compare(a.Key, b.Key) })
		if found {
			out.Metadata[i] = m
			continue
		}
		out.Metadata = slices.Insert(out.Metadata, i, m)
	}
	return out
}

// describe names the fields that an update changes; for the balance, which is no personal data, from what to what.
func describe(changes, standing formats.Customer) string {
	var parts []string
	for _, f := range []struct{ name, value string }{{"name", changes.Name}, {"email", changes.Email}, {"phone", changes.Phone}} {
		if f.value != "" {
			parts = append(parts, f.name)
		}
	}
	if changes.Balance.Set {
		parts = append(parts, fmt.Sprintf("balance %s -> %s", amount(standing), amount(changes)))
	}
	for _, m := range changes.Metadata {
		parts = append(parts, "metadata."+m.Key)
	}
	return "changes " + strings.Join(parts, ", ")
}

// sameBalance reports whether two customers show the same balance: an amount in a currency, or none.
func sameBalance(a, b formats.Customer) bool {
	return a.Balance == b.Balance && (!a.Balance.Set || a.Currency == b.Currency)
}

// lowered returns a balance less what was paid on it; ok is false without a balance, or if nothing was paid.
func lowered(c formats.Customer, paid formats.Sum) (formats.Customer, bool) {
	minor, fits := formats.SumOf(c.Balance.Minor).SubSum(paid).Int64()
	if !c.Balance.Set || paid.IsZero() || !fits {
		return c, false
	}
	c.Balance = formats.BalanceOf(minor)
	return c, true
}

// amount shows a balance with its currency, for people.
func amount(c formats.Customer) string {
	if !c.Balance.Set {
		return "none"
	}
	return formats.FormatMajor(c.Balance.Minor, c.Currency) + " " + c.Currency
}
