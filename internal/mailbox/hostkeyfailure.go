package mailbox

import (
	"fmt"
	"strings"
)

// UnknownHostKeyError says that nobody vouched for the server: neither a
// pinned fingerprint nor a line of known_hosts is about it. Nothing was
// downloaded.
type UnknownHostKeyError struct {
	Address string
	Offered []HostKey
	File    string // the known_hosts file that was searched
}

// Error names the keys that the server offers, and how to pin them.
func (e *UnknownHostKeyError) Error() string {
	return fmt.Sprintf("the host key of %s is not known: the server offers %s, and %s has no line for it; nothing was downloaded; "+
		"ask the biller for the fingerprint, and if it is this one put it into inbox.host_keys", e.Address, fingerprints(e.Offered), e.File)
}

// ChangedHostKeyError says that the server proved another key than the one
// that is pinned. Nothing was downloaded.
type ChangedHostKeyError struct {
	Address string
	// Offered are the keys that the server showed.
	Offered []HostKey
	// Pinned are the fingerprints that would have been accepted, with a word
	// on where they stand if that is a known_hosts file.
	Pinned []string
	// Detail says more if a certificate was offered; often empty.
	Detail string
}

// Error shows both sides, and what to do.
func (e *ChangedHostKeyError) Error() string {
	detail := ""
	if e.Detail != "" {
		detail = " (" + printable(e.Detail) + ")"
	}
	return fmt.Sprintf("the host key of %s is not the pinned one: the server offers %s%s, pinned is %s; nothing was downloaded; "+
		"either the biller has changed its key or somebody else answers: ask the biller, by another way than this, before you change inbox.host_keys or known_hosts",
		e.Address, fingerprints(e.Offered), detail, strings.Join(e.Pinned, ", "))
}

// RevokedHostKeyError says that the server proved a key that known_hosts marks
// as @revoked. Nothing was downloaded.
type RevokedHostKeyError struct {
	Address string
	Offered HostKey
	Where   string // file:line of the @revoked line
}

// Error names the key and the line that revokes it.
func (e *RevokedHostKeyError) Error() string {
	return fmt.Sprintf("the host key of %s is revoked: the server offers %s, which %s marks as @revoked; nothing was downloaded; ask the biller for its new key",
		e.Address, fingerprints([]HostKey{e.Offered}), e.Where)
}
