package moment

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// conn is a connection that a test serves by hand.
type conn struct {
	net.Conn
	r *bufio.Reader
}

// request reads one request with its body, or returns false at the end of the connection.
func (c *conn) request() (*http.Request, bool) {
	req, err := http.ReadRequest(c.r)
	if err != nil {
		return nil, false
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil, false
	}
	return req, true
}

func (c *conn) say(text string) { _, _ = io.WriteString(c, text) }

// reset closes the connection so that the other side is told that it broke.
func (c *conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// listener is a server below HTTP.
type listener struct {
	url string
}

// listen serves each connection by a function, until the test ends.
func listen(t *testing.T, serve func(*conn)) *listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, serve)
	return &listener{url: "http://" + l.Addr().String()}
}

func serveOn(t *testing.T, l net.Listener, serve func(*conn)) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				serve(&conn{Conn: c, r: bufio.NewReader(c)})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
}
