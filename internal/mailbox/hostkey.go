package mailbox

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// HostKey is a key that a server showed. To show a key is no proof of
// anything: it must be compared with what the biller says by another way.
type HostKey struct {
	// Type is the SSH name of its kind, such as "ssh-ed25519".
	Type string
	// Fingerprint is its SHA-256 fingerprint, for inbox.host_keys.
	Fingerprint string
	// Line is its line for a known_hosts file.
	Line string
}

func fingerprints(keys []HostKey) string {
	if len(keys) == 0 {
		return "no key"
	}
	var b strings.Builder
	for i, k := range keys {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(k.Type + " " + k.Fingerprint)
	}
	return b.String()
}

// errHostKey ends a handshake whose host key nobody vouched for; what is told
// to the user is made from what trust remembers.
var errHostKey = errors.New("host key refused")

// trust decides whether a server is the one it should be, for one attempt to
// connect, and remembers what was offered.
type trust struct {
	address string
	pins    []string
	file    string
	db      *knownhosts.HostKeyDB // nil without a known_hosts file

	mu      sync.Mutex
	offered []HostKey
	last    string // algorithm family of the key refused last
	revoked *RevokedHostKeyError
	detail  string
}

// trust reads the pins and known_hosts; either must be given.
func (o Options) trust() (*trust, error) {
	t := &trust{address: o.Address, pins: o.HostKeys, file: o.KnownHostsFile}
	if len(t.pins) == 0 && t.file == "" {
		return nil, errors.New("no host key is pinned: set inbox.host_keys to the fingerprint that the biller gives you, or inbox.known_hosts_file")
	}
	var problems []error
	for _, pin := range t.pins {
		if !isFingerprint(pin) {
			problems = append(problems, fmt.Errorf("inbox.host_keys: %q is no SHA-256 fingerprint: it must look like SHA256:… as ssh-keygen -l prints it", pin))
		}
	}
	if t.file != "" {
		db, err := knownhosts.NewDB(t.file)
		if err != nil {
			problems = append(problems, fmt.Errorf("inbox.known_hosts_file: %w: correct or remove the line", err))
		}
		t.db = db
	}
	return t, errors.Join(problems...)
}

func isFingerprint(text string) bool {
	encoded, found := strings.CutPrefix(text, "SHA256:")
	sum, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	return found && err == nil && len(sum) == 32
}

// check is the ssh.HostKeyCallback.
func (t *trust) check(host string, remote net.Addr, key ssh.PublicKey) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	plain := key
	certificate, certified := key.(*ssh.Certificate)
	if certified {
		plain = certificate.Key
	}
	shown := HostKey{
		Type:        plain.Type(),
		Fingerprint: ssh.FingerprintSHA256(plain),
		Line:        knownhosts.Line([]string{host}, plain),
	}
	if t.db != nil {
		err := t.db.HostKeyCallback()(host, remote, key)
		var revoked *xknownhosts.RevokedError
		if errors.As(err, &revoked) {
			t.revoked = &RevokedHostKeyError{Address: t.address, Offered: shown, Where: fmt.Sprintf("%s:%d", revoked.Revoked.Filename, revoked.Revoked.Line)}
			return errHostKey
		}
		if err == nil {
			return nil
		}
		if certified {
			t.detail = "its certificate is not accepted: " + err.Error()
		}
	}
	if slices.Contains(t.pins, shown.Fingerprint) {
		return nil
	}
	if !slices.Contains(t.offered, shown) {
		t.offered = append(t.offered, shown)
	}
	t.last = family(key.Type())
	return errHostKey
}

// known returns what known_hosts has for this host.
func (t *trust) known() []knownhosts.PublicKey {
	if t.db == nil {
		return nil
	}
	return t.db.HostKeys(t.address)
}

// algorithms returns the host key algorithms to ask for. With known_hosts they
// are those of the host's own lines, lest the server prove another of its keys
// (golang/go#29286); from a fingerprint no type can be told, so all are asked
// for, and connect goes through them.
func (t *trust) algorithms() []string {
	supported := ssh.SupportedAlgorithms().HostKeys
	var wanted []string
	if t.db != nil {
		for _, algorithm := range t.db.HostKeyAlgorithms(t.address) {
			if slices.Contains(supported, algorithm) {
				wanted = append(wanted, algorithm)
			}
		}
	}
	if len(t.pins) == 0 && len(wanted) > 0 {
		return wanted
	}
	return append(wanted, t.others(wanted)...)
}

// others returns the supported algorithms of plain keys, less those given.
func (t *trust) others(than []string) []string {
	var rest []string
	for _, algorithm := range ssh.SupportedAlgorithms().HostKeys {
		if !isCertificate(algorithm) && !slices.Contains(than, algorithm) {
			rest = append(rest, algorithm)
		}
	}
	return rest
}

// verdict returns the family of the key refused last, if any was, and whether
// no other key can change the matter.
func (t *trust) verdict() (last string, final bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last, t.revoked != nil
}

// refusal is the error for the user, once all keys were refused.
func (t *trust) refusal() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.known()
	switch {
	case t.revoked != nil:
		return t.revoked
	case len(t.pins) == 0 && len(known) == 0:
		return &UnknownHostKeyError{Address: t.address, Offered: t.offered, File: t.file}
	}
	pinned := slices.Clone(t.pins)
	for _, key := range known {
		what := key.Type()
		if key.Cert {
			what = "a certificate of " + what
		}
		pinned = append(pinned, fmt.Sprintf("%s %s (%s)", what, ssh.FingerprintSHA256(key), t.file))
	}
	return &ChangedHostKeyError{Address: t.address, Offered: t.offered, Pinned: pinned, Detail: t.detail}
}

// family maps the algorithms that one key can sign with, and its type, to one
// name.
func family(algorithm string) string {
	switch algorithm {
	case ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512:
		return ssh.KeyAlgoRSA
	case ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSASHA512v01:
		return ssh.CertAlgoRSAv01
	}
	return algorithm
}

func isCertificate(algorithm string) bool { return strings.Contains(algorithm, "-cert-v") }
