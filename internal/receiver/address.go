package receiver

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// addressBurst is how much of its limit an address can use at once.
	addressBurst = 4 * time.Second

	// maxAddresses bounds the memory for those who are being counted.
	maxAddresses = 8192
)

// addresses counts what is refused by the address that it came from, so that a
// stranger cannot make this machine hash megabytes all day. Every request is
// charged before its body is read, and what proves to be signed is given back:
// whoever has the secret is never slowed.
//
// Loopback is not counted. There stands a proxy, which speaks for everybody; no
// header that claims an address is believed.
type addresses struct {
	interval time.Duration // between two refused requests
	now      func() time.Time

	mu   sync.Mutex
	used map[netip.Prefix]time.Time // until when what was charged has been worked off
}

// newAddresses returns nil, which holds nobody back, for a limit below 1.
func newAddresses(limit int, now func() time.Time) *addresses {
	if limit < 1 {
		return nil
	}
	return &addresses{interval: time.Second / time.Duration(limit), now: now, used: make(map[netip.Prefix]time.Time)}
}

// charge counts a request. It returns false if the address has to wait.
func (a *addresses) charge(remote string) bool {
	who, ok := counted(remote)
	if a == nil || !ok {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	until := a.used[who]
	if until.Before(now) {
		until = now
	}
	if until.Sub(now) >= addressBurst {
		return false
	}
	if len(a.used) >= maxAddresses {
		a.sweep(now)
	}
	a.used[who] = until.Add(a.interval)
	return true
}

// giveBack takes the charge of a signed request back.
func (a *addresses) giveBack(remote string) {
	who, ok := counted(remote)
	if a == nil || !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if until, ok := a.used[who]; ok {
		a.used[who] = until.Add(-a.interval)
	}
}

// sweep forgets who has nothing left to work off, and everybody if those are
// none: then they are too many for a count by address to help.
func (a *addresses) sweep(now time.Time) {
	for who, until := range a.used {
		if !until.After(now) {
			delete(a.used, who)
		}
	}
	if len(a.used) >= maxAddresses {
		clear(a.used)
	}
}

// counted returns whom a remote address counts as: an IPv4 address, or the /64
// that one IPv6 host has to itself. Loopback, and what is no address, is not
// counted.
func counted(remote string) (netip.Prefix, bool) {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}, false
	}
	addr, bits := at.Addr().Unmap().WithZone(""), 64
	if addr.IsLoopback() {
		return netip.Prefix{}, false
	}
	if addr.Is4() {
		bits = 32
	}
	who, err := addr.Prefix(bits)
	return who, err == nil
}
