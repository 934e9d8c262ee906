package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// link is an SSH connection that stands, with a login or without.
type link struct {
	conn     *idleConn
	ssh      ssh.Conn
	channels <-chan ssh.NewChannel
	requests <-chan *ssh.Request
	deadline time.Time // of the connection, until somebody sets another
}

// handshake connects and logs in, within timeout altogether. It returns the
// library's own errors. The connection keeps its deadline; whoever takes over
// must set another.
func handshake(ctx context.Context, address string, timeout time.Duration, config *ssh.ClientConfig) (*link, error) {
	deadline := time.Now().Add(timeout)
	dialer := net.Dialer{Deadline: deadline}
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	conn := &idleConn{Conn: raw, idle: timeout}
	if err := raw.SetDeadline(deadline); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("deadline for %s: %w", address, err)
	}
	release := closeWhenDone(ctx, raw)
	defer release()
	connection, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return &link{conn: conn, ssh: connection, channels: channels, requests: requests, deadline: deadline}, nil
}

// closeWhenDone closes conn if ctx ends before release is called.
func closeWhenDone(ctx context.Context, conn net.Conn) (release func()) {
	released, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case <-ctx.Done():
			_ = conn.Close()
		case <-released:
		}
	}()
	return func() {
		close(released)
		<-gone
	}
}

// connect makes handshakes until the server has proved a key that t accepts,
// or has no further kind of key to show: that its favourite key is not the
// pinned one is no attack if another of its keys is.
func (t *trust) connect(ctx context.Context, timeout time.Duration, config *ssh.ClientConfig) (*link, error) {
	algorithms := t.algorithms()
	all := len(t.pins) > 0 || len(t.known()) == 0
	for {
		attempt := *config
		attempt.HostKeyCallback = t.check
		attempt.HostKeyAlgorithms = algorithms
		connection, err := handshake(ctx, t.address, timeout, &attempt)
		if err == nil {
			return connection, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to %s: %w", t.address, context.Cause(ctx))
		}
		var none *ssh.AlgorithmNegotiationError
		nothingLeft := errors.As(err, &none) && none.What == "host key"
		last, final := t.verdict()
		switch {
		case errors.Is(err, errHostKey) && all && !final:
			rest := slices.DeleteFunc(slices.Clone(algorithms), func(a string) bool { return family(a) == last })
			if len(rest) == 0 || len(rest) == len(algorithms) {
				return nil, t.refusal()
			}
			algorithms = rest
		case errors.Is(err, errHostKey), nothingLeft && last != "":
			return nil, t.refusal()
		case nothingLeft && !all:
			// None of the kinds in known_hosts: ask what it has, to show it.
			algorithms, all = t.others(algorithms), true
		case none != nil:
			return nil, &AlgorithmError{Address: t.address, Err: err}
		default:
			return nil, err
		}
	}
}

// OfferedHostKeys asks the server at address for the host keys it has, so that
// a person can compare them with what the biller says by another way. It never
// logs in and trusts nothing. The timeout is for each of the few connections
// it makes; zero means DefaultTimeout.
func OfferedHostKeys(ctx context.Context, address string, timeout time.Duration) ([]HostKey, error) {
	setDefault(&timeout, DefaultTimeout)
	t := &trust{address: withPort(address)}
	if err := checkAddress(t.address); err != nil {
		return nil, err
	}
	config := clientConfig("")
	connection, err := t.connect(ctx, timeout, config)
	if err == nil {
		// Cannot be: without a pin every key is refused.
		_ = connection.ssh.Close()
		return nil, fmt.Errorf("%s was accepted without a pinned key", t.address)
	}
	var unknown *UnknownHostKeyError
	if !errors.As(err, &unknown) {
		return nil, connectFailure(ctx, t.address, err)
	}
	return unknown.Offered, nil
}

// clientConfig offers current algorithms only: the library's own defaults
// still include SHA-1 and DSA.
func clientConfig(user string) *ssh.ClientConfig {
	safe := ssh.SupportedAlgorithms()
	return &ssh.ClientConfig{
		Config: ssh.Config{KeyExchanges: safe.KeyExchanges, Ciphers: safe.Ciphers, MACs: safe.MACs},
		User:   user,
	}
}

// connectFailure makes an error for the user of what connect returned. A
// time-out is not worth another attempt at once: it has taken long already.
func connectFailure(ctx context.Context, address string, err error) error {
	var timeout net.Error
	switch {
	case ctx.Err() != nil, isTyped(err):
		return err
	case errors.As(err, &timeout) && timeout.Timeout():
		return &UnreachableError{Address: address, Err: errSilent}
	}
	return &UnreachableError{Address: address, Err: err, again: true}
}

// isTyped reports errors that say all there is to say already.
func isTyped(err error) bool {
	var (
		algorithm *AlgorithmError
		unknown   *UnknownHostKeyError
		changed   *ChangedHostKeyError
		revoked   *RevokedHostKeyError
	)
	return errors.As(err, &algorithm) || errors.As(err, &unknown) || errors.As(err, &changed) || errors.As(err, &revoked)
}
