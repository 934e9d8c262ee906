package receiver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// text is a delivery as it goes over the wire. The headers are those of the
// delivery unless others are given; more are added to them.
func (d delivery) text(line string, more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\nHost: x\r\n", line)
	for _, name := range []string{headerID, headerTimestamp, headerSignature} {
		fmt.Fprintf(&b, "%s: %s\r\n", strings.ToLower(name), d.header.Get(name))
	}
	for _, h := range more {
		fmt.Fprintf(&b, "%s\r\n", h)
	}
	return b.String() + "\r\n"
}

// TestRawRequests speaks to the server as no HTTP client would, and counts what
// got into the journal.
func TestRawRequests(t *testing.T) {
	const post, last = "POST " + path + " HTTP/1.1", "Connection: close"
	length := fmt.Sprintf("Content-Length: %d", len(event))
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(event), event)
	for _, c := range []struct {
		name   string
		text   func(d delivery) string
		answer string // the statuses, in order
		stored int
	}{
		{"plain", func(d delivery) string { return d.text(post, length, last) + event }, "204", 1},
		{"HTTP/1.0", func(d delivery) string { return d.text("POST "+path+" HTTP/1.0", length) + event }, "204", 1},
		{"chunked", func(d delivery) string { return d.text(post, "Transfer-Encoding: chunked", last) + chunks }, "204", 1},
		{"chunked, with a length that lies", func(d delivery) string {
			return d.text(post, "Transfer-Encoding: chunked", "Content-Length: 3", last) + chunks
		}, "204", 1},
		{"header in the trailer", func(d delivery) string {
			return d.text(post, "Transfer-Encoding: chunked", "Trailer: webhook-id", last) + strings.TrimSuffix(chunks, "\r\n") + "webhook-id: other\r\n\r\n"
		}, "204", 1},
		{"broken chunk", func(d delivery) string { return d.text(post, "Transfer-Encoding: chunked", last) + "zz\r\n" + event }, "400", 0},
		{"two encodings", func(d delivery) string { return d.text(post, "Transfer-Encoding: gzip, chunked", last) + chunks }, "501", 0},
		{"encoding twice", func(d delivery) string {
			return d.text(post, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", last) + chunks
		}, "501", 0},
		{"encoding of no kind", func(d delivery) string { return d.text(post, "Transfer-Encoding: xchunked", last) + event }, "501", 0},
		{"two lengths", func(d delivery) string { return d.text(post, length, "Content-Length: 3", last) + event }, "400", 0},
		{"length with a sign", func(d delivery) string { return d.text(post, "Content-Length: +10", last) + event }, "400", 0},
		{"length too large, nothing sent", func(d delivery) string { return d.text(post, "Content-Length: 2000000", last) }, "413", 0},
		{"length beyond numbers", func(d delivery) string { return d.text(post, "Content-Length: 99999999999999999999", last) }, "400", 0},
		{"repeated in another case", func(d delivery) string { return d.text(post, length, "WEBHOOK-ID: msg_1", last) + event }, "400", 0},
		{"repeated with another value", func(d delivery) string { return d.text(post, length, "Webhook-Timestamp: 1", last) + event }, "400", 0},
		{"space before the colon", func(d delivery) string { return d.text(post, length, "webhook-id : msg_2", last) + event }, "400", 0},
		{"NUL in a header", func(d delivery) string { return d.text(post, length, "X: a\x00b", last) + event }, "400", 0},
		{"no host", func(d delivery) string {
			return strings.Replace(d.text(post, length, last), "Host: x\r\n", "", 1) + event
		}, "400", 0},
		{"query", func(d delivery) string { return d.text("POST "+path+"?a=b HTTP/1.1", length, last) + event }, "204", 1},
		{"dots in the path", func(d delivery) string { return d.text("POST /x/.."+path+" HTTP/1.1", length, last) + event }, "404", 0},
		{"two slashes", func(d delivery) string { return d.text("POST /"+path+" HTTP/1.1", length, last) + event }, "404", 0},
		{"method in small letters", func(d delivery) string { return d.text("post "+path+" HTTP/1.1", length, last) + event }, "405", 0},
		{"method overridden", func(d delivery) string {
			return d.text("GET "+path+" HTTP/1.1", length, "X-HTTP-Method-Override: POST", last) + event
		}, "405", 0},
		{"upgrade to HTTP/2", func(d delivery) string {
			return d.text(post, length, "Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__") + event
		}, "204", 1},
		{"HTTP/2 at once", func(delivery) string { return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }, "404", 0},
		{"asks whether to go on", func(d delivery) string { return d.text(post, length, "Expect: 100-continue", last) + event }, "100 204", 1},
		{"a good one behind a forged one", func(d delivery) string {
			return d.text(post, length) + strings.Repeat("x", len(event)) + d.text(post, length, last) + event
		}, "401 204", 1},
		{"three at once, the same", func(d delivery) string {
			return d.text(post, length) + event + d.text(post, length) + event + d.text(post, length, last) + event
		}, "204 204 204", 1},
		{"a body that was declared longer than it is", func(d delivery) string {
			return d.text(post, length) + event[:10] + d.text(post, length, last) + event
		}, "401 400", 0},
		{"profiler", func(delivery) string { return "GET /debug/pprof/ HTTP/1.1\r\nHost: x\r\n" + last + "\r\n\r\n" }, "404", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEndpoint(t)
			addr, stop := served(t, ServeOptions{Handler: e.receiver})
			answer := raw(t, addr, c.text(e.signed("msg_1", event, 0)))
			var got []string
			for _, piece := range strings.Split(answer, "HTTP/1.")[1:] {
				got = append(got, piece[2:5])
			}
			if strings.Join(got, " ") != c.answer {
				t.Errorf("answered %q, want %s", answer, c.answer)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			if stored := e.stored(); len(stored) != c.stored {
				t.Errorf("stored %q, want %d", stored, c.stored)
			}
		})
	}
}

// TestServerLimits holds the limits against faults.md W16: a client that is slow
// must not hold a connection for long.
func TestServerLimits(t *testing.T) {
	s := newServer(ServeOptions{Handler: http.NotFoundHandler(), Log: newEndpoint(t).receiver.opt.Log})
	got := []time.Duration{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout}
	if want := "[5s 10s 10s 1m0s]"; fmt.Sprint(got) != want {
		t.Errorf("time-outs %v, want %s", got, want)
	}
}
