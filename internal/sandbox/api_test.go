package sandbox

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const full = `{"external_reference":"ACC-1","name":"Nomsa Dlamini","email":"nomsa@example.com","phone":"+27821234567",
	"currency":"ZAR","balance":15000,"metadata":{"branch":"051001"},"colour":"ignored"}`

func amount(n int64) *int64 { return &n }

func TestCreateRetrieveUpdate(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)

	created := c.want(c.create(full), http.StatusCreated).customer(t)
	if !regexp.MustCompile(`^bcus_[a-zA-Z0-9]{26}$`).MatchString(created.ID) {
		t.Errorf("id %q", created.ID)
	}
	want := Customer{
		ID: created.ID, ExternalReference: "ACC-1", Name: "Nomsa Dlamini", Email: "nomsa@example.com", Phone: "+27821234567",
		Currency: "ZAR", Balance: amount(15000), Metadata: map[string]string{"branch": "051001"}, PaymentRules: defaultRules(),
	}
	same := func(what string, got, want Customer) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	same("created", created, want)
	same("by reference", c.want(c.get("ACC-1"), 200).customer(t), want)
	same("by id", c.want(c.get(created.ID), 200).customer(t), want)

	// A balance is absolute, metadata is merged, what is not named stays.
	want.Balance, want.Metadata = amount(-200), map[string]string{"branch": "051001", "route": "7"}
	same("patched by reference", c.want(c.patch("ACC-1", `{"balance":-200,"currency":"ZAR","metadata":{"route":"7"}}`), 200).customer(t), want)
	want.Name, want.Metadata = "N. Dlamini", map[string]string{"branch": "2", "route": "7"}
	same("patched by id", c.want(c.patch(created.ID, `{"name":"N. Dlamini","metadata":{"branch":"2"},"external_reference":"ACC-1"}`), 200).customer(t), want)
	same("patched with nothing", c.want(c.patch("ACC-1", `{}`), 200).customer(t), want)
	same("after all", c.want(c.get("ACC-1"), 200).customer(t), want)
	truth, ok := s.Customer(Test, created.ID)
	if !ok {
		t.Fatal("the books do not have it")
	}
	same("in the books", truth, want)
}

func TestResponseMembers(t *testing.T) {
	c := as(t, start(t, Options{}))
	h := c.want(c.create(`{"external_reference":"bare"}`), http.StatusCreated)
	id := h.customer(t).ID
	want := `{"id":"` + id + `","external_reference":"bare","payment_rules":{"min_amount":1,"max_amount":99999999,"underpayment_allowed":true,"overpayment_allowed":true}}`
	if string(h.body) != want {
		t.Errorf("got  %s\nwant %s", h.body, want)
	}
	if got := h.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
}

func TestFieldRules(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	keys := func(n int) string {
		var parts []string
		for i := range n {
			parts = append(parts, fmt.Sprintf(`"k%d":"v"`, i))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	tests := []struct {
		name, fields string
		faults       []string // fields named in the detail; none: accepted
	}{
		{"nothing more", `"name":"x"`, nil},
		{"longest name", `"name":"` + long(255) + `"`, nil},
		{"name too long", `"name":"` + long(256) + `"`, []string{"name"}},
		{"name is a number", `"name":7`, []string{"name"}},
		{"name is null", `"name":null`, []string{"name"}},
		{"e-mail without at", `"email":"nomsa"`, []string{"email"}},
		{"e-mail with a name", `"email":"Nomsa <n@example.com>"`, []string{"email"}},
		{"e-mail too long", `"email":"` + strings.Repeat("a", 250) + `@b.com"`, []string{"email"}},
		{"shortest phone", `"phone":"+12"`, nil},
		{"longest phone", `"phone":"+123456789012345"`, nil},
		{"phone too long", `"phone":"+1234567890123456"`, []string{"phone"}},
		{"phone too short", `"phone":"+1"`, []string{"phone"}},
		{"local phone", `"phone":"0821234567"`, []string{"phone"}},
		{"phone with zero", `"phone":"+0821234567"`, []string{"phone"}},
		{"phone with space", `"phone":"+27 821234567"`, []string{"phone"}},
		{"currency alone", `"currency":"ZAR"`, nil},
		{"small currency", `"currency":"zar"`, []string{"currency"}},
		{"long currency", `"currency":"ZARR"`, []string{"currency"}},
		{"balance without currency", `"balance":1`, []string{"currency"}},
		{"zero balance", `"balance":0,"currency":"ZAR"`, nil},
		{"credit", `"balance":-9223372036854775808,"currency":"ZAR"`, nil},
		{"balance beyond int64", `"balance":9223372036854775808,"currency":"ZAR"`, []string{"balance"}},
		{"balance with point", `"balance":1.0,"currency":"ZAR"`, []string{"balance"}},
		{"balance with exponent", `"balance":1e2,"currency":"ZAR"`, []string{"balance"}},
		{"balance as text", `"balance":"1","currency":"ZAR"`, []string{"balance"}},
		{"balance null", `"balance":null,"currency":"ZAR"`, []string{"balance"}},
		{"ten keys", `"metadata":` + keys(10), nil},
		{"eleven keys", `"metadata":` + keys(11), []string{"metadata"}},
		{"longest key", `"metadata":{"` + long(40) + `":"v"}`, nil},
		{"key too long", `"metadata":{"` + long(41) + `":"v"}`, []string{"metadata"}},
		{"longest value", `"metadata":{"k":"` + long(500) + `"}`, nil},
		{"value too long", `"metadata":{"k":"` + long(501) + `"}`, []string{"metadata"}},
		{"value is a number", `"metadata":{"k":1}`, []string{"metadata"}},
		{"metadata is a list", `"metadata":[]`, []string{"metadata"}},
		{"all at once", `"name":1,"phone":"1","currency":"R","balance":1.5`, []string{"name", "phone", "currency", "balance"}},
		{"field twice", `"name":"a","name":"b"`, []string{"twice"}},
		{"bad text", "\"name\":\"\xff\"", []string{"JSON"}},
	}
	s := start(t, Options{})
	c := as(t, s)
	for i, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			reference := fmt.Sprintf("r%d", i)
			h := c.create(`{"external_reference":"` + reference + `",` + tc.fields + `}`)
			if tc.faults == nil {
				c.want(h, http.StatusCreated)
				return
			}
			c.want(h, http.StatusBadRequest)
			if kind := h.problemType(t); kind != "invalid-request" {
				t.Errorf("problem %q", kind)
			}
			for _, field := range tc.faults {
				if !strings.Contains(string(h.body), field) {
					t.Errorf("%s does not name %s", h.body, field)
				}
			}
			if _, there := s.Customer(Test, reference); there {
				t.Error("a refused customer is in the books")
			}
		})
	}
}

