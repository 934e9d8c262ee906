package mailbox

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path"
	"strings"
	"time"

	"tallyman/internal/durable"
)

// DefaultTimeout is Options.Timeout where none is given.
const DefaultTimeout = 60 * time.Second

// DefaultAttempts is Options.Attempts where none is given.
const DefaultAttempts = 4

// Options say where the mailbox is, how to log in and how to recognise it.
// The names in brackets are those of tallyman.yaml.
type Options struct {
	// Address is host or host:port; the port is 22 if it is missing
	// (inbox.address).
	Address string
	// User is the login name (inbox.user).
	User string

	// Password, KeyFile and Agent may be combined; at least one is needed.
	// A password is also given where the server asks for it interactively.
	Password string
	// KeyFile is an SSH private key that only its owner may read. An OpenSSH
	// certificate beside it, KeyFile + "-cert.pub", is used as well.
	KeyFile string
	// KeyPassphrase opens KeyFile if that is encrypted.
	KeyPassphrase string
	// Agent asks the ssh-agent at AgentSocket for keys.
	Agent bool
	// AgentSocket is the agent's socket; empty means $SSH_AUTH_SOCK.
	AgentSocket string

	// HostKeys are SHA-256 fingerprints of the server's host keys, as
	// ssh-keygen prints them ("SHA256:…"). Any one of them will do, so that
	// a key can be changed without a gap.
	HostKeys []string
	// KnownHostsFile is a file in OpenSSH's known_hosts format; hashed names,
	// @cert-authority and @revoked are honoured. It is never written. One of
	// HostKeys and KnownHostsFile is required; with both, either may vouch
	// for a key, and @revoked forbids it all the same.
	KnownHostsFile string

	// Path is the directory with the incoming files. Relative paths begin
	// where the server puts the user.
	Path string
	// Archive and Rejected receive the files that are done with; empty means
	// "archive" and "rejected" under Path. They are made when first needed.
	Archive, Rejected string
	// Deliver receives result files; empty means that nothing is delivered.
	Deliver string

	// Mark tells the unfinished uploads of this client from those of another
	// that delivers under the same names. It stays the same from run to run,
	// so that what a broken run has left is written over; it may be empty.
	Mark string

	// Timeout bounds the connection with its login, and the time an operation
	// may go without progress; zero means DefaultTimeout.
	Timeout time.Duration
	// Settle is how long size and time of a file must stand still before it
	// is taken; zero takes files at once.
	Settle time.Duration
	// Attempts is how often something is tried over a network that fails, the
	// first time included; zero means DefaultAttempts. A refused login, a
	// wrong host key and a server that falls silent are never tried again.
	Attempts int

	// Log receives what is worth knowing; nil means nothing is logged.
	Log *slog.Logger
	// Now dates archived files whose name is taken; nil means time.Now.
	Now func() time.Time

	tune tuning
}

// tuning holds the limits that no user needs to set and that tests make small.
type tuning struct {
	backoff    time.Duration                // before the second attempt; it doubles
	keepalive  time.Duration                // at most; less if Timeout is short
	maxEntries int                          // of a directory
	maxListing int64                        // bytes received for a listing
	maxFile    int64                        // bytes of a file
	reserve    uint64                       // bytes to leave free on the local disk
	free       func(string) (uint64, error) // bytes free for us at a directory
	spool      func(io.Writer) io.Writer    // between the hash and the local file
}

// Validate tells everything that is wrong with the options, without
// connecting: what is missing or malformed, a private key that others may
// read or that cannot be opened, a known_hosts file that cannot be parsed.
func (o Options) Validate() error {
	o = o.withDefaults()
	var problems []error
	if err := checkAddress(o.Address); err != nil {
		problems = append(problems, err)
	}
	if o.User == "" {
		problems = append(problems, errors.New("no user: set inbox.user to the login name at the biller's SFTP server"))
	}
	if o.Path == "" {
		problems = append(problems, errors.New("no directory: set inbox.path to the directory with the incoming files"))
	}
	problems = append(problems, o.checkDirectories()...)
	if o.Timeout < 0 || o.Settle < 0 || o.Attempts < 0 {
		problems = append(problems, errors.New("negative duration or count: give zero for the default"))
	}
	if err := o.checkCredentials(); err != nil {
		problems = append(problems, err)
	}
	if _, err := o.trust(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (o Options) checkDirectories() []error {
	var problems []error
	for _, d := range []struct{ key, path string }{
		{"inbox.path", o.Path},
		{"inbox.archive", o.Archive},
		{"inbox.rejected", o.Rejected},
		{"inbox.deliver", o.Deliver},
	} {
		if strings.ContainsFunc(d.path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			problems = append(problems, fmt.Errorf("%s holds a control character: %q", d.key, d.path))
		}
	}
	if o.Path != "" && (o.Archive == o.Path || o.Rejected == o.Path || o.Deliver == o.Path) {
		problems = append(problems, fmt.Errorf("inbox.archive, inbox.rejected and inbox.deliver must be other directories than inbox.path (%s)", o.Path))
	}
	return problems
}

// checkAddress accepts the host:port that withDefaults made.
func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("address %q is not host:port: set inbox.address, for instance sftp.example.com:22", address)
	}
	if strings.ContainsAny(host, "/@ ") {
		return fmt.Errorf("address %q is more than host:port: leave out scheme, user and path", address)
	}
	return nil
}

// withDefaults fills in what is empty and cleans the remote paths.
func (o Options) withDefaults() Options {
	if o.Address != "" {
		o.Address = withPort(o.Address)
	}
	if o.Path != "" {
		o.Path = path.Clean(o.Path)
		if o.Archive == "" {
			o.Archive = path.Join(o.Path, "archive")
		}
		if o.Rejected == "" {
			o.Rejected = path.Join(o.Path, "rejected")
		}
	}
	for _, p := range []*string{&o.Archive, &o.Rejected, &o.Deliver} {
		if *p != "" {
			*p = path.Clean(*p)
		}
	}
	if o.Agent && o.AgentSocket == "" {
		o.AgentSocket = os.Getenv("SSH_AUTH_SOCK")
	}
	setDefault(&o.Timeout, DefaultTimeout)
	setDefault(&o.Attempts, DefaultAttempts)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.tune = o.tune.withDefaults()
	return o
}

func (t tuning) withDefaults() tuning {
	setDefault(&t.backoff, time.Second)
	setDefault(&t.keepalive, 15*time.Second)
	setDefault(&t.maxEntries, 10_000)
	setDefault(&t.maxListing, 16<<20)
	setDefault(&t.maxFile, 4<<30)
	setDefault(&t.reserve, 16<<20)
	if t.free == nil {
		t.free = durable.Free
	}
	if t.spool == nil {
		t.spool = func(w io.Writer) io.Writer { return w }
	}
	return t
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// withPort adds SSH's port to an address without one.
func withPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), "22")
}

// String tells where the mailbox is, without the secrets.
func (o Options) String() string {
	return fmt.Sprintf("mailbox %s@%s:%s", o.User, o.Address, o.Path)
}

// GoString is String, so that no verb prints the secrets.
func (o Options) GoString() string { return o.String() }

// LogValue is String, so that no log shows the secrets.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

var (
	_ fmt.Stringer   = Options{}
	_ fmt.GoStringer = Options{}
	_ slog.LogValuer = Options{}
)
