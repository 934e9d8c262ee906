package moment

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestTLSFaults(t *testing.T) {
	start := func(t *testing.T, change func(*httptest.Server)) *httptest.Server {
		t.Helper()
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answerCreated(w) }))
		server.Config.ErrorLog = discardLog()
		change(server)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	cut := listen(t, func(c *conn) { _, _ = c.r.Peek(1) })
	good := start(t, func(*httptest.Server) {})
	old := start(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	}) //nolint:gosec // that is the fault
	for _, at := range []struct {
		name    string
		url     string
		trusted bool
		want    Class
	}{
		{"trusted", good.URL, true, OK},
		{"signed by nobody known", good.URL, false, Misconfigured},
		{"for another name", "https://localhost" + good.URL[len("https://127.0.0.1"):], true, Misconfigured},
		{"no TLS at all", "https" + plain.URL[len("http"):], true, Misconfigured},
		{"too old", old.URL, true, NotSent},
		{"cut off in the handshake", "https" + cut.url[len("http"):], true, NotSent},
	} {
		t.Run(at.name, func(t *testing.T) {
			o := Options{BaseURL: at.url, Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: time.Minute, GiveUpAfter: time.Hour}
			transport := newTransport(o)
			if at.trusted {
				transport.TLSClientConfig.RootCAs = good.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			}
			o.Transport = transport
			c := New(o)
			defer c.Close()
			if got := c.Create(t.Context(), "key", []byte(`{}`)); got.Class != at.want || (got.Class == OK) != (got.Err == nil) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Refused connections and unknown names have sent nothing.
func TestNotSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"http://" + l.Addr().String(), "http://no-such-host.invalid"} {
		c := New(Options{BaseURL: url, Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: time.Minute, GiveUpAfter: time.Hour})
		if got := c.Create(t.Context(), "key", []byte(`{}`)); got.Class != NotSent || got.Err == nil {
			t.Errorf("%s: %+v", url, got)
		}
		c.Close()
	}
}
