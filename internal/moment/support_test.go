package moment

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

const testKey = "sk_test_canary"

// newClient returns a client of a test server. What the options leave out does not get in the way.
func newClient(t *testing.T, server *httptest.Server, o Options) *Client {
	t.Helper()
	o.BaseURL, o.Key = server.URL, testKey
	if o.Rate == 0 {
		o.Rate = 1e6
	}
	if o.Concurrency == 0 {
		o.Concurrency = 4
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.GiveUpAfter == 0 {
		o.GiveUpAfter = time.Hour
	}
	if o.Transport == nil {
		transport := newTransport(o)
		if trusted, ok := server.Client().Transport.(*http.Transport); ok && trusted.TLSClientConfig != nil {
			transport.TLSClientConfig.RootCAs = trusted.TLSClientConfig.RootCAs
		}
		o.Transport = transport
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}
