package mailbox

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"tallyman/internal/sshdtest"
)

func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	o := Options{Address: address, User: "acme", Password: "x", HostKeys: []string{"SHA256:" + strings.Repeat("A", 43)}, Path: "/", Log: testLog(t), tune: tuning{backoff: time.Millisecond}}
	_, err = Dial(testContext(t), o)
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "inbox.address") {
		t.Errorf("error %v, want *UnreachableError", err)
	}
	if _, err := OfferedHostKeys(testContext(t), address, time.Second); !errors.As(err, &unreachable) {
		t.Errorf("offered keys: error %v, want *UnreachableError", err)
	}
}

// A connection that is cut between two operations is made again.
func TestReconnects(t *testing.T) {
	server, o := sshd(t, sshdtest.Options{})
	leave(t, o, "a.csv", []byte("x"))
	m := open(t, o)
	find(t, m, "a.csv")
	server.CutSessions()
	find(t, m, "a.csv")
	server.CutSessions()
	if err := m.Archive(testContext(t), "a.csv", sumOf([]byte("x"))); err != nil {
		t.Error(err)
	}
}

// So is one on which only the SFTP session has ended.
func TestReconnectsAfterTheEndOfSFTP(t *testing.T) {
	f := startFaulty(t, nil)
	f.write("outgoing/a.csv", []byte("x"))
	m := open(t, f.options())
	find(t, m, "a.csv")
	f.endSFTP()
	find(t, m, "a.csv")
	if n := f.connections.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// A server that falls silent, wherever it does, is given up after the time
// that was allowed, and not tried again.
func TestSilentServer(t *testing.T) {
	const patience = time.Second
	type operation func(ctx context.Context, m *Mailbox, e Entry, dir string) error
	list := func(ctx context.Context, m *Mailbox, _ Entry, _ string) error { _, _, err := m.List(ctx); return err }
	fetch := func(ctx context.Context, m *Mailbox, e Entry, dir string) error {
		_, err := m.Fetch(ctx, e, dir)
		return err
	}
	archive := func(ctx context.Context, m *Mailbox, e Entry, _ string) error { return m.Archive(ctx, e.Name, "") }
	deliver := func(ctx context.Context, m *Mailbox, _ Entry, _ string) error {
		return m.Deliver(ctx, "mailbox_test.go", "x.csv")
	}
	operations := map[string]operation{
		"List": list, "Stat": archive, "Rename": archive, "Get": fetch, "Read": fetch, "Mkdir": deliver, "<muted>": list,
	}
	for method, operation := range operations {
		t.Run(method, func(t *testing.T) {
			t.Parallel() // they do nothing but wait
			f := startFaulty(t, nil)
			f.write("outgoing/a.csv", pattern(100<<10))
			o := f.options()
			o.Timeout = patience
			m := open(t, o)
			entry := find(t, m, "a.csv")
			before := f.connections.Load()
			f.hang.Store(method)
			f.mute.Store(method == "<muted>")
			err := operation(testContext(t), m, entry, t.TempDir())
			var failure *OperationError
			var unreachable *UnreachableError
			// Where the whole connection is mute, its own deadline may be first,
			// and then the next connection is mute too.
			if !errors.As(err, &failure) && (method != "<muted>" || !errors.As(err, &unreachable)) {
				t.Fatalf("error %v, want *OperationError", err)
			}
			if !strings.Contains(err.Error(), "silent") {
				t.Errorf("text does not say silent: %v", err)
			}
			if n := f.connections.Load(); method != "<muted>" && n != before {
				t.Errorf("%d connections more", n-before)
			}
		})
	}
	t.Run("from the start", func(t *testing.T) {
		t.Parallel()
		f := startFaulty(t, func(f *faulty) { f.silentFromStart = true })
		o := f.options()
		o.Timeout = patience
		_, err := Dial(testContext(t), o)
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), "silent") {
			t.Errorf("error %v, want *UnreachableError", err)
		}
		if n := f.connections.Load(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}

// A server that brings a file drop by drop is never silent, and is given up all the same.
func TestSlowServer(t *testing.T) {
	f := startFaulty(t, nil)
	m := open(t, f.options())
	ctx := testContext(t)
	err := m.call(ctx, "read", "/outgoing/a.csv", 200*time.Millisecond, func(s *session, tick func()) error {
		for {
			tick()
			select {
			case <-s.dead:
				return io.ErrUnexpectedEOF
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Millisecond): // far less than the silence that is allowed
			}
		}
	})
	var failure *OperationError
	if !errors.As(err, &failure) || !errors.Is(err, errSlow) || !strings.Contains(err.Error(), "run again when the connection is better") {
		t.Errorf("error %v, want errSlow", err)
	}
}

// Keepalives notice a dead connection while nothing is asked of it.
func TestKeepaliveFindsADeadConnection(t *testing.T) {
	f := startFaulty(t, nil)
	o := f.options()
	o.Timeout = time.Second
	m := open(t, o)
	s, err := m.connected(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	f.mute.Store(true)
	select {
	case <-s.dead:
	case <-testContext(t).Done():
		t.Fatal("the connection is still believed in")
	}
	f.mute.Store(false)
	if _, _, err := m.List(testContext(t)); err != nil {
		t.Error(err)
	}
}

// Keepalives hold an idle connection for longer than it may be silent.
func TestKeepaliveHoldsAConnection(t *testing.T) {
	f := startFaulty(t, nil)
	o := f.options()
	o.Timeout = time.Second
	o.tune.keepalive = 20 * time.Millisecond
	m := open(t, o)
	s, err := m.connected(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < o.Timeout*3/2; {
		select {
		case <-s.dead:
			t.Fatal("the connection ended")
		case kind := <-f.requests:
			if kind != "keepalive@openssh.com" {
				t.Fatalf("request %q", kind)
			}
		}
	}
}

func TestCancelWhileConnecting(t *testing.T) {
	f := startFaulty(t, func(f *faulty) { f.silentFromStart = true })
	o := f.options()
	o.Timeout = time.Hour
	ctx, cancel := context.WithTimeout(testContext(t), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, o); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the context's", err)
	}
	if _, err := OfferedHostKeys(ctx, f.addr, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("offered keys: error %v, want the context's", err)
	}
}

func TestCancelOfEachOperation(t *testing.T) {
	f := startFaulty(t, nil)
	f.write("outgoing/a.csv", pattern(100<<10))
	m := open(t, f.options())
	entry := find(t, m, "a.csv")
	ended, cancel := context.WithCancel(testContext(t))
	cancel()
	for name, operation := range map[string]func(context.Context) error{
		"List":    func(ctx context.Context) error { _, _, err := m.List(ctx); return err },
		"Fetch":   func(ctx context.Context) error { _, err := m.Fetch(ctx, entry, t.TempDir()); return err },
		"Read":    func(ctx context.Context) error { _, err := m.Read(ctx, "a.csv"); return err },
		"Archive": func(ctx context.Context) error { return m.Archive(ctx, "a.csv", "") },
		"Reject":  func(ctx context.Context) error { return m.Reject(ctx, "a.csv", "", "why") },
		"Deliver": func(ctx context.Context) error { return m.Deliver(ctx, "mailbox_test.go", "x.csv") },
		"CheckDirectories": func(ctx context.Context) error {
			return m.CheckDirectories(ctx)[0].Err
		},
	} {
		if err := operation(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want context.Canceled", name, err)
		}
	}
}

func TestClose(t *testing.T) {
	f := startFaulty(t, nil)
	m := open(t, f.options())
	f.hang.Store("List")
	failed := make(chan error, 1)
	go func() {
		_, _, err := m.List(testContext(t))
		failed <- err
	}()
	<-f.hung
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("running operation: error %v, want ErrClosed", err)
	}
	if _, _, err := m.List(testContext(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
