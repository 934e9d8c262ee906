package sandbox

import (
	"net/http"
	"testing"
)

func TestAuthentication(t *testing.T) {
	s := start(t, Options{})
	tests := []struct {
		name, key string
		status    int
		kind      string
	}{
		{"none", "", 401, "unauthorized"},
		{"invented", "sk_test_invented", 401, "unauthorized"},
		{"public", "pk_test_something", 403, "forbidden"},
		{"test", s.SecretKey(Test), 201, ""},
		{"live", s.SecretKey(Live), 201, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c := as(t, s)
			c.key = tc.key
			h := c.want(c.create(full), tc.status)
			if tc.kind != "" && h.problemType(t) != tc.kind {
				t.Errorf("problem %s", h.body)
			}
		})
	}
	c := as(t, s)
	c.key = ""
	c.want(c.send("GET", "/billing/customers/ACC-1", "", "Authorization", "Basic "+s.SecretKey(Test)), 401)
}

func TestInvalidKeyAsBadRequest(t *testing.T) {
	c := as(t, start(t, Options{InvalidKeyStatus: http.StatusBadRequest}))
	c.key = "sk_test_invented"
	if h := c.want(c.create(full), 400); h.problemType(t) != "invalid-request" {
		t.Errorf("problem %s", h.body)
	}
	c.key = ""
	c.want(c.create(full), 401)
}

func TestRevokedKey(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	s.RevokeKey(Test)
	if h := c.want(c.create(full), 403); h.problemType(t) != "forbidden" {
		t.Errorf("problem %s", h.body)
	}
	live := as(t, s)
	live.key = s.SecretKey(Live)
	live.want(live.get("x"), 404)
	invented := as(t, s)
	invented.key = "sk_invented"
	invented.want(invented.get("x"), 401)
	s.RestoreKey(Test)
	c.want(c.create(full), 201)
}

// A refusal for the key's sake leaves nothing under the idempotency key.
func TestRefusedCredentialIsNotStored(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	s.RevokeKey(Test)
	c.want(c.createWith("k-1", full), 403)
	s.RestoreKey(Test)
	if h := c.want(c.createWith("k-1", full), 201); h.header.Get("Idempotent-Replayed") != "" {
		t.Error("replayed")
	}
}

func TestModesHaveBooksOfTheirOwn(t *testing.T) {
	s := start(t, Options{})
	test, live := as(t, s), as(t, s)
	live.key = s.SecretKey(Live)
	id := test.want(test.createWith("k", full), 201).customer(t).ID
	live.want(live.get("ACC-1"), 404)
	live.want(live.get(id), 404)
	h := live.want(live.createWith("k", full), 201)
	if h.customer(t).ID == id || h.header.Get("Idempotent-Replayed") != "" {
		t.Error("the modes share something")
	}
	if len(s.Customers(Test)) != 1 || len(s.Customers(Live)) != 1 {
		t.Errorf("books %d %d", len(s.Customers(Test)), len(s.Customers(Live)))
	}
}
