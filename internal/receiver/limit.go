package receiver

import (
	"net"
	"net/netip"
	"sync"
)

// limitedListener has at most so many connections open. The next ones wait in
// the kernel's queue, where they cost nothing. One address can have only a part
// of them, so that it cannot keep the others out by holding all; what it opens
// beyond that is closed at once. Loopback, where a proxy stands, can have all.
type limitedListener struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
	err    error

	perAddress int
	mu         sync.Mutex
	open       map[netip.Prefix]int
}

func limit(l net.Listener, connections, perAddress int) *limitedListener {
	return &limitedListener{
		Listener: l, slots: make(chan struct{}, connections), closed: make(chan struct{}),
		perAddress: perAddress, open: make(map[netip.Prefix]int),
	}
}

// Accept waits for a free slot and then for a connection.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			<-l.slots
			return nil, err
		}
		if l.take(conn.RemoteAddr().String(), 1) {
			return &limitedConn{Conn: conn, from: l}, nil
		}
		_ = conn.Close()
	}
}

// take counts a connection opened (1) or closed (-1) by an address. It returns
// false if the address has too many.
func (l *limitedListener) take(remote string, n int) bool {
	who, ok := counted(remote)
	if !ok || l.perAddress < 1 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n > 0 && l.open[who] >= l.perAddress {
		return false
	}
	if l.open[who] += n; l.open[who] == 0 {
		delete(l.open, who)
	}
	return true
}

// Close closes the listener and wakes Accept.
func (l *limitedListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.err = l.Listener.Close()
	})
	return l.err
}

// limitedConn gives its slot back when it is closed.
type limitedConn struct {
	net.Conn
	from *limitedListener
	once sync.Once
}

// Close closes the connection.
func (c *limitedConn) Close() error {
	defer c.once.Do(func() {
		c.from.take(c.RemoteAddr().String(), -1)
		<-c.from.slots
	})
	return c.Conn.Close()
}
