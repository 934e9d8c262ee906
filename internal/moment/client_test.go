package moment

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What goes over the wire, to the byte where it matters.
func TestRequests(t *testing.T) {
	type request struct {
		Method, URI, Body string
		Header            map[string]string
	}
	heard := make(chan request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := request{Method: r.Method, URI: r.RequestURI, Body: string(body), Header: map[string]string{}}
		for _, name := range []string{"Authorization", "Idempotency-Key", "Content-Type", "Content-Length", "Transfer-Encoding", "User-Agent", "Cookie"} {
			if value := r.Header.Get(name); value != "" {
				got.Header[name] = value
			}
		}
		heard <- got
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		_, _ = w.Write([]byte(aCustomer))
	}))
	defer server.Close()
	c := newClient(t, server, Options{UserAgent: "tallyman/1"})
	header := func(more ...string) map[string]string {
		h := map[string]string{"Authorization": "Bearer " + testKey, "User-Agent": "tallyman/1"}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = more[i+1]
		}
		return h
	}
	const path = "/billing/customers"
	body := `{"name":"Zoë"}`
	withBody := header("Content-Type", "application/json", "Content-Length", "15")
	for _, at := range []struct {
		name string
		send func() Answer
		want request
	}{
		{"create", func() Answer { return c.Create(t.Context(), "6f1c-4a", []byte(body)) }, request{"POST", path, body, header("Content-Type", "application/json", "Content-Length", "15", "Idempotency-Key", "6f1c-4a")}},
		{"retrieve", func() Answer { return c.Retrieve(t.Context(), "R-1_x") }, request{"GET", path + "/R-1_x", "", header()}},
		{"update", func() Answer { return c.Update(t.Context(), "bcus_1", []byte(body)) }, request{"PATCH", path + "/bcus_1", body, withBody}},
		// No reference may hold these; should one slip through, it must still name one customer and nothing else.
		{"slashes", func() Answer { return c.Retrieve(t.Context(), "../accounts/A?b=c#d") }, request{"GET", path + "/..%2Faccounts%2FA%3Fb=c%23d", "", header()}},
		{"escapes", func() Answer { return c.Update(t.Context(), "a%2Fb é", []byte(body)) }, request{"PATCH", path + "/a%252Fb%20%C3%A9", body, withBody}},
		{"line ends", func() Answer { return c.Retrieve(t.Context(), "a\r\nX-Injected: b") }, request{"GET", path + "/a%0D%0AX-Injected:%20b", "", header()}},
	} {
		answer := at.send()
		if answer.Class != OK || answer.Customer.ExternalReference != "R1" {
			t.Fatalf("%s: %+v", at.name, answer)
		}
		if diff := cmp.Diff(at.want, <-heard); diff != "" {
			t.Errorf("%s (-want +got):\n%s", at.name, diff)
		}
	}
}

// A redirect is never followed: it would carry the key, and what is answered there is not Moment's.
func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s reached the other server with %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for _, location := range []string{elsewhere.URL + "/billing/customers", "/billing/customers/R1", "", "http://%zz/"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			came := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				came++
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			}))
			c := newClient(t, server, Options{})
			for _, answer := range []Answer{c.Create(t.Context(), "key", []byte(`{}`)), c.Retrieve(t.Context(), "R1"), c.Update(t.Context(), "R1", []byte(`{}`))} {
				if answer.Class != Misconfigured || !strings.Contains(answer.Err.Error(), "check api.base_url") {
					t.Errorf("%d to %q: %+v", status, location, answer)
				}
			}
			server.Close()
			if came != 3 {
				t.Errorf("%d to %q: %d requests", status, location, came)
			}
		}
	}
}

