package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Mode is one of Moment's two worlds. The bearer key alone selects it, and each
// has books of its own: the same reference may stand in both.
type Mode string

// The modes. Test is the one that the written configuration uses.
const (
	Test Mode = "test"
	Live Mode = "live"
)

// Options configure a sandbox. Only Dir is required; the zero value of every
// other field is a usable choice.
type Options struct {
	// Dir holds everything the sandbox keeps; it is made if missing (0700). One
	// sandbox at a time may use it.
	Dir string
	// APIListen and SFTPListen are loopback addresses, host:port. Empty means a
	// free port on 127.0.0.1.
	APIListen, SFTPListen string
	// Logger gets starts, stops and faults of the sandbox itself; nil discards
	// them. Requests are logged only with LogRequests, because it costs speed.
	Logger      *slog.Logger
	LogRequests bool
	// Now is the clock of every date the sandbox uses: the age of idempotency
	// keys, the rate limit, event times and webhook timestamps. Nil is time.Now.
	Now func() time.Time
	// Seed makes fault draws and the choice of customers without payment rules
	// repeatable.
	Seed uint64

	// TestKey and LiveKey are the accepted secret keys. Empty means those kept in
	// Dir, made at the first start.
	TestKey, LiveKey string
	// InvalidKeyStatus answers a key that never existed: 401 (the default) or 400,
	// since Moment's pages allow both readings.
	InvalidKeyStatus int
	// UniqueOff lets one external reference be created again and again, so that a
	// client's own protection against duplicates can be seen to work or fail.
	UniqueOff bool
	// WithoutRules is the share of new customers, 0 to 1, whose answers carry no
	// payment_rules: they cannot be paid.
	WithoutRules float64
	// LowerBalance makes a payment lower the customer's balance. Moment does not
	// say whether it does, so by default it does not.
	LowerBalance bool
	// StaleReads and StaleFor make a new customer invisible to GET for so many
	// reads, or for so long.
	StaleReads int
	StaleFor   time.Duration

	// Rate is the limit in requests a second for all callers together; 0 is none.
	// It is a token bucket of Burst (0 means Rate) tokens, or with FixedWindow a
	// count that starts anew with each second.
	Rate, Burst int
	FixedWindow bool
	// NoRetryAfter leaves Retry-After out of 429 answers.
	NoRetryAfter bool
	// StoreTooMany stores a 429 under the request's idempotency key, to be
	// replayed for 24 h like any other failure.
	StoreTooMany bool
	// Faults and FaultFunc are what goes wrong from the start.
	Faults    Faults
	FaultFunc FaultFunc
	// ForgetRequests keeps the counts but not the list of requests, for long runs.
	ForgetRequests bool

	// WebhookURL receives the events. Empty means the receiver of the written
	// configuration, at ReceiverListen.
	WebhookURL string
	// ReceiverListen is where the written configuration puts the receiver. Empty
	// means 127.0.0.1:8480.
	ReceiverListen string
	// WebhookSecret signs the events: whsec_ and base64 of 24 to 64 bytes. Empty
	// means the one kept in Dir.
	WebhookSecret string
	// Retries are the pauses before each further attempt to deliver an event. Nil
	// means seven attempts in about 14 s; empty but not nil means one attempt.
	Retries []time.Duration

	// SFTPUser and SFTPPassword log in beside the client key. Empty means
	// "sandbox" and a password kept in Dir.
	SFTPUser, SFTPPassword string
	// SFTPFaults is what goes wrong in file transfers from the start.
	SFTPFaults SFTPFaults
}

const (
	anyPort         = "127.0.0.1:0"
	defaultReceiver = "127.0.0.1:8480"
	receiverPath    = "/webhooks/moment"
	defaultUser     = "sandbox"
)

// withDefaults returns o with empty fields filled. Secrets are filled later,
// from the directory.
func (o Options) withDefaults() Options {
	o.APIListen = orElse(o.APIListen, anyPort)
	o.SFTPListen = orElse(o.SFTPListen, anyPort)
	o.SFTPUser = orElse(o.SFTPUser, defaultUser)
	o.ReceiverListen = orElse(o.ReceiverListen, defaultReceiver)
	o.WebhookURL = orElse(o.WebhookURL, "http://"+o.ReceiverListen+receiverPath)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.InvalidKeyStatus == 0 {
		o.InvalidKeyStatus = http.StatusUnauthorized
	}
	if o.Burst == 0 {
		o.Burst = o.Rate
	}
	if o.Retries == nil {
		o.Retries = []time.Duration{
			200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 5 * time.Second,
		}
	}
	return o
}

// check returns every problem of o together.
func (o Options) check() error {
	var errs []error
	if o.Dir == "" {
		errs = append(errs, errors.New("sandbox needs a directory: set Dir"))
	}
	errs = append(errs, loopback("API", o.APIListen), loopback("SFTP", o.SFTPListen), checkWebhookURL(o.WebhookURL), o.Faults.Check())
	if o.InvalidKeyStatus != http.StatusUnauthorized && o.InvalidKeyStatus != http.StatusBadRequest {
		errs = append(errs, fmt.Errorf("status for an invalid key is %d: use 400 or 401", o.InvalidKeyStatus))
	}
	if o.Rate < 0 || o.Burst < 0 {
		errs = append(errs, fmt.Errorf("rate %d and burst %d must not be negative: use 0 for no limit", o.Rate, o.Burst))
	}
	if o.WithoutRules < 0 || o.WithoutRules > 1 {
		errs = append(errs, fmt.Errorf("share of customers without payment rules is %v: use 0 to 1", o.WithoutRules))
	}
	return errors.Join(errs...)
}

// loopback refuses addresses that other machines could reach: the sandbox has no
// protection worth the name.
func loopback(what, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s address %q: %w; write host:port, as in 127.0.0.1:8600", what, address, err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("%s address %q is not on this machine: the sandbox listens on loopback only, as in 127.0.0.1:8600", what, address)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func checkWebhookURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("webhook URL %q is no http or https address: write it in full, as in http://%s%s", raw, defaultReceiver, receiverPath)
	}
	return nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
