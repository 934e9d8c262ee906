package mailbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

// Mailbox is a connection with a biller's SFTP server that is made again when
// it breaks. It may be used by several goroutines; operations are made one
// after another.
type Mailbox struct {
	opts Options
	slot chan struct{} // held by the operation that runs

	// sequential, held with slot, says that the server answers reads in part,
	// so that no more than one may be under way.
	sequential bool

	mu      sync.Mutex
	session *session // nil until connected
	about   about
	closed  bool
}

// Dial validates the options, connects and logs in. Its errors are those of
// Options.Validate, *UnknownHostKeyError, *ChangedHostKeyError,
// *RevokedHostKeyError, *AlgorithmError, *AuthError, *KeyError and
// *UnreachableError; only the last is tried again.
func Dial(ctx context.Context, o Options) (*Mailbox, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	m := &Mailbox{opts: o.withDefaults(), slot: make(chan struct{}, 1)}
	err := m.persist(ctx, func(int) error {
		_, err := m.connected(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Close ends the connection, and with it an operation that still runs. More
// calls do nothing.
func (m *Mailbox) Close() error {
	m.mu.Lock()
	m.closed = true
	if m.session != nil {
		m.session.cut()
	}
	m.mu.Unlock()
	m.slot <- struct{}{}
	defer func() { <-m.slot }()
	m.drop()
	return nil
}

// Algorithms names what was negotiated with the server: key exchange, host
// key, cipher and, unless the cipher has its own, MAC.
func (m *Mailbox) Algorithms() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.about.algorithms
}

// Server is the identification that the server sent, such as
// "SSH-2.0-OpenSSH_9.2", made safe to print.
func (m *Mailbox) Server() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.about.server
}

// acquire waits until no other operation runs.
func (m *Mailbox) acquire(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("mailbox %s: %w", m.opts.Address, context.Cause(ctx))
	}
	select {
	case m.slot <- struct{}{}:
		return func() { <-m.slot }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("mailbox %s: %w", m.opts.Address, context.Cause(ctx))
	}
}

// connected returns the session, after making one if there is none that
// stands. It makes one attempt.
func (m *Mailbox) connected(ctx context.Context) (*session, error) {
	m.mu.Lock()
	s, closed := m.session, m.closed
	m.mu.Unlock()
	switch {
	case closed:
		return nil, ErrClosed
	case s != nil && s.alive():
		return s, nil
	case s != nil:
		m.drop()
	}
	s, err := openSession(ctx, m.opts, m.sequential)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session, m.about = s, s.about
	if m.closed {
		s.cut()
	}
	m.opts.Log.Info("connected with mailbox", "address", m.opts.Address, "server", s.about.server, "algorithms", s.about.algorithms)
	return s, nil
}

// drop ends the session; the next operation makes a new one.
func (m *Mailbox) drop() {
	m.mu.Lock()
	s := m.session
	m.session = nil
	m.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// call makes one operation on the session, under a watch: cut off when ctx
// ends, after Timeout without a tick, and after total. What f returns is taken
// for the server's answer unless it is an ownError.
func (m *Mailbox) call(ctx context.Context, op, path string, total time.Duration, f func(s *session, tick func()) error) error {
	s, err := m.connected(ctx)
	if err != nil {
		return err
	}
	w := startWatch(ctx, s, m.opts.Timeout, total)
	err = f(s, w.tick)
	cause := w.end()
	if cause != nil {
		m.drop()
	}
	var own ownError
	failure := &OperationError{Op: op, Path: path, Address: m.opts.Address, Err: err}
	switch {
	case err == nil:
		return nil
	case cause != nil && ctx.Err() != nil:
		return fmt.Errorf("%s %s on %s: %w", op, path, m.opts.Address, cause)
	case cause != nil:
		failure.Err = cause
	case errors.As(err, &own):
		return own.error
	case !answered(err):
		m.drop()
		failure.lost = true
		failure.Err = fmt.Errorf("%w: %w", sftp.ErrSSHFxConnectionLost, err)
		if errors.Is(err, sftp.ErrSSHFxConnectionLost) {
			failure.Err = err
		}
	}
	return failure
}

// quick is call for requests that are one question and one answer.
func (m *Mailbox) quick(ctx context.Context, op, path string, f func(c *sftp.Client) error) error {
	return m.call(ctx, op, path, m.opts.Timeout, func(s *session, _ func()) error { return f(s.sftp) })
}

// persist calls f again, with growing pauses, while what it meets may pass:
// a connection that breaks or is not to be had. The argument of f counts from
// zero.
func (m *Mailbox) persist(ctx context.Context, f func(try int) error) error {
	for try := 0; ; try++ {
		err := f(try)
		if err == nil || try+1 >= m.opts.Attempts || !transient(err) {
			return err
		}
		pause := jitter(m.opts.tune.backoff << try)
		m.opts.Log.Warn("mailbox: connection failed, trying again", "error", err, "attempt", try+2, "of", m.opts.Attempts, "in", pause.Round(time.Millisecond))
		if stopped := wait(ctx, pause); stopped != nil {
			return errors.Join(fmt.Errorf("mailbox %s: %w", m.opts.Address, stopped), err)
		}
	}
}

// jitter shortens d by up to half, so that many clients do not come back at
// the same instant.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// wait returns after d, or with the cause when ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
