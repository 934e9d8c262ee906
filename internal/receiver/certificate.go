package receiver

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Certificate is a TLS certificate in two PEM files, which whoever renews it
// replaces while the receiver runs. It looks at the files at every handshake
// and reads them again when they are others; as long as the new ones do not fit
// together, the last good pair stays in use.
type Certificate struct {
	certFile, keyFile string
	trouble           *complaints

	mu   sync.Mutex
	pair *tls.Certificate
	seen [2]os.FileInfo // of the files that pair was read from
}

// LoadCertificate reads a chain and its key. An error says which file cannot be
// used. Later ones go to log, now and then.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, trouble: &complaints{log: log, now: time.Now}}
	seen, err := c.look()
	if err != nil {
		return nil, err
	}
	return c, c.read(seen)
}

// get returns the pair for one handshake.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen, err := c.look()
	if err == nil && !(sameFile(seen[0], c.seen[0]) && sameFile(seen[1], c.seen[1])) {
		err = c.read(seen)
	}
	if err != nil {
		c.trouble.note("the TLS certificate could not be read again, the last one stays in use", "error", err)
	}
	return c.pair, nil
}

// look is taken before the files are read: what changes meanwhile is seen next
// time.
func (c *Certificate) look() (seen [2]os.FileInfo, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if seen[i], err = os.Stat(name); err != nil {
			return seen, fmt.Errorf("read TLS certificate: %w", err)
		}
	}
	return seen, nil
}

func (c *Certificate) read(seen [2]os.FileInfo) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("read TLS certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.pair, c.seen = &pair, seen
	return nil
}

func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
