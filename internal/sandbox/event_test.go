package sandbox

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEventOfPayment(t *testing.T) {
	ticks := newClock()
	s := start(t, Options{Now: ticks.Now})
	c := as(t, s)
	customer := c.want(c.create(full), 201).customer(t)

	e, err := s.Pay(Payment{CustomerID: "ACC-1", Amount: 2000, Metadata: map[string]string{"utm_source": "sms"}})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(e.Body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": e.ID, "type": "obligation.amount_applied",
		"data": map[string]any{
			"id": e.Payment.ObligationID, "payment_id": e.Payment.PaymentID, "customer_id": customer.ID,
			"amount": 2000.0, "currency": "ZAR", "metadata": map[string]any{"utm_source": "sms"},
			"created_at": "2026-11-22T04:00:00Z", "updated_at": "2026-11-22T04:00:00Z",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	for prefix, id := range map[string]string{"evt_": e.ID, "msg_": e.WebhookID, "ob_": e.Payment.ObligationID, "pay_": e.Payment.PaymentID} {
		if !strings.HasPrefix(id, prefix) || len(id) != len(prefix)+26 {
			t.Errorf("id %q", id)
		}
	}
	if after, _ := s.Customer(Test, "ACC-1"); *after.Balance != 15000 {
		t.Errorf("the payment changed the balance to %d", *after.Balance)
	}
	if diff := cmp.Diff([]Event{e}, s.Payments()); diff != "" {
		t.Errorf("payments (-want +got):\n%s", diff)
	}
}

func TestEventVariants(t *testing.T) {
	s := start(t, Options{})
	at := time.Date(2026, 11, 22, 6, 30, 0, 250e6, time.FixedZone("SAST", 7200))
	e, err := s.Pay(Payment{
		BillID: "bill_1", AccountID: "bacc_1", CustomerID: "bcus_stranger", Unknown: true, Amount: -5, Currency: "USD",
		EventID: "evt_1", ObligationID: "ob_1", PaymentID: "pay_1", At: at,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"evt_1","type":"obligation.amount_applied","data":{"id":"ob_1","amount":-5,"currency":"USD","payment_id":"pay_1",` +
		`"customer_id":"bcus_stranger","account_id":"bacc_1","bill_id":"bill_1","created_at":"2026-11-22T04:30:00.25Z","updated_at":"2026-11-22T04:30:00.25Z"}}`
	if string(e.Body) != want {
		t.Errorf("got  %s\nwant %s", e.Body, want)
	}
	e, err = s.Pay(Payment{AccountID: "bacc_1", Amount: 1, Currency: "ZAR", Bare: true})
	if err != nil || strings.Contains(string(e.Body), "_at") {
		t.Errorf("bare event %s %v", e.Body, err)
	}
}

func TestPaymentRefusals(t *testing.T) {
	s := start(t, Options{})
	for name, p := range map[string]Payment{
		"nobody":      {Amount: 1, Currency: "ZAR"},
		"no amount":   {AccountID: "bacc_1", Currency: "ZAR"},
		"no currency": {AccountID: "bacc_1", Amount: 1},
		"mode":        {AccountID: "bacc_1", Amount: 1, Currency: "ZAR", Mode: "prod"},
		"stranger":    {CustomerID: "bcus_x", Amount: 1, Currency: "ZAR"},
	} {
		_, err := s.Pay(p)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if errors.Is(err, ErrUnknownCustomer) != (name == "stranger") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.Payments()) != 0 || s.Deliveries() != (Deliveries{}) {
		t.Error("a refused payment left something behind")
	}
}

func TestLowerBalance(t *testing.T) {
	s := start(t, Options{LowerBalance: true})
	c := as(t, s)
	c.want(c.create(full), 201)
	c.want(c.create(`{"external_reference":"untracked"}`), 201)
	for _, p := range []Payment{
		{CustomerID: "ACC-1", Amount: 20000},
		{CustomerID: "ACC-1", Amount: 7, Currency: "USD"}, // in no balance
		{CustomerID: "untracked", Amount: 7, Currency: "ZAR"},
	} {
		if _, err := s.Pay(p); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.want(c.get("ACC-1"), 200).customer(t); *got.Balance != -5000 {
		t.Errorf("balance %d", *got.Balance)
	}
	if got := c.want(c.get("untracked"), 200).customer(t); got.Balance != nil {
		t.Errorf("balance %d", *got.Balance)
	}
}

func TestAddCustomer(t *testing.T) {
	s := start(t, Options{StaleReads: 5})
	c := as(t, s)
	added, err := s.AddCustomer(Test, Customer{ExternalReference: "old", Currency: "ZAR", Balance: amount(1)})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.want(c.get("old"), 200).customer(t); got.ID != added.ID || got.PaymentRules != nil {
		t.Errorf("got %+v", got)
	}
	for _, bad := range []Customer{{ExternalReference: "old"}, {ExternalReference: "a b"}, {ExternalReference: "new", ID: "x"}} {
		if _, err := s.AddCustomer(Test, bad); err == nil {
			t.Errorf("%+v accepted", bad)
		}
	}
	if _, err := s.AddCustomer("prod", Customer{ExternalReference: "new"}); err == nil {
		t.Error("unknown mode accepted")
	}
	if s.Customers("prod") != nil || s.Duplicates("prod") != nil {
		t.Error("unknown mode has books")
	}
}
