package receiver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// from sends a delivery as if it came from an address.
func (e *endpoint) from(remote string, d delivery) *httptest.ResponseRecorder {
	e.t.Helper()
	r := httptest.NewRequest(d.method, d.path, strings.NewReader(d.body))
	r.Header, r.RemoteAddr = d.header, remote
	answer := httptest.NewRecorder()
	e.receiver.ServeHTTP(answer, r)
	return answer
}

// unread is a body that must not be looked at.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body of a request over the limit is read")
	return 0, http.ErrBodyReadAfterClose
}

func TestAddressLimit(t *testing.T) {
	e := newEndpoint(t)
	now := noon
	e.receiver.addresses = newAddresses(2, func() time.Time { return now })
	good := func(i int) delivery { return e.signed(fmt.Sprint("msg_", i), event, 0) }
	forged := good(0)
	forged.body = "forged"
	const stranger = "192.0.2.7:4711"

	for i := range 8 { // four seconds of two a second
		if answer := e.from(stranger, forged); answer.Code != 401 {
			t.Fatalf("forged %d: status %d", i, answer.Code)
		}
	}
	over := httptest.NewRequest(http.MethodPost, path, unread{t})
	over.Header, over.RemoteAddr = good(1).header, "192.0.2.7:4712" // another port is no other sender
	answer := httptest.NewRecorder()
	e.receiver.ServeHTTP(answer, over)
	if answer.Code != 429 || answer.Header().Get("Retry-After") != "1" {
		t.Errorf("over the limit: status %d, retry after %q", answer.Code, answer.Header().Get("Retry-After"))
	}
	for _, other := range []string{"192.0.2.8:4711", "127.0.0.1:1", "[::1]:1", "[2001:db8:0:1::7]:1"} {
		if answer := e.from(other, good(2)); answer.Code != 204 {
			t.Errorf("%s is held back for another: status %d", other, answer.Code)
		}
	}
	now = now.Add(time.Second)
	if answer := e.from(stranger, good(3)); answer.Code != 204 {
		t.Errorf("a second later: status %d", answer.Code)
	}
	if s := e.receiver.Stats(); s.TooMany != 1 || s.Forged != 8 {
		t.Errorf("stats %+v", s)
	}
}

func TestSignedDeliveriesAreNeverHeldBack(t *testing.T) {
	e := newEndpoint(t)
	e.receiver.addresses = newAddresses(1, func() time.Time { return noon })
	for i := range 100 {
		if answer := e.from("192.0.2.7:4711", e.signed(fmt.Sprint("msg_", i%50), event, 0)); answer.Code != 204 {
			t.Fatalf("delivery %d: status %d", i, answer.Code)
		}
	}
}

func TestAddressesAreBounded(t *testing.T) {
	a := newAddresses(1, func() time.Time { return noon })
	for i := range 3 * maxAddresses {
		a.charge(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&0xff, i&0xff))
	}
	if len(a.used) > maxAddresses {
		t.Errorf("%d addresses are remembered", len(a.used))
	}
}

func TestCounted(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:1":              "192.0.2.7/32",
		"[::ffff:192.0.2.7]:1":     "192.0.2.7/32",
		"[2001:db8:1:2:3:4:5:6]:1": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":         "fe80::/64",
		"127.0.0.1:1":              "",
		"[::ffff:127.0.0.1]:1":     "",
		"[::1]:1":                  "",
		"@":                        "",
		"":                         "",
	} {
		who, ok := counted(remote)
		if got := who.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%s counts as %s, %v", remote, got, ok)
		}
	}
}
