package sandbox

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// defaultDrip is how long a slow answer takes unless told otherwise.
const defaultDrip = 2 * time.Second

// garble is what a proxy might put in place of a body.
const garble = "<html><body>Bad gateway</body></html>"

// serverError is the answer of an API that failed, or of a gateway that could
// not reach it and does not speak problem+json.
func (c *call) serverError() answer {
	status := c.fault.Status
	if c.fault.Unstored {
		if status == 0 {
			status = http.StatusBadGateway
		}
		return answer{status: status, contentType: typeHTML, body: []byte(garble)}
	}
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return newProblem(status, problemInternal, c.instance, "something went wrong on our side")
}

// delay lets the fault's delay pass.
func (a *api) delay(c *call) {
	if c.fault.Delay > 0 {
		a.pause(c, c.fault.Delay)
	}
}

// pause waits for d, or until caller or sandbox have gone.
func (a *api) pause(c *call, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
	case <-a.stopping:
	}
}

// send lets the caller hear as much of the answer as the fault allows.
func (a *api) send(w http.ResponseWriter, c *call, said answer) {
	if c.fault.Kind == DropBefore || c.fault.Kind == DropAfter {
		a.drop(w, c.fault.Kind)
		return
	}
	body := said.body
	h := w.Header()
	h.Set("Content-Type", said.contentType)
	if c.fault.Kind == Garbled {
		body = []byte(garble)
		h.Set("Content-Type", typeHTML)
	}
	if said.replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	if said.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(said.retryAfter))
	}
	if said.allow != "" {
		h.Set("Allow", said.allow)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(said.status)
	if c.fault.Kind == Slow {
		a.drip(w, c, body)
		return
	}
	// A caller that has gone is no concern of the API.
	_, _ = w.Write(body)
}

// drop closes the connection: with an orderly end before the work, with a reset
// after it, so that clients meet both.
func (a *api) drop(w http.ResponseWriter, kind FaultKind) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		a.opt.Logger.Error("connection could not be dropped", "error", err)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && kind == DropAfter {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// drip sends the body in about twenty pieces.
func (a *api) drip(w http.ResponseWriter, c *call, body []byte) {
	span := c.fault.Drip
	if span == 0 {
		span = defaultDrip
	}
	const pieces = 20
	size := len(body)/pieces + 1
	out := http.NewResponseController(w)
	for len(body) > 0 {
		if out.Flush() != nil {
			return
		}
		a.pause(c, span/pieces)
		n := min(size, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		body = body[n:]
	}
}
