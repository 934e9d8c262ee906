package sandbox

import (
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// controlPath is where the sandbox itself is steered, beside the API. Moment has
// nothing like it.
const controlPath = "/sandbox/"

const controlPage = `
What can be done here (JSON in, JSON out, no key):

  GET  /sandbox/customers?mode=test   every customer, whatever the API shows
  GET  /sandbox/tally                 what was asked of the API, and what became of the events
  POST /sandbox/payments              {"customer": "<id or reference>", "amount": 15000, "currency": "ZAR", "times": 1}
                                      a payment in minor units; its event is delivered "times" times.
                                      Also: mode, account, bill, metadata, unknown (true: any customer id)
  GET  /sandbox/faults                what goes wrong at the moment
  POST /sandbox/faults                {"latency": "50ms", "jitter": "20ms", "too_many": 0.1, "error_before": 0.05,
                                      "error_after": 0.05, "drop_before": 0.05, "drop_after": 0.05, "slow": 0.01}
                                      shares of requests, 0 to 1; {} heals everything.
                                      Also: status (500 to 599), unstored, drip, short_read, sftp_drop_after, sftp_drops
  POST /sandbox/keys                  {"mode": "test", "revoked": true}
  POST /sandbox/webhook               {"url": "http://127.0.0.1:8480/webhooks/moment"}
`

// control serves the control surface. It has no password; what protects it is
// that it listens on loopback, that browsers cannot be made to post to it from
// other sites, and that no other host name leads to it.
func (s *Sandbox) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sandbox/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, s.Banner()+controlPage)
	})
	mux.HandleFunc("GET /sandbox/customers", func(w http.ResponseWriter, r *http.Request) {
		m := Mode(orElse(r.URL.Query().Get("mode"), string(Test)))
		reply(w, http.StatusOK, map[string]any{"mode": m, "customers": s.Customers(m), "duplicates": s.Duplicates(m)})
	})
	mux.HandleFunc("GET /sandbox/tally", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"requests": s.Tally(), "violations": len(s.Violations()), "events": s.Deliveries()})
	})
	mux.HandleFunc("GET /sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, s.showFaults())
	})
	mux.HandleFunc("POST /sandbox/faults", steer(s.postFaults))
	mux.HandleFunc("POST /sandbox/payments", steer(s.postPayment))
	mux.HandleFunc("POST /sandbox/keys", steer(s.postKey))
	mux.HandleFunc("POST /sandbox/webhook", steer(s.postWebhook))
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err != nil || !isLoopback(host) {
			reply(w, http.StatusForbidden, controlError{"use the address that the sandbox printed"})
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

type controlError struct {
	Error string `json:"error"`
}

func reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v, json.Deterministic(true), jsontext.Multiline(true))
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error": "the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// steer reads a JSON request, in which a misspelt member is an error, and
// replies with what do returns.
func steer[In any](do func(In) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, maxBody), &in, json.RejectUnknownMembers(true))
		if err != nil {
			err = fmt.Errorf("read request: %w; see GET %s", err, controlPath)
		}
		var out any
		if err == nil {
			out, err = do(in)
		}
		if err != nil {
			reply(w, http.StatusBadRequest, controlError{err.Error()})
			return
		}
		reply(w, http.StatusOK, out)
	}
}

// maxTimes bounds how often one event is delivered on demand.
const maxTimes = 100

type paymentRequest struct {
	Mode     Mode              `json:"mode"`
	Customer string            `json:"customer"`
	Account  string            `json:"account"`
	Bill     string            `json:"bill"`
	Unknown  bool              `json:"unknown"`
	Amount   int64             `json:"amount"`
	Currency string            `json:"currency"`
	Metadata map[string]string `json:"metadata"`
	Times    *int              `json:"times"`
}

func (s *Sandbox) postPayment(in paymentRequest) (any, error) {
	times := 1
	if in.Times != nil {
		times = *in.Times
	}
	if times < 1 || times > maxTimes {
		return nil, fmt.Errorf("times is %d: use 1 to %d", times, maxTimes)
	}
	e, err := s.Pay(Payment{
		Mode: in.Mode, CustomerID: in.Customer, AccountID: in.Account, BillID: in.Bill, Unknown: in.Unknown,
		Amount: in.Amount, Currency: in.Currency, Metadata: in.Metadata,
	})
	if err != nil {
		return nil, err
	}
	for range times - 1 {
		s.Redeliver(e)
	}
	return map[string]any{
		"event_id": e.ID, "payment_id": e.Payment.PaymentID, "obligation_id": e.Payment.ObligationID,
		"customer_id": e.Payment.CustomerID, "deliveries": times,
	}, nil
}

func (s *Sandbox) postKey(in struct {
	Mode    Mode `json:"mode"`
	Revoked bool `json:"revoked"`
},
) (any, error) {
	if s.books[in.Mode] == nil {
		return nil, fmt.Errorf("mode %q is neither test nor live", in.Mode)
	}
	s.setRevoked(in.Mode, in.Revoked)
	return in, nil
}

func (s *Sandbox) postWebhook(in struct {
	URL string `json:"url"`
},
) (any, error) {
	return in, s.SetWebhookURL(in.URL)
}
