package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"tallyman/internal/journal"
)

const (
	// HealthPath answers 200 while events are taken and 503 while they are not,
	// and says nothing else.
	HealthPath = "/healthz"

	// DefaultWindow is how far the timestamp of a delivery may be off, either way.
	DefaultWindow = 3 * time.Minute

	// retryAfter is what a sender is told while the journal cannot be written, in
	// seconds.
	retryAfter = "30"
)

// Journal is where verified deliveries go.
type Journal interface {
	// Append returns once the delivery is synced, or known and synced before.
	Append(context.Context, journal.Delivery) (journal.Result, error)
	// Health returns nil while deliveries are taken.
	Health() error
	// Stats says how far the journal is.
	Stats() journal.Stats
}

var _ Journal = (*journal.Writer)(nil)

// Options of a Receiver. Journal, Secrets and Path are required.
type Options struct {
	Journal Journal
	Secrets journal.Secrets      // all are accepted
	Ends    map[string]time.Time // from when on a secret is not, by its ID; others are for ever
	Path    string               // of the endpoint, such as /webhooks/moment; matched exactly
	Window  time.Duration        // either way; 0: 3 minutes
	Now     func() time.Time     // the clock that the window is held against; nil: time.Now
	Log     *slog.Logger         // nil: nothing is logged

	// AddressLimit is how many refused requests a second one address other than
	// loopback may send before it is answered 429 unread; below 1: any number.
	AddressLimit int
}

// Receiver answers the deliveries of one endpoint. It is an http.Handler.
type Receiver struct {
	opt       Options
	addresses *addresses
	counts    counts
	refused   *complaints
	trouble   *complaints
}

var _ http.Handler = (*Receiver)(nil)

// New returns a receiver. It refuses to be one without a secret, because an
// endpoint that verifies nothing must not look as if it did.
func New(opt Options) (*Receiver, error) {
	switch {
	case opt.Journal == nil:
		return nil, errors.New("receiver: no journal")
	case len(opt.Secrets) == 0:
		return nil, errors.New("receiver: no webhook secret: set receiver.secrets or receiver.secret_files")
	case !strings.HasPrefix(opt.Path, "/"), opt.Path == HealthPath:
		return nil, fmt.Errorf("receiver: path %q: it must begin with / and must not be %s", opt.Path, HealthPath)
	case opt.Window < 0, opt.Window > 0 && opt.Window < time.Second:
		return nil, fmt.Errorf("receiver: window %s: it must be a second or more", opt.Window)
	}
	for _, s := range opt.Secrets {
		if s.ID() == "" {
			return nil, errors.New("receiver: an empty webhook secret")
		}
	}
	if opt.Window == 0 {
		opt.Window = DefaultWindow
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Receiver{
		opt: opt, addresses: newAddresses(opt.AddressLimit, opt.Now),
		refused: &complaints{log: opt.Log, now: opt.Now}, trouble: &complaints{log: opt.Log, now: opt.Now},
	}, nil
}

// ServeHTTP answers one request, in the order of design.md section 7: method
// and path, the limit of the address, size, headers, window, HMAC, duplicate, append, sync, 204.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case rc.opt.Path:
		rc.deliver(w, r)
	case HealthPath:
		rc.health(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (rc *Receiver) deliver(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "deliveries come by POST", http.StatusMethodNotAllowed)
		return
	}
	if !rc.addresses.charge(r.RemoteAddr) {
		w.Header().Set("Retry-After", "1")
		rc.refuse(w, r, errTooMany)
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		rc.refuse(w, r, err)
		return
	}
	h, err := readHeaders(r.Header)
	if err != nil {
		rc.refuse(w, r, err)
		return
	}
	if err := rc.inWindow(h.timestamp); err != nil {
		rc.refuse(w, r, err)
		return
	}
	key, ok := rc.opt.Secrets.Verify(h.id, h.timestampText, h.signature, body)
	if !ok {
		rc.refuse(w, r, errForged)
		return
	}
	if ends, ok := rc.opt.Ends[key]; ok && !rc.opt.Now().Before(ends) {
		rc.refuse(w, r, errRetired)
		return
	}
	rc.addresses.giveBack(r.RemoteAddr)
	rc.keep(w, r, journal.Delivery{WebhookID: h.id, Timestamp: h.timestamp, Signature: h.signature, Key: key, Body: body})
}

// keep hands a verified delivery to the journal and answers it.
func (rc *Receiver) keep(w http.ResponseWriter, r *http.Request, d journal.Delivery) {
	result, err := rc.opt.Journal.Append(r.Context(), d)
	switch {
	case errors.Is(err, context.Canceled): // the sender has gone, and comes again
		rc.counts.unavailable.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	case err != nil:
		rc.counts.unavailable.Add(1)
		rc.trouble.note("event not journalled", "error", err)
		w.Header().Set("Retry-After", retryAfter)
		http.Error(w, "not stored, send it again", http.StatusServiceUnavailable)
	case result.Duplicate:
		rc.counts.duplicates.Add(1)
		w.WriteHeader(http.StatusNoContent)
	default:
		rc.counts.stored.Add(1)
		w.WriteHeader(http.StatusNoContent)
	}
}

// readBody reads at most journal.MaxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > journal.MaxBody {
		return nil, errTooLarge
	}
	// A sender that declares much and sends little shall not take memory for it.
	body := make([]byte, 0, max(512, min(r.ContentLength+1, 64<<10)))
	from := http.MaxBytesReader(w, r.Body, journal.MaxBody)
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		var tooLarge *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case errors.As(err, &tooLarge):
			return nil, errTooLarge
		case err != nil:
			return nil, errIncomplete
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}

// inWindow checks the timestamp against the clock, both in whole seconds, as
// the sender counts. Exactly the window passes.
func (rc *Receiver) inWindow(timestamp int64) error {
	window := int64(rc.opt.Window / time.Second)
	switch off := rc.opt.Now().Unix() - timestamp; {
	case off > window:
		return errTooOld
	case off < -window:
		return errTooNew
	}
	return nil
}

func (rc *Receiver) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "ask by GET", http.StatusMethodNotAllowed)
		return
	}
	if rc.opt.Journal.Health() != nil {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "up\n")
}