func TestReferenceRules(t *testing.T) {
	c := as(t, start(t, Options{}))
	for reference, ok := range map[string]bool{
		`"A_z-9"`: true, `"` + strings.Repeat("a", 255) + `"`: true, `"BCUS_1"`: true, `"bcus-1"`: true,
		`"` + strings.Repeat("a", 256) + `"`: false, `""`: false, `"bcus_1"`: false, `"a b"`: false, `"a.b"`: false,
		`"a/b"`: false, `"é"`: false, `17`: false, `null`: false,
	} {
		status := http.StatusBadRequest
		if ok {
			status = http.StatusCreated
		}
		c.want(c.create(`{"external_reference":`+reference+`}`), status)
	}
	for _, body := range []string{`{}`, `{"name":"x"}`, `[]`, `"x"`, ``, `{`, `{} x`} {
		c.want(c.create(body), http.StatusBadRequest)
	}
}

func TestPatchRefusals(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	c.want(c.create(full), 201)
	before, _ := s.Customer(Test, "ACC-1")
	for name, body := range map[string]string{
		"reference":            `{"external_reference":"ACC-2"}`,
		"balance alone":        `{"balance":5000}`,
		"eleven keys together": `{"metadata":{"a":"","b":"","c":"","d":"","e":"","f":"","g":"","h":"","i":"","j":""}}`,
		"wrong type":           `{"name":1}`,
		"no object":            `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			c.want(c.patch("ACC-1", body), http.StatusBadRequest)
		})
	}
	if after, _ := s.Customer(Test, "ACC-1"); !cmp.Equal(before, after) {
		t.Errorf("a refused update changed something: %s", cmp.Diff(before, after))
	}
	if h := c.want(c.patch("nobody", `{"name":"x"}`), http.StatusNotFound); h.problemType(t) != "not-found" {
		t.Errorf("problem %s", h.body)
	}
}

func TestDuplicateReference(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	first := c.want(c.create(full), 201).customer(t)
	h := c.want(c.create(full), http.StatusConflict)
	if kind := h.problemType(t); kind != "conflict" {
		t.Errorf("problem %q", kind)
	}
	if got := s.Customers(Test); len(got) != 1 || got[0].ID != first.ID {
		t.Errorf("books %v", got)
	}
	if got := s.Duplicates(Test); len(got) != 0 {
		t.Errorf("duplicates %v", got)
	}
}

func TestUniqueOff(t *testing.T) {
	s := start(t, Options{UniqueOff: true})
	c := as(t, s)
	first := c.want(c.create(full), 201).customer(t)
	second := c.want(c.create(full), 201).customer(t)
	c.want(c.create(full), 201)
	if first.ID == second.ID {
		t.Fatal("one customer, not two")
	}
	if got := c.get("ACC-1").customer(t).ID; got != first.ID {
		t.Errorf("reference leads to %s, want the first, %s", got, first.ID)
	}
	if got := s.Duplicates(Test); !cmp.Equal(got, []string{"ACC-1"}) || len(s.Customers(Test)) != 3 {
		t.Errorf("duplicates %v of %d customers", got, len(s.Customers(Test)))
	}
}

func TestRoutes(t *testing.T) {
	c := as(t, start(t, Options{}))
	c.want(c.create(full), 201)
	tests := []struct {
		method, path string
		status       int
		kind, allow  string
	}{
		{"GET", "/billing/customers", 405, "method-not-allowed", "POST"},
		{"DELETE", "/billing/customers/ACC-1", 405, "method-not-allowed", "GET, PATCH"},
		{"PUT", "/billing/customers/ACC-1", 405, "method-not-allowed", "GET, PATCH"},
		{"GET", "/billing/customers/", 404, "not-found", ""},
		{"GET", "/billing/customers/ACC-1/", 404, "not-found", ""},
		{"GET", "/billing/customers/a/b", 404, "not-found", ""},
		{"GET", "/billing/customers/a%2Fb", 404, "not-found", ""},
		{"GET", "/billing/customers/nobody", 404, "not-found", ""},
		{"GET", "/billing/customers/bcus_nobody", 404, "not-found", ""},
		{"GET", "/billing/customers/ACC%2D1", 200, "", ""},
		{"POST", "/billing/accounts", 404, "not-found", ""},
		{"GET", "/", 404, "not-found", ""},
	}
	for _, tc := range tests {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			h := c.want(c.send(tc.method, tc.path, ""), tc.status)
			if tc.kind != "" && h.problemType(t) != tc.kind {
				t.Errorf("problem %s", h.body)
			}
			if got := h.header.Get("Allow"); got != tc.allow {
				t.Errorf("Allow %q, want %q", got, tc.allow)
			}
		})
	}
	h := c.want(c.create(`{"external_reference":"`+strings.Repeat("a", maxBody)+`"}`), http.StatusRequestEntityTooLarge)
	if kind := h.problemType(t); kind != "payload-too-large" {
		t.Errorf("problem %q", kind)
	}
}

func TestStaleReads(t *testing.T) {
	s := start(t, Options{StaleReads: 2})
	c := as(t, s)
	c.want(c.create(full), 201)
	c.want(c.get("ACC-1"), 404)
	c.want(c.get("ACC-1"), 404)
	c.want(c.get("ACC-1"), 200)

	ticks := newClock()
	s = start(t, Options{StaleFor: 1000, Now: ticks.Now})
	c = as(t, s)
	id := c.want(c.create(full), 201).customer(t).ID
	ticks.Advance(999)
	c.want(c.get(id), 404)
	if _, there := s.Customer(Test, id); !there {
		t.Error("the books lag too")
	}
	ticks.Advance(1)
	c.want(c.get(id), 200)
}

func TestWithoutRules(t *testing.T) {
	share := func(p float64, seed uint64) (out []string) {
		s := start(t, Options{WithoutRules: p, Seed: seed})
		c := as(t, s)
		for i := range 60 {
			reference := fmt.Sprintf("r%d", i)
			if c.want(c.create(`{"external_reference":"`+reference+`"}`), 201).customer(t).PaymentRules == nil {
				out = append(out, reference)
			}
		}
		return out
	}
	half := share(0.5, 1)
	if len(half) < 10 || len(half) > 50 {
		t.Errorf("half of 60 is %d", len(half))
	}
	if again := share(0.5, 1); !cmp.Equal(half, again) {
		t.Errorf("same seed, other customers: %v %v", half, again)
	}
	if all := share(1, 1); len(all) != 60 {
		t.Errorf("all of 60 is %d", len(all))
	}
}

func FuzzParseChange(f *testing.F) {
	for _, seed := range []string{full, `{}`, `{"balance":1e2,"currency":"ZAR"}`, `{"metadata":{"a":"b"}}`, "{\"name\":\"\xff\"}", `{"email":"a@b"}`, `[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ch, faults := parseChange(body)
		if len(faults) > 0 {
			return
		}
		// What is accepted can be shown, and is accepted again as it is shown.
		if ch.reference == nil {
			x := "x"
			ch.reference = &x
		}
		c := Customer{ID: "bcus_1", ExternalReference: *ch.reference}.with(ch)
		shown, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, faults := parseChange(shown)
		if c.Email == "" && ch.email != nil || len(faults) > 0 {
			t.Fatalf("%s: %v", shown, faults)
		}
		if back := (Customer{ID: "bcus_1", ExternalReference: *again.reference}).with(again); !cmp.Equal(c, back) {
			t.Fatal(cmp.Diff(c, back))
		}
	})
}
