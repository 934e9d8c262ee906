package moment

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// endless is a body that says how much of it was taken.
func endless(w http.ResponseWriter, lead string, most int) (taken int) {
	_, _ = io.WriteString(w, lead)
	chunk := bytes.Repeat([]byte(" "), 1<<16)
	for taken < most {
		n, err := w.Write(chunk)
		if taken += n; err != nil {
			break
		}
	}
	return taken
}

// No answer is long: what follows 64 KiB is not read, and an answer that goes on is no answer.
func TestBodyIsCapped(t *testing.T) {
	const most = 20 << 20
	for _, at := range []struct {
		status int
		lead   string
		want   Class
		shown  string
	}{
		{201, `{"id":"bcus_1"}`, Silence, ""},
		{201, `{"id":"bcus_1","name":"`, Silence, ""},
		{502, `<html>`, ServerError, ""},
		{400, `{"detail":"no"}`, Invalid, ""},
	} {
		taken := make(chan int, 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(at.status)
			taken <- endless(w, at.lead, most)
		}))
		c := newClient(t, server, Options{})
		got := c.Create(t.Context(), "key", []byte(`{}`))
		if got.Class != at.want || got.Status != at.status || got.Customer.ID != "" {
			t.Errorf("%d %s: %+v", at.status, at.lead, got)
		}
		server.CloseClientConnections() // so that the server notices
		if n := <-taken; n >= most {
			t.Errorf("%d %s: all of %d bytes were taken", at.status, at.lead, n)
		}
		server.Close()
	}
}

func TestBodyOfJustTheCap(t *testing.T) {
	for size, want := range map[int]Class{maxBody: OK, maxBody + 1: Silence} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, aCustomer+strings.Repeat(" ", size-len(aCustomer)))
		}))
		if got := newClient(t, server, Options{}).Retrieve(t.Context(), "R1"); got.Class != want {
			t.Errorf("%d bytes: %+v", size, got)
		}
		server.Close()
	}
}

// An error's status counts even if its explanation is cut off.
func TestErrorBodyCutOff(t *testing.T) {
	server := listen(t, func(c *conn) {
		if _, ok := c.request(); ok {
			c.say("HTTP/1.1 422 Unprocessable\r\nContent-Length: 100\r\n\r\n{\"detail\":")
		}
	})
	c := New(Options{BaseURL: server.url, Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: time.Minute, GiveUpAfter: time.Hour})
	defer c.Close()
	if got := c.Create(t.Context(), "key", []byte(`{}`)); got.Class != Invalid || got.Problem != (Problem{}) {
		t.Errorf("%+v", got)
	}
}

// The timeout is for the whole exchange: a server that sends a byte now and then does not hold a worker.
func TestSlowDrip(t *testing.T) {
	for name, drip := range map[string]func(w http.ResponseWriter){
		"headers": func(http.ResponseWriter) {},
		"body":    func(w http.ResponseWriter) { _, _ = io.WriteString(w, " ") },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						if drip(w); name == "body" {
							_ = http.NewResponseController(w).Flush()
						}
					case <-r.Context().Done():
						return
					}
				}
			}))
			defer server.Close()
			start := time.Now()
			got := newClient(t, server, Options{Timeout: 100 * time.Millisecond}).Create(t.Context(), "key", []byte(`{}`))
			if took := time.Since(start); got.Class != Silence || took < 100*time.Millisecond {
				t.Errorf("%+v after %s", got, took)
			}
		})
	}
}
