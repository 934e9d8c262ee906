package moment

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

func TestReadCustomer(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       Customer
	}{
		{
			"everything",
			`{"id":"bcus_1","external_reference":"R1","name":"Ada","email":"a@example.com","phone":"+27821234567","currency":"ZAR","balance":-15,"metadata":{"plan":"gold"},"payment_rules":{"min_amount":1},"mode":"new"}`,
			Customer{ID: "bcus_1", ExternalReference: "R1", Name: "Ada", Email: "a@example.com", Phone: "+27821234567", Currency: "ZAR", Balance: -15, HasBalance: true, Metadata: []formats.Metadatum{{Key: "plan", Value: "gold"}}, Payable: true},
		},
		{"the least", `{"id":"bcus_1"}`, Customer{ID: "bcus_1"}},
		{"nothing is owed", `{"id":"bcus_1","balance":0}`, Customer{ID: "bcus_1", HasBalance: true}},
		{"nulls", `{"id":"bcus_1","name":null,"balance":null,"metadata":null,"payment_rules":null}`, Customer{ID: "bcus_1"}},
		{"the largest balance", `{"id":"bcus_1","balance":9223372036854775807}`, Customer{ID: "bcus_1", Balance: 1<<63 - 1, HasBalance: true}},
		{"metadata of other types", `{"id":"bcus_1","metadata":{"n":1,"b":true,"o":{"x":1}}}`, Customer{ID: "bcus_1", Metadata: []formats.Metadatum{{Key: "b", Value: "true"}, {Key: "n", Value: "1"}, {Key: "o", Value: `{"x":1}`}}}},
		{"mis-cased members are others", `{"id":"bcus_1","Balance":7,"NAME":"x"}`, Customer{ID: "bcus_1"}},
	} {
		got, err := readCustomer([]byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestUnusableCustomer(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                 ``,
		"null":                    `null`,
		"a list":                  `[{"id":"bcus_1"}]`,
		"no id":                   `{}`,
		"an empty id":             `{"id":""}`,
		"a prefix and no more":    `{"id":"bcus_"}`,
		"an id of another kind":   `{"id":"bill_1"}`,
		"an id that is a number":  `{"id":1}`,
		"a doubled balance":       `{"id":"bcus_1","balance":1,"balance":2}`,
		"a doubled metadatum":     `{"id":"bcus_1","metadata":{"a":"1","a":"2"}}`,
		"a fractional balance":    `{"id":"bcus_1","balance":1.0}`,
		"a balance as text":       `{"id":"bcus_1","balance":"1"}`,
		"a balance beyond int64":  `{"id":"bcus_1","balance":9223372036854775808}`,
		"a name that is a number": `{"id":"bcus_1","name":5}`,
		"not UTF-8":               "{\"id\":\"bcus_1\",\"name\":\"\xff\"}",
		"something after it":      `{"id":"bcus_1"} x`,
		"deeply nested":           strings.Repeat(`{"a":`, 20_000) + strings.Repeat(`}`, 20_000),
	} {
		if c, err := readCustomer([]byte(body)); err == nil || c.ID != "" {
			t.Errorf("%s is taken for %+v", name, c)
		}
	}
}

func FuzzReadCustomer(f *testing.F) {
	for _, body := range []string{aCustomer, `{"id":"bcus_1","balance":-1,"metadata":{"a":"b","n":1}}`, `{"id":"bcus_1","id":"bcus_2"}`, `{"id":"bcus_1","balance":1e3}`, `{"id":"bcus_1","payment_rules":{}}`, `[]`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := readCustomer(body)
		if err != nil {
			if c.ID != "" {
				t.Fatalf("an error and %+v", c)
			}
			return
		}
		if !strings.HasPrefix(c.ID, idPrefix) || c.ID == idPrefix {
			t.Fatalf("id %q", c.ID)
		}
		// Another, laxer reader finds the same id and balance.
		var members struct {
			ID      string `json:"id"`
			Balance *int64 `json:"balance"`
		}
		if err := json.Unmarshal(body, &members); err != nil || members.ID != c.ID || (members.Balance != nil) != c.HasBalance || c.HasBalance && *members.Balance != c.Balance {
			t.Fatalf("%q is read as %+v, and as %+v (%v)", body, c, members, err)
		}
	})
}
