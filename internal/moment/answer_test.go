package moment

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const aCustomer = `{"id":"bcus_1","external_reference":"R1"}`

// Every answer that a server can give leads to one class, whatever was asked.
func TestClasses(t *testing.T) {
	problem := func(kind, detail string) string {
		return fmt.Sprintf(`{"type":"https://api.momentco.io/docs/errors#%s","title":"Problem","detail":%q}`, kind, detail)
	}
	for _, c := range []struct {
		name   string
		status int
		body   string
		create Class // of POST to the collection
		one    Class // of GET and PATCH for one customer
	}{
		{"created", 201, aCustomer, OK, OK},
		{"ok", 200, aCustomer, OK, OK},
		{"unknown members and values", 200, `{"id":"bcus_1","status":"brand_new","more":[1]}`, OK, OK},
		{"no content", 204, "", Silence, Silence},
		{"empty", 201, "", Silence, Silence},
		{"broken JSON", 201, `{"id":"bcus_1"`, Silence, Silence},
		{"two documents", 201, aCustomer + aCustomer, Silence, Silence},
		{"no id", 201, `{"external_reference":"R1"}`, Silence, Silence},
		{"another kind of id", 201, `{"id":"bacc_1"}`, Silence, Silence},
		{"doubled member", 201, `{"id":"bcus_1","id":"bcus_2"}`, Silence, Silence},
		{"fractional balance", 201, `{"id":"bcus_1","balance":1.5}`, Silence, Silence},
		{"page of a proxy", 200, "<html>Welcome</html>", Silence, Silence},
		{"moved", 301, "", Misconfigured, Misconfigured},
		{"not modified", 304, "", Misconfigured, Misconfigured},
		{"bad request", 400, problem("invalid-request", "name is too long"), Invalid, Invalid},
		{"no problem at all", 400, "", Invalid, Invalid},
		{"unauthorized", 401, problem("unauthorized", ""), Unauthorized, Unauthorized},
		{"payment required", 402, problem("request-failed", ""), Invalid, Invalid},
		{"forbidden", 403, "", Unauthorized, Unauthorized},
		{"not found", 404, problem("not-found", ""), Misconfigured, NotFound},
		{"not found, as a page", 404, "<html>", Misconfigured, NotFound},
		{"method not allowed", 405, "", Misconfigured, Misconfigured},
		{"proxy wants a password", 407, "", Misconfigured, Misconfigured},
		{"request timeout", 408, "", ServerError, ServerError},
		{"taken", 409, problem("conflict", "external_reference is taken"), Conflict, Conflict},
		{"unknown conflict", 409, "", Conflict, Conflict},
		{"key in use", 409, problem("idempotency-key-in-use", "a request with this key is in progress"), InFlight, InFlight},
		{"key of another body", 409, problem("idempotency-error", "the key was used with a different body"), KeyReused, KeyReused},
		{"key, and nothing else known", 409, problem("idempotency-conflict", "no"), Conflict, Conflict},
		{"key of another body, 422", 422, problem("idempotency-mismatch", ""), KeyReused, KeyReused},
		{"key is malformed", 400, problem("invalid-request", "Idempotency-Key is malformed"), Invalid, Invalid},
		{"could not be processed", 422, problem("unprocessable", "balance"), Invalid, Invalid},
		{"too early", 425, "", ServerError, ServerError},
		{"too many", 429, problem("too-many-requests", ""), Throttled, Throttled},
		{"error", 500, problem("internal", "idempotency store is down"), ServerError, ServerError},
		{"bad gateway, as a page", 502, "<html><body>502 Bad Gateway</body></html>", ServerError, ServerError},
		{"unavailable", 503, "", Throttled, Throttled},
		{"gateway timeout", 504, "", ServerError, ServerError},
		{"unheard of", 599, "", ServerError, ServerError},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			// Nothing must wait here for what 429 and 503 ask for.
			for what, want := range map[string]Class{"create": c.create, "retrieve": c.one, "update": c.one} {
				client := newClient(t, server, Options{})
				var got Answer
				switch what {
				case "create":
					got = client.Create(t.Context(), "key", []byte(`{}`))
				case "retrieve":
					got = client.Retrieve(t.Context(), "R1")
				default:
					got = client.Update(t.Context(), "R1", []byte(`{}`))
				}
				if got.Class != want || got.Status != c.status {
					t.Errorf("%s: %s with %d, want %s", what, got.Class, got.Status, want)
				}
				if withErr := want == Silence || want == Misconfigured; (got.Err != nil) != withErr {
					t.Errorf("%s: error %v", what, got.Err)
				}
				if client.Stats().Requests != 1 {
					t.Errorf("%s: %+v", what, client.Stats())
				}
			}
		})
	}
}

func TestReplayed(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "True": true, "false": false, "": false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Idempotent-Replayed", value)
			answerCreated(w)
		}))
		if got := newClient(t, server, Options{}).Create(t.Context(), "key", []byte(`{}`)); got.Replayed != want || got.Class != OK {
			t.Errorf("%q: %+v", value, got)
		}
		server.Close()
	}
}

func TestFailureAnswers(t *testing.T) {
	failures := []Class{Invalid, Throttled, ServerError, Unauthorized}
	for class := Silence; class <= Misconfigured; class++ {
		want := false
		for _, f := range failures {
			want = want || f == class
		}
		if class.Failure() != want || class.String() == "" {
			t.Errorf("%s: %t", class, class.Failure())
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 6, 30, 0, 500, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "1": time.Second, " 120 ": 2 * time.Minute, "007": 7 * time.Second,
		"Sun, 22 Nov 2026 06:31:00 GMT":          time.Minute,
		"Sunday, 22-Nov-26 06:31:00 GMT":         time.Minute,
		"Sun Nov 22 06:31:00 2026":               time.Minute,
		"Sun, 22 Nov 2026 06:29:00 GMT":          0,
		"Thu, 01 Jan 1970 00:00:00 GMT":          0,
		"-1":                                     0,
		"+5":                                     0,
		"1.5":                                    0,
		"5s":                                     0,
		"soon":                                   0,
		"1, 2":                                   0,
		"９":                                      0,
		"9223372036854775":                       1 << 30 * time.Second,
		"99999999999999999999999999999999":       1 << 30 * time.Second,
		strings.Repeat("9", 10_000):              1 << 30 * time.Second,
		"Sun, 22 Nov 2026 06:31:00 Johannesburg": 0,
		"Sun, 22 Nov 2026 06:31:00 GMT and later": 0,
	} {
		if got := retryAfter(header, now); got.Round(time.Second) != want {
			t.Errorf("%.40q: %s, want %s", header, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, header := range []string{"", "0", "1", "-1", "9223372036854775808", "Sun, 22 Nov 2026 06:31:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Sunday, 22-Nov-26 06:31:00 GMT", "Sun Nov 22 06:31:00 2026"} {
		f.Add(header, int64(1795320062))
	}
	f.Fuzz(func(t *testing.T, header string, unix int64) {
		now := time.Unix(unix%(1<<35), 0)
		got := retryAfter(header, now)
		if got < 0 {
			t.Fatalf("%q: %s", header, got)
		}
		if at, err := http.ParseTime(strings.TrimSpace(header)); err == nil && got > 0 && got < 1<<62 && !now.Add(got).Equal(at) {
			t.Fatalf("%q at %s: %s", header, now, got)
		}
	})
}
