package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestControlPage(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	c.key = ""
	h := c.want(c.send("GET", "/sandbox/", ""), 200)
	for _, part := range []string{"NOT Moment", "no money", "POST /sandbox/payments", s.APIURL(), s.SFTPAddress(), s.HostKeyFingerprint()} {
		if !strings.Contains(string(h.body), part) {
			t.Errorf("page does not say %q:\n%s", part, h.body)
		}
	}
	for _, secret := range []string{s.SecretKey(Test), s.SecretKey(Live), s.WebhookSecret(), s.SFTPPassword()} {
		if strings.Contains(string(h.body), secret) {
			t.Error("page shows a secret")
		}
	}
	c.want(c.send("GET", "/sandbox/nothing", ""), 404)
	c.want(c.send("DELETE", "/sandbox/customers", ""), 405)
}

func TestControlPayment(t *testing.T) {
	r := listenForEvents(t)
	s := withReceiver(t, r, Options{})
	c := as(t, s)
	id := c.want(c.create(full), 201).customer(t).ID
	h := c.want(c.send("POST", "/sandbox/payments", `{"customer":"ACC-1","amount":15000,"currency":"ZAR","times":3}`), 200)
	flush(t, s)
	got := r.heardFrom(t)
	if len(got) != 3 || got[0].id != got[2].id || len(s.Payments()) != 1 {
		t.Errorf("%d messages, %d payments", len(got), len(s.Payments()))
	}
	var told struct {
		EventID    string `json:"event_id"`
		CustomerID string `json:"customer_id"`
	}
	if err := json.Unmarshal(h.body, &told); err != nil || told.EventID != s.Payments()[0].ID || told.CustomerID != id {
		t.Errorf("told %s %v", h.body, err)
	}
	c.want(c.send("POST", "/sandbox/payments", `{"customer":"bcus_stranger","amount":1,"currency":"ZAR","unknown":true}`), 200)
	for _, bad := range []string{
		`{"customer":"nobody","amount":1}`, `{"customer":"ACC-1","amount":1.5}`, `{"customer":"ACC-1","amount":"1"}`,
		`{"customer":"ACC-1"}`, `{"customer":"ACC-1","amount":1,"times":0}`, `{"customer":"ACC-1","amount":1,"times":101}`,
		`{"customer":"ACC-1","amout":1}`, `nonsense`,
	} {
		h := c.want(c.send("POST", "/sandbox/payments", bad), 400)
		if !strings.Contains(string(h.body), `"error"`) {
			t.Errorf("%s: %s", bad, h.body)
		}
	}
	if len(s.Payments()) != 2 {
		t.Errorf("%d payments", len(s.Payments()))
	}
}

func TestControlFaults(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	const set = `{"latency":"1ms","jitter":"2ms","too_many":0.1,"error_before":0.1,"error_after":0.1,"drop_before":0.1,"drop_after":0.1,` +
		`"slow":0.1,"status":503,"unstored":true,"drip":"3ms","short_read":4096,"sftp_drop_after":100,"sftp_drops":2}`
	c.want(c.send("POST", "/sandbox/faults", set), 200)
	want := Faults{
		Latency: time.Millisecond, Jitter: 2 * time.Millisecond, Drip: 3 * time.Millisecond, TooMany: 0.1, ErrorBefore: 0.1, ErrorAfter: 0.1,
		DropBefore: 0.1, DropAfter: 0.1, Slow: 0.1, Status: 503, Unstored: true,
	}
	if got := s.Faults(); got != want {
		t.Errorf("faults %+v", got)
	}
	if got := s.files.faults.get(); got != (SFTPFaults{ShortRead: 4096, DropAfter: 100, Drops: 2}) {
		t.Errorf("SFTP faults %+v", got)
	}
	shown := c.want(c.send("GET", "/sandbox/faults", ""), 200).body
	for _, bad := range []string{`{"latency":"5"}`, `{"too_many":2}`, `{"short_read":-1}`, `{"sftp_drop_after":-1}`, `{"latancy":"5ms"}`} {
		c.want(c.send("POST", "/sandbox/faults", bad), 400)
	}
	if s.Faults() != want {
		t.Error("a refused request changed the faults")
	}
	// What is shown can be posted again.
	c.want(c.send("POST", "/sandbox/faults", `{}`), 200)
	if s.Faults() != (Faults{}) || s.files.faults.get() != (SFTPFaults{}) {
		t.Error("{} does not heal")
	}
	c.want(c.send("POST", "/sandbox/faults", string(shown)), 200)
	if s.Faults() != want {
		t.Errorf("round trip: %+v", s.Faults())
	}
}

func TestControlRest(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	c.want(c.create(full), 201)
	h := c.want(c.send("GET", "/sandbox/customers", ""), 200)
	if !strings.Contains(string(h.body), "ACC-1") {
		t.Errorf("customers %s", h.body)
	}
	h = c.want(c.send("GET", "/sandbox/customers?mode=live", ""), 200)
	if strings.Contains(string(h.body), "ACC-1") {
		t.Errorf("live customers %s", h.body)
	}
	h = c.want(c.send("GET", "/sandbox/tally", ""), 200)
	if !strings.Contains(string(h.body), `"creates": 1`) || !strings.Contains(string(h.body), `"201": 1`) {
		t.Errorf("tally %s", h.body)
	}
	c.want(c.send("POST", "/sandbox/keys", `{"mode":"test","revoked":true}`), 200)
	c.want(c.get("ACC-1"), 403)
	c.want(c.send("POST", "/sandbox/keys", `{"mode":"test","revoked":false}`), 200)
	c.want(c.get("ACC-1"), 200)
	c.want(c.send("POST", "/sandbox/keys", `{"mode":"prod","revoked":true}`), 400)
	c.want(c.send("POST", "/sandbox/webhook", `{"url":"http://127.0.0.1:1/x"}`), 200)
	if s.WebhookURL() != "http://127.0.0.1:1/x" {
		t.Errorf("webhook %s", s.WebhookURL())
	}
	c.want(c.send("POST", "/sandbox/webhook", `{"url":"nowhere"}`), 400)
	if got := s.Tally(); got.Creates+got.Gets+got.Patches+got.Others != 3 {
		t.Errorf("control requests are counted as the API's: %+v", got)
	}
}

// A web page that somebody happens to have open must not steer the sandbox.
func TestControlRefusesBrowsers(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	c.want(c.send("POST", "/sandbox/keys", `{"mode":"test","revoked":true}`, "Origin", "http://evil.example"), http.StatusForbidden)
	c.want(c.send("POST", "/sandbox/keys", `{"mode":"test","revoked":true}`, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL()+"/sandbox/customers", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example:80"
	resp, err := c.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another host name: %d", resp.StatusCode)
	}
	c.want(c.get("nobody"), 404)
}
