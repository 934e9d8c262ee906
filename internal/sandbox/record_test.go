package sandbox

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRequestLog(t *testing.T) {
	ticks := newClock()
	s := start(t, Options{Now: ticks.Now})
	c := as(t, s)
	c.createWith("k1", full)
	ticks.Advance(time.Second)
	c.createWith("k1", full)
	c.patch("ACC-1", `{}`)
	c.get("ACC-1")
	c.key = ""
	c.get("ACC-1")
	c.send("GET", "/elsewhere", "")

	begin := newClock().Now()
	later := begin.Add(time.Second)
	none := sha256.Sum256(nil)
	want := []Request{
		{Arrived: begin, Mode: Test, Method: "POST", Path: "/billing/customers", Key: "k1", BodyHash: sha256.Sum256([]byte(full)), Status: 201},
		{Arrived: later, Mode: Test, Method: "POST", Path: "/billing/customers", Key: "k1", BodyHash: sha256.Sum256([]byte(full)), Status: 201, Replayed: true},
		{Arrived: later, Mode: Test, Method: "PATCH", Path: "/billing/customers/ACC-1", BodyHash: sha256.Sum256([]byte(`{}`)), Status: 200},
		{Arrived: later, Mode: Test, Method: "GET", Path: "/billing/customers/ACC-1", BodyHash: none, Status: 200},
		{Arrived: later, Method: "GET", Path: "/billing/customers/ACC-1", BodyHash: none, Status: 401},
		{Arrived: later, Method: "GET", Path: "/elsewhere", BodyHash: none, Status: 401},
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:3], s.Writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	tally := Tally{Creates: 2, Patches: 1, Gets: 1, Others: 2, Replays: 1, ByStatus: map[int]int{201: 2, 200: 2, 401: 2}}
	if diff := cmp.Diff(tally, s.Tally()); diff != "" {
		t.Errorf("tally (-want +got):\n%s", diff)
	}
}

func TestForgetRequests(t *testing.T) {
	s := start(t, Options{ForgetRequests: true})
	c := as(t, s)
	c.want(c.create(full), 201)
	if len(s.Requests()) != 0 || s.Tally().Creates != 1 {
		t.Errorf("%v %+v", s.Requests(), s.Tally())
	}
}

// Many callers at once, each reference wanted by several: exactly one gets it.
func TestConcurrentCreates(t *testing.T) {
	s := start(t, Options{})
	c := as(t, s)
	const references, rivals = 40, 4
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for i := range references * rivals {
		wg.Go(func() {
			h := c.create(fmt.Sprintf(`{"external_reference":"r%d"}`, i%references))
			mu.Lock()
			defer mu.Unlock()
			got[h.status]++
		})
	}
	wg.Wait()
	if got[http.StatusCreated] != references || got[http.StatusConflict] != references*(rivals-1) || len(s.Customers(Test)) != references {
		t.Errorf("answers %v, %d customers", got, len(s.Customers(Test)))
	}
}

func BenchmarkCreate(b *testing.B) {
	s := start(b, Options{ForgetRequests: true})
	c := as(b, s)
	c.client.Transport = &http.Transport{MaxIdleConnsPerHost: 16}
	defer c.client.CloseIdleConnections()
	b.ReportAllocs()
	b.SetParallelism(8)
	var mu sync.Mutex
	i := 0
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			i++
			n := i
			mu.Unlock()
			body := fmt.Sprintf(`{"external_reference":"ACC-%d","name":"Nomsa Dlamini","currency":"ZAR","balance":15000}`, n)
			if h := c.createWith(fmt.Sprintf("k-%d", n), body); h.status != 201 {
				b.Errorf("got %d %v", h.status, h.err)
			}
		}
	})
}
