package moment

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// HTTP/2 is spoken as soon as the server offers it, over one connection.
func TestHTTP2(t *testing.T) {
	var connections atomic.Int64
	inside, leave := make(chan int, 8), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("%s", r.Proto)
		}
		if body, err := io.ReadAll(r.Body); err != nil || (len(body) == 0) != (r.Method == http.MethodGet) {
			t.Errorf("%s with %q, %v", r.Method, body, err)
		}
		if r.Method == http.MethodPost {
			inside <- 1
			<-leave
		}
		answerCreated(w)
	}))
	server.EnableHTTP2 = true
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	c := newClient(t, server, Options{Concurrency: 8})
	for _, got := range []Answer{c.Retrieve(t.Context(), "R1"), c.Update(t.Context(), "R1", []byte(`{}`))} {
		if got.Class != OK {
			t.Fatalf("%+v", got)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := c.Create(t.Context(), "key", []byte(`{}`)); got.Class != OK {
				t.Errorf("%+v", got)
			}
		})
	}
	for range 8 {
		<-inside // all at once
	}
	close(leave)
	wg.Wait()
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// The frames of HTTP/2 that the tests need (RFC 9113 section 6).
const (
	frameHeaders   = 0x1
	frameRST       = 0x3
	frameSettings  = 0x4
	frameGoAway    = 0x7
	errorRefused   = 0x7
	settingsAck    = 0x1
	lenFrameHeader = 9
)

func frame(kind, flags byte, stream uint32, payload ...uint32) []byte {
	b := make([]byte, lenFrameHeader, lenFrameHeader+4*len(payload))
	b[2], b[3], b[4] = byte(4*len(payload)), kind, flags
	binary.BigEndian.PutUint32(b[5:], stream)
	for _, word := range payload {
		b = binary.BigEndian.AppendUint32(b, word)
	}
	return b
}

// requestFrames reads the frames of a connection and calls heard for each request that begins.
func requestFrames(c *conn, heard func(stream uint32) (goOn bool)) {
	if _, err := c.r.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
		return
	}
	_, _ = c.Write(frame(frameSettings, 0, 0))
	for {
		var header [lenFrameHeader]byte
		if _, err := io.ReadFull(c.r, header[:]); err != nil {
			return
		}
		size := int(header[0])<<16 | int(header[1])<<8 | int(header[2])
		if _, err := c.r.Discard(size); err != nil {
			return
		}
		switch {
		case header[3] == frameSettings && header[4]&settingsAck == 0:
			_, _ = c.Write(frame(frameSettings, settingsAck, 0))
		case header[3] == frameHeaders:
			if !heard(binary.BigEndian.Uint32(header[5:])) {
				return
			}
		}
	}
}

// A server that goes away, refuses a stream or dies while a request is with it: the client does not send it again by
// itself, although net/http would for a request that it can repeat.
func TestHTTP2NothingIsSentTwice(t *testing.T) {
	deaths := map[string]func(c *conn, stream uint32) (goOn bool){
		// The wait for the end of the connection lets the client do what it will.
		"GOAWAY, not done":  func(c *conn, _ uint32) bool { _, _ = c.Write(frame(frameGoAway, 0, 0, 0, 0)); return true },
		"GOAWAY, done":      func(c *conn, s uint32) bool { _, _ = c.Write(frame(frameGoAway, 0, 0, s, 0)); return false },
		"GOAWAY and closed": func(c *conn, _ uint32) bool { _, _ = c.Write(frame(frameGoAway, 0, 0, 0, 0)); return false },
		"REFUSED_STREAM":    func(c *conn, s uint32) bool { _, _ = c.Write(frame(frameRST, 0, s, errorRefused)); return true },
		"closed":            func(*conn, uint32) bool { return false },
	}
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	defer certified.Close()
	for how, die := range deaths {
		t.Run(how, func(t *testing.T) {
			var heard atomic.Int64
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}})
			if err != nil {
				t.Fatal(err)
			}
			serveOn(t, l, func(c *conn) {
				requestFrames(c, func(stream uint32) bool {
					heard.Add(1)
					return die(c, stream)
				})
			})
			o := Options{BaseURL: "https://" + l.Addr().String(), Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: 5 * time.Second, GiveUpAfter: time.Hour}
			transport := newTransport(o)
			transport.TLSClientConfig.RootCAs = certified.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			o.Transport = transport
			c := New(o)
			defer c.Close()
			for i := range 3 {
				for _, got := range []Answer{
					c.Create(t.Context(), "key", []byte(`{}`)), c.Retrieve(t.Context(), "R1"), c.Update(t.Context(), "R1", []byte(`{}`)),
				} {
					if got.Class != Silence && got.Class != NotSent {
						t.Errorf("round %d: %+v", i, got)
					}
				}
			}
			if got := c.Stats().Requests; heard.Load() != got || got != 9 {
				t.Errorf("the server heard %d requests, counted were %d", heard.Load(), got)
			}
		})
	}
}
