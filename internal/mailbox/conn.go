package mailbox

import (
	"net"
	"sync/atomic"
	"time"
)

// idleConn is a connection that breaks when the peer neither sends nor takes
// anything for as long as idle, once it is armed; before, it has the deadline
// of the handshake. The SSH library reads all the time, so without this a
// silent peer would be waited for for ever.
type idleConn struct {
	net.Conn
	idle  time.Duration
	armed atomic.Bool
	meter atomic.Pointer[meter]
}

// meter calls over when more than its bytes have arrived.
type meter struct {
	left atomic.Int64
	over func()
}

// arm replaces the deadline of the handshake.
func (c *idleConn) arm() error {
	c.armed.Store(true)
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	return c.SetReadDeadline(time.Now().Add(c.idle))
}

// limit has over called once more than bytes have arrived, until it is called
// again; a nil over ends it.
func (c *idleConn) limit(bytes int64, over func()) {
	if over == nil {
		c.meter.Store(nil)
		return
	}
	m := &meter{over: over}
	m.left.Store(bytes)
	c.meter.Store(m)
}

// Read reads, and puts the deadline off.
func (c *idleConn) Read(b []byte) (int, error) {
	if c.armed.Load() {
		if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(b)
	if m := c.meter.Load(); m != nil && m.left.Add(-int64(n)) < 0 {
		m.over()
	}
	return n, err
}

// Write writes, and puts the deadline off.
func (c *idleConn) Write(b []byte) (int, error) {
	if c.armed.Load() {
		if err := c.SetWriteDeadline(time.Now().Add(c.idle)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}