// However an exchange goes wrong, its error names neither the key nor the customer.
func TestErrorsKeepSecrets(t *testing.T) {
	const reference, name = "REF-CANARY", "Name Canary"
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	redirecting := httptest.NewServer(http.RedirectHandler("https://example.com/", http.StatusFound))
	defer redirecting.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"id":`)) }))
	defer broken.Close()
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hanging.Close()
	cutting := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cutting.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	untrusted.Config.ErrorLog = discardLog()
	notHTTP := listen(t, func(c *conn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.9\r\n")) })
	for what, base := range map[string]string{
		"gone": gone.URL, "redirecting": redirecting.URL, "broken": broken.URL, "hanging": hanging.URL, "cutting": cutting.URL,
		"untrusted": untrusted.URL, "not HTTP": notHTTP.url, "no URL": "http://a b/", "no host": "https://" + "\x7f",
	} {
		c := New(Options{BaseURL: base, Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: 100 * time.Millisecond, GiveUpAfter: time.Hour})
		for _, answer := range []Answer{
			c.Create(t.Context(), "11111111-2222", []byte(`{"name":"`+name+`"}`)),
			c.Retrieve(t.Context(), reference),
			c.Update(t.Context(), reference, []byte(`{"name":"`+name+`"}`)),
		} {
			if answer.Err == nil {
				t.Errorf("%s: no error in %+v", what, answer)
				continue
			}
			for _, secret := range []string{testKey, reference, name, base, "11111111-2222"} {
				if strings.Contains(answer.Err.Error(), secret) {
					t.Errorf("%s: %q is in the error %q", what, secret, answer.Err)
				}
			}
		}
		c.Close()
	}
}

func TestConcurrency(t *testing.T) {
	inside, leave := make(chan int, 10), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		inside <- 1
		<-leave
		answerCreated(w)
	}))
	defer server.Close()
	c := newClient(t, server, Options{Concurrency: 3})
	answers := make(chan Answer, 4)
	for range 4 {
		go func() { answers <- c.Create(t.Context(), "key", []byte(`{}`)) }()
	}
	for range 3 {
		<-inside
	}
	select {
	case <-inside:
		t.Error("a fourth request at once")
	case <-time.After(50 * time.Millisecond): // long enough for one to arrive that is let go
	}
	close(leave)
	for range 4 {
		if a := <-answers; a.Class != OK {
			t.Errorf("%+v", a)
		}
	}
}

// Who is told to stop starts nothing more, and hears the answer to what has started.
func TestStop(t *testing.T) {
	inside, leave := make(chan int, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		inside <- 1
		<-leave
		answerCreated(w)
	}))
	defer server.Close()
	c := newClient(t, server, Options{Concurrency: 1})
	ctx, stop := context.WithCancel(t.Context())
	answers := make(chan Answer, 2)
	go func() { answers <- c.Create(ctx, "key", []byte(`{}`)) }()
	<-inside
	go func() { answers <- c.Create(ctx, "other", []byte(`{}`)) }() // waits for the slot
	stop()
	if a := <-answers; a.Class != NotSent {
		t.Errorf("the one that waited: %+v", a)
	}
	close(leave)
	if a := <-answers; a.Class != OK {
		t.Errorf("the one under way: %+v", a)
	}
	if a := c.Create(ctx, "third", []byte(`{}`)); a.Class != NotSent {
		t.Errorf("one after that: %+v", a)
	}
	if s := c.Stats(); s.Requests != 1 {
		t.Errorf("%+v", s)
	}
}

// handing is a transport that gets a connection, or does not, and is cut short before it has written anything.
type handing struct{ connected bool }

func (h handing) RoundTrip(req *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(req.Context()); h.connected {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// A connection may write the request at the very time at which the wait for it ends.
func TestCutShort(t *testing.T) {
	for connected, want := range map[bool]Class{true: Silence, false: NotSent} {
		c := New(Options{BaseURL: "http://localhost", Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: time.Millisecond, GiveUpAfter: time.Hour, Transport: handing{connected}})
		if a := c.Create(t.Context(), "key", []byte(`{}`)); a.Class != want {
			t.Errorf("connected %t: %+v", connected, a)
		}
	}
}

// The grace for what is under way is not for ever.
func TestGrace(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		stop()
		<-r.Context().Done()
	}))
	defer server.Close()
	c := newClient(t, server, Options{Grace: 20 * time.Millisecond})
	if a := c.Create(ctx, "key", []byte(`{}`)); a.Class != Silence || a.GiveUp != nil {
		t.Errorf("%+v", a)
	}
}
