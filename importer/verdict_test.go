package importer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

// ada is a customer with everything.
func ada() formats.Customer {
	return formats.Customer{
		ExternalReference: "A-1", Name: "Ada", Email: "ada@example.com", Phone: "+27821234567", Currency: "ZAR", Balance: formats.BalanceOf(24000),
		Metadata: []formats.Metadatum{{Key: "area", Value: "north"}, {Key: "tariff", Value: "home"}}, DueDate: "2026-12-01",
	}
}

// with returns ada after a change.
func with(change func(*formats.Customer)) formats.Customer {
	c := ada()
	change(&c)
	return c
}

func TestDecide(t *testing.T) {
	known := Standing{CustomerID: "bcus_1", Asserted: ada()}
	for _, test := range []struct {
		name     string
		c        formats.Customer
		standing Standing
		policy   Policy
		want     string // operation, outcome, reason
		changes  formats.Customer
	}{
		{"new", ada(), Standing{}, Update, "create created", formats.Customer{}},
		{"new, to be skipped if it were there", ada(), Standing{}, Skip, "create created", formats.Customer{}},
		{"equal", ada(), known, Update, "unchanged", formats.Customer{}},
		{"equal, skip", ada(), known, Skip, "skipped existing", formats.Customer{}},
		{"equal, reject", ada(), known, Reject, "rejected existing", formats.Customer{}},
		{"other name", with(func(c *formats.Customer) { c.Name = "Ada L." }), known, Update, "update updated", formats.Customer{Name: "Ada L."}},
		{"empty says nothing", formats.Customer{ExternalReference: "A-1"}, known, Update, "unchanged", formats.Customer{}},
		{
			"balance brings its currency", with(func(c *formats.Customer) { c.Balance.Minor = 1 }), known, Update, "update updated",
			formats.Customer{Currency: "ZAR", Balance: formats.BalanceOf(1)},
		},
		{
			"currency brings its balance", with(func(c *formats.Customer) { c.Currency = "USD" }), known, Update, "update updated",
			formats.Customer{Currency: "USD", Balance: formats.BalanceOf(24000)},
		},
		{
			"currency never goes alone", with(func(c *formats.Customer) { c.Currency, c.Balance = "USD", formats.Balance{} }), known, Update, "unchanged",
			formats.Customer{},
		},
		{
			"paid on", ada(),
			Standing{CustomerID: "bcus_1", Asserted: ada(), Paid: true},
			Update, "update updated",
			formats.Customer{Currency: "ZAR", Balance: formats.BalanceOf(24000)},
		},
		{
			"paid on, and the file says nothing of the balance", with(func(c *formats.Customer) { c.Balance = formats.Balance{} }),
			Standing{CustomerID: "bcus_1", Asserted: ada(), Paid: true},
			Update, "unchanged",
			formats.Customer{},
		},
		{"due date is no field of the API", with(func(c *formats.Customer) { c.DueDate = "2027-01-01" }), known, Update, "unchanged", formats.Customer{}},
		{
			"metadata: only what differs", with(func(c *formats.Customer) { c.Metadata[1].Value = "farm" }), known, Update, "update updated",
			formats.Customer{Metadata: []formats.Metadatum{{Key: "tariff", Value: "farm"}}},
		},
		{"newer file", ada(), Standing{CustomerID: "bcus_1", Newer: true}, Update, "skipped older_file", formats.Customer{}},
		{"newer file, reject", ada(), Standing{CustomerID: "bcus_1", Newer: true}, Reject, "skipped older_file", formats.Customer{}},
		{"newer file without an answer", ada(), Standing{Unresolved: true, NewerOpen: true}, Update, "not_attempted newer_file_open", formats.Customer{}},
		{
			"unresolved: everything again", with(func(c *formats.Customer) { c.Metadata = nil }),
			Standing{CustomerID: "bcus_1", Asserted: ada(), Unresolved: true},
			Update, "update updated",
			formats.Customer{Name: "Ada", Email: "ada@example.com", Phone: "+27821234567", Currency: "ZAR", Balance: formats.BalanceOf(24000)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := decide(test.c, test.standing, test.policy)
			if got := strings.Join(strings.Fields(v.Operation+" "+string(v.Outcome)+" "+v.Reason), " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if diff := cmp.Diff(test.changes, v.Changes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVerdictNamesFieldsNotValues(t *testing.T) {
	c := with(func(c *formats.Customer) {
		c.Name, c.Email, c.Phone, c.Balance, c.Metadata[0].Value = "Bea", "bea@example.com", "+27829999999", formats.BalanceOf(-150), "south"
	})
	v := decide(c, Standing{CustomerID: "bcus_1", Asserted: ada()}, Update)
	if want := "changes name, email, phone, balance 240.00 ZAR -> -1.50 ZAR, metadata.area"; v.Detail != want {
		t.Errorf("got %q, want %q", v.Detail, want)
	}
	v = decide(c, Standing{CustomerID: "bcus_1", Asserted: formats.Customer{}}, Update)
	if !strings.Contains(v.Detail, "balance none -> -1.50 ZAR") {
		t.Error(v.Detail)
	}
}

func TestOverlay(t *testing.T) {
	for _, test := range []struct {
		name        string
		standing, c formats.Customer
		want        formats.Customer
	}{
		{"on nothing", formats.Customer{}, ada(), ada()},
		{"nothing on it", ada(), formats.Customer{ExternalReference: "A-1"}, ada()},
		{
			"metadata merges, sorted", ada(),
			formats.Customer{ExternalReference: "A-1", Metadata: []formats.Metadatum{{Key: "aaa", Value: "1"}, {Key: "area", Value: "south"}, {Key: "zone", Value: "2"}}},
			with(func(c *formats.Customer) {
				c.Metadata = []formats.Metadatum{{Key: "aaa", Value: "1"}, {Key: "area", Value: "south"}, {Key: "tariff", Value: "home"}, {Key: "zone", Value: "2"}}
			}),
		},
		{
			"a currency without a balance does not re-denominate", ada(), formats.Customer{ExternalReference: "A-1", Currency: "USD"}, ada(),
		},
		{
			"the balance goes with its currency", ada(),
			formats.Customer{ExternalReference: "A-1", Currency: "USD", Balance: formats.BalanceOf(5)},
			with(func(c *formats.Customer) { c.Currency, c.Balance = "USD", formats.BalanceOf(5) }),
		},
		{
			"a due date is kept until another comes", ada(),
			formats.Customer{ExternalReference: "A-1", DueDate: "2027-01-01"},
			with(func(c *formats.Customer) { c.DueDate = "2027-01-01" }),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := with(func(c *formats.Customer) {})
			got := overlay(test.standing, test.c)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if left := changed(test.c, got); !left.Equal(formats.Customer{}) {
				t.Errorf("after it, the record still asks for %+v", left)
			}
			if diff := cmp.Diff(before, ada()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLowered(t *testing.T) {
	for _, test := range []struct {
		balance formats.Balance
		paid    int64
		want    int64
		ok      bool
	}{
		{formats.BalanceOf(100), 30, 70, true},
		{formats.BalanceOf(100), -30, 130, true}, // a reversal
		{formats.BalanceOf(100), 0, 0, false},
		{formats.Balance{}, 30, 0, false},
		{formats.BalanceOf(-1 << 63), 1, 0, false}, // beyond int64
	} {
		got, ok := lowered(formats.Customer{Currency: "ZAR", Balance: test.balance}, formats.SumOf(test.paid))
		if ok != test.ok || ok && got.Balance.Minor != test.want {
			t.Errorf("%v less %d: %v %v", test.balance, test.paid, got.Balance, ok)
		}
	}
}
