package importer

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"tallyman/formats"
)

// TestKeysNeverChange holds keys and bodies to what they have been from the beginning: a key that changed would let a
// request out a second time that an earlier version has sent.
func TestKeysNeverChange(t *testing.T) {
	im := New(nil, Options{Merchant: "acme", Mode: "test"})
	live := New(nil, Options{Merchant: "acme", Mode: "live"})
	body := createBody(ada())
	want := `{"external_reference":"A-1","name":"Ada","email":"ada@example.com","phone":"+27821234567","currency":"ZAR","balance":24000,"metadata":{"area":"north","tariff":"home"}}`
	if string(body) != want {
		t.Fatalf("body %s", body)
	}
	for _, test := range []struct{ name, got, want string }{
		{"first", im.idempotencyKey(operationCreate, "A-1", body, 0), "f8f0ced4-c1d4-53ab-8ac0-79753cb63d9b"},
		{"second generation", im.idempotencyKey(operationCreate, "A-1", body, 1), "2238a558-2476-5501-a9c0-afd4cacd798c"},
		{"live", live.idempotencyKey(operationCreate, "A-1", body, 0), "ea8af70c-6a09-5a76-923a-b00f70a4baf8"},
		{"merchant", New(nil, Options{Merchant: "acme2", Mode: "test"}).idempotencyKey(operationCreate, "A-1", body, 0), "47835bfe-fbca-5c3c-9620-656f4d3eca57"},
	} {
		if test.got != test.want {
			t.Errorf("%s: key %s, want %s", test.name, test.got, test.want)
		}
		if id, err := uuid.Parse(test.got); err != nil || id.Version() != 5 || len(test.got) != 36 {
			t.Errorf("%s: %s is no bare UUIDv5", test.name, test.got)
		}
	}
}

// TestKeysDiffer: whatever differs in a request, the key differs.
func TestKeysDiffer(t *testing.T) {
	im := New(nil, Options{Merchant: "acme", Mode: "test"})
	seen := map[string]string{}
	for _, change := range []struct {
		name string
		of   func(*formats.Customer)
	}{
		{"none", func(*formats.Customer) {}},
		{"name", func(c *formats.Customer) { c.Name = "Bea" }},
		{"balance", func(c *formats.Customer) { c.Balance.Minor++ }},
		{"no balance", func(c *formats.Customer) { c.Balance = formats.Balance{} }},
		{"zero balance", func(c *formats.Customer) { c.Balance = formats.BalanceOf(0) }},
		{"metadata", func(c *formats.Customer) { c.Metadata = c.Metadata[:1] }},
		{"reference", func(c *formats.Customer) { c.ExternalReference = "A-2" }},
	} {
		c := with(change.of)
		key := im.idempotencyKey(operationCreate, c.ExternalReference, createBody(c), 0)
		if other, twice := seen[key]; twice {
			t.Errorf("%s has the key of %s", change.name, other)
		}
		seen[key] = change.name
	}
	if again := im.idempotencyKey(operationCreate, "A-1", createBody(ada()), 0); seen[again] != "none" {
		t.Error("the same request has another key")
	}
}

func TestUpdateBody(t *testing.T) {
	for _, test := range []struct {
		changes formats.Customer
		want    string
	}{
		{formats.Customer{}, `{}`},
		{formats.Customer{Balance: formats.BalanceOf(-5), Currency: "ZAR"}, `{"currency":"ZAR","balance":-5}`},
		{formats.Customer{Balance: formats.BalanceOf(0), Currency: "JPY"}, `{"currency":"JPY","balance":0}`},
		{formats.Customer{Name: "Zoë <&>"}, `{"name":"Zoë <&>"}`},
		{formats.Customer{Metadata: []formats.Metadatum{{Key: "k", Value: ""}}}, `{"metadata":{"k":""}}`},
	} {
		if got := string(updateBody(test.changes)); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// FuzzBody compares what we write with what encoding/json reads.
func FuzzBody(f *testing.F) {
	f.Add("A-1", "Ada", "tariff", "home", int64(24000), true)
	f.Add("A-1", "quote \" back \\ slash / tab \t", "k<&>", "\u2028\u2029 \u007f \x00", int64(-1<<63), true)
	f.Add("A-1", "Zoë 😀", "", "line\r\nbreak", int64(0), false)
	f.Fuzz(func(t *testing.T, reference, name, key, value string, minor int64, set bool) {
		c := formats.Customer{ExternalReference: reference, Name: name, Metadata: []formats.Metadatum{{Key: key, Value: value}}}
		if set {
			c.Balance, c.Currency = formats.BalanceOf(minor), "ZAR"
		}
		body := createBody(c)
		var got wire
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		clean := func(s string) string {
			if utf8.ValidString(s) {
				return s
			}
			var again string
			text, _ := json.Marshal(s)
			_ = json.Unmarshal(text, &again)
			return again
		}
		want := wire{Reference: clean(reference), Name: clean(name), Metadata: map[string]string{clean(key): clean(value)}}
		if set {
			want.Currency, want.Balance = "ZAR", &minor
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", body, diff)
		}
		if strings.ContainsAny(string(body), "\n\r") {
			t.Errorf("a line break in %q", body)
		}
	})
}
