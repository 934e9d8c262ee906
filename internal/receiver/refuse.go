package receiver

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Why a request is refused. Nobody who cannot sign is told whether it was the
// window or the signature.
var (
	errTooMany    = &refusal{http.StatusTooManyRequests, "too many refused requests from this address", "too many refused requests from one address"}
	errTooLarge   = &refusal{http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB", "body too large"}
	errIncomplete = &refusal{http.StatusBadRequest, "the body is incomplete", "body incomplete"}
	errTooOld     = &refusal{http.StatusUnauthorized, notAuthentic, "timestamp before the window"}
	errTooNew     = &refusal{http.StatusUnauthorized, notAuthentic, "timestamp after the window: check the clock of this machine"}
	errForged     = &refusal{http.StatusUnauthorized, notAuthentic, "no signature matches"}
	errRetired    = &refusal{http.StatusUnauthorized, notAuthentic, "signed with a secret that is retired (receiver.retired): let Moment sign with the new one"}
)

const notAuthentic = "signature or timestamp not accepted"

// refusal is a request that is answered with 4xx.
type refusal struct {
	status int
	public string // for the sender
	reason string // for the log
}

func (e *refusal) Error() string { return e.reason }

func malformed(text string) *refusal {
	return &refusal{http.StatusBadRequest, text, text}
}

// refuse answers with 4xx, counts, and leaves a line in the log without
// anything of the delivery in it.
func (rc *Receiver) refuse(w http.ResponseWriter, r *http.Request, err error) {
	why := errIncomplete
	errors.As(err, &why)
	rc.counts.refused(why)
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	rc.refused.note("delivery refused", "status", why.status, "reason", why.reason, "remote", from)
	http.Error(w, why.public, why.status)
}

// complaintsEvery is how often the log may hold a line of a refused request.
const complaintsEvery = 10 * time.Second

// complaints writes to the log now and then, whatever comes in.
type complaints struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	last   time.Time
	silent int64
}

func (c *complaints) note(text string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if since := now.Sub(c.last); since >= 0 && since < complaintsEvery {
		c.silent++
		return
	}
	c.log.Warn(text, append(args, "not_logged_before", c.silent)...)
	c.last, c.silent = now, 0
}
