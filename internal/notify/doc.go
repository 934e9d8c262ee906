// Package notify tells others how a run went: a dead man's switch by the conventions of healthchecks.io (the address
// itself for success, /start and /fail below it), and a webhook that gets a JSON document.
//
// It never fails a run and never holds one up for longer than it is allowed to. What to say is the caller's; the addresses
// are secrets and appear in no log.
package notify
