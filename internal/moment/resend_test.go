package moment

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

const createdResponse = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"id\":\"bcus_1\"}"

// net/http sends some requests a second time when a connection that was used before dies: those with an Idempotency-Key,
// and those without a body. What a server hears must be what was asked for and counted, no more.
func TestNothingIsSentTwice(t *testing.T) {
	sends := map[string]func(context.Context, *Client) Answer{
		"POST":  func(ctx context.Context, c *Client) Answer { return c.Create(ctx, "key", []byte(`{"name":"x"}`)) },
		"PATCH": func(ctx context.Context, c *Client) Answer { return c.Update(ctx, "R1", []byte(`{"name":"x"}`)) },
		"GET":   func(ctx context.Context, c *Client) Answer { return c.Retrieve(ctx, "R1") },
	}
	// How a server ends a connection on which it has answered before. Each counts what it hears.
	deaths := map[string]func(c *conn, heard *atomic.Int64){
		"before it reads": func(c *conn, heard *atomic.Int64) {
			if _, err := c.r.Peek(1); err == nil {
				heard.Add(1)
			}
		},
		"before it reads, reset": func(c *conn, heard *atomic.Int64) {
			if _, err := c.r.Peek(1); err == nil {
				heard.Add(1)
			}
			c.reset()
		},
		"after it has read": func(c *conn, heard *atomic.Int64) {
			if _, ok := c.request(); ok {
				heard.Add(1)
			}
		},
		"after it has read, reset": func(c *conn, heard *atomic.Int64) {
			if _, ok := c.request(); ok {
				heard.Add(1)
			}
			c.reset()
		},
		"within the status line": func(c *conn, heard *atomic.Int64) {
			if _, ok := c.request(); ok {
				heard.Add(1)
				c.say("HTTP/1.1 20")
			}
		},
		"within the headers": func(c *conn, heard *atomic.Int64) {
			if _, ok := c.request(); ok {
				heard.Add(1)
				c.say("HTTP/1.1 201 Created\r\nContent-Le")
			}
		},
		"within the body": func(c *conn, heard *atomic.Int64) {
			if _, ok := c.request(); ok {
				heard.Add(1)
				c.say(createdResponse[:len(createdResponse)-4])
			}
		},
	}
	for method, send := range sends {
		for how, die := range deaths {
			t.Run(method+" "+how, func(t *testing.T) {
				t.Parallel()
				var heard atomic.Int64
				server := listen(t, func(c *conn) {
					if _, ok := c.request(); !ok {
						return
					}
					heard.Add(1)
					c.say(createdResponse)
					die(c, &heard)
				})
				c := New(Options{BaseURL: server.url, Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: 5 * time.Second, GiveUpAfter: time.Hour})
				defer c.Close()
				var classes []Class
				for range 10 {
					classes = append(classes, send(t.Context(), c).Class)
				}
				// One connection serves an answer and a death, in turn. On a busy machine net/http may give one up in between.
				died := 0
				for i, class := range classes {
					if class == Silence {
						died++
					}
					if again := i > 0 && classes[i-1] == Silence; class != OK && (class != Silence || i == 0 || again) {
						t.Fatalf("%v", classes)
					}
				}
				if died == 0 {
					t.Errorf("nothing died: %v", classes)
				}
				if got := c.Stats().Requests; got != 10 || heard.Load() != got {
					t.Errorf("the server heard %d requests, counted were %d", heard.Load(), got)
				}
			})
		}
	}
}

// A server that closes idle connections whenever it likes: what did not get through is told as such, and no request is
// heard that was not counted.
func TestIdleConnectionsClosed(t *testing.T) {
	var heard atomic.Int64
	server := listen(t, func(c *conn) {
		if _, ok := c.request(); ok {
			heard.Add(1)
			c.say(createdResponse)
		}
	})
	c := New(Options{BaseURL: server.url, Key: testKey, Rate: 1e6, Concurrency: 1, Timeout: 5 * time.Second, GiveUpAfter: time.Hour})
	defer c.Close()
	told := map[Class]int64{}
	for i := range 200 {
		told[c.Create(t.Context(), fmt.Sprint("key-", i), []byte(`{}`)).Class]++
	}
	if told[OK] != heard.Load() || told[OK]+told[Silence]+told[NotSent] != 200 || c.Stats().Requests != 200 {
		t.Errorf("%v with %d heard, %+v", told, heard.Load(), c.Stats())
	}
}
