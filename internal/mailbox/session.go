package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// session is a logged-in SFTP session on a connection of its own. Two
// goroutines belong to it; close waits for both.
type session struct {
	conn   *idleConn
	client *ssh.Client
	sftp   *sftp.Client
	about  about

	dead   chan struct{} // closed once the connection is gone
	owned  sync.WaitGroup
	cutter sync.Once
}

// about is what the server said of itself, for people who look after it.
type about struct{ server, algorithms string }

// openSession connects, checks the host key, logs in and starts SFTP. It makes
// one attempt, and within Options.Timeout for each connection it needs; a
// refused login is final.
func openSession(ctx context.Context, o Options, sequential bool) (*session, error) {
	t, err := o.trust()
	if err != nil {
		return nil, err
	}
	means, err := o.credentials(ctx)
	if err != nil {
		return nil, err
	}
	defer means.close()
	var login progress
	config := clientConfig(o.User)
	config.Auth = means.methods
	config.AuthCallback = login.note
	connection, err := t.connect(ctx, o.Timeout, config)
	if err != nil {
		err = connectFailure(ctx, o.Address, err)
		return nil, login.explain(err, o, means.keys)
	}
	return startSFTP(ctx, o, connection, sequential)
}

// progress remembers how far a login came.
type progress struct {
	mu             sync.Mutex
	begun          bool
	tried, allowed []string
}

// note is the ssh.ClientAuthCallback; it is called before every method is
// tried, and leaves the choice to the library.
func (p *progress) note(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = true
	p.allowed = c.AllowedMethods
	p.tried = slices.DeleteFunc(slices.Clone(c.TriedMethods), func(m string) bool { return m == "none" })
	return nil, nil
}

// explain makes a refused login of a connection that ended once the login had
// begun; silence is no refusal.
func (p *progress) explain(err error, o Options, keys []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) && unreachable.again && p.begun {
		return &AuthError{Address: o.Address, User: o.User, Keys: keys, Tried: p.tried, Allowed: p.allowed, Err: unreachable.Err, unsaid: broke(unreachable.Err)}
	}
	return err
}

// broke reports a connection that ended without a word.
func broke(err error) bool {
	var network *net.OpError
	return errors.Is(err, io.EOF) || errors.As(err, &network)
}

// startSFTP opens the subsystem, still under the deadline of the handshake.
func startSFTP(ctx context.Context, o Options, connection *link, sequential bool) (*session, error) {
	s := &session{
		conn:   connection.conn,
		client: ssh.NewClient(connection.ssh, connection.channels, connection.requests),
		dead:   make(chan struct{}),
		about:  describe(connection.ssh),
	}
	release := closeWhenDone(ctx, s.conn)
	defer release()
	// The packet size stays at the library's 32 KiB: servers answer larger
	// reads in part, and the library takes that for the end of the file.
	client, err := sftp.NewClient(s.client, sftp.UseConcurrentReads(!sequential))
	if err != nil {
		// A server that has only refused answers still.
		_, _, lost := s.client.SendRequest(keepAliveRequest, true, nil)
		_ = s.client.Close()
		_ = s.client.Wait()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("start SFTP with %s: %w", o.Address, context.Cause(ctx))
		}
		if !time.Now().Before(connection.deadline) {
			err = errSilent
		}
		return nil, &OperationError{Op: opStart, Path: "the SFTP subsystem", Address: o.Address, Err: err, lost: lost != nil}
	}
	s.sftp = client
	if err := s.conn.arm(); err != nil {
		s.close()
		return nil, &UnreachableError{Address: o.Address, Err: err, again: true}
	}
	s.owned.Go(func() {
		defer close(s.dead)
		_ = s.client.Wait()
	})
	s.owned.Go(func() { s.keepAlive(min(o.tune.keepalive, o.Timeout/3)) })
	return s, nil
}

// keepAliveRequest is one that every server answers, if only with a refusal (OpenSSH: PROTOCOL).
const keepAliveRequest = "keepalive@openssh.com"

// keepAlive asks for a sign of life, so that an idle connection is neither
// dropped by a firewall nor believed in when it is gone: without an answer the
// read deadline of the connection ends it.
func (s *session) keepAlive(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-s.dead:
			return
		case <-ticker.C:
		}
		if _, _, err := s.client.SendRequest(keepAliveRequest, true, nil); err != nil {
			return
		}
	}
}

// alive reports whether the connection stands, as far as is known.
func (s *session) alive() bool {
	select {
	case <-s.dead:
		return false
	default:
		return true
	}
}

// cut ends the connection at once; whatever waits on it returns.
func (s *session) cut() {
	s.cutter.Do(func() { _ = s.conn.Close() })
}

// close cuts the connection and waits for everything that belongs to it. The
// connection goes first: to close the SFTP client is to wait for its reader.
func (s *session) close() {
	s.cut()
	_ = s.client.Close()
	_ = s.sftp.Close()
	s.owned.Wait()
}

func describe(connection ssh.Conn) about {
	a := about{server: printable(string(connection.ServerVersion()))}
	if meta, ok := connection.(ssh.AlgorithmsConnMetadata); ok {
		n := meta.Algorithms()
		a.algorithms = strings.Join([]string{n.KeyExchange, n.HostKey, n.Write.Cipher, n.Write.MAC}, ", ")
		a.algorithms = strings.TrimSuffix(a.algorithms, ", ") // AEAD ciphers need no MAC
	}
	return a
}
