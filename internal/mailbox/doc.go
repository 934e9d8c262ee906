// Package mailbox is the biller's SFTP directories: it lists the inbox, tells
// files that stand still from files that still grow, spools them to the local
// disk, moves them to the archive or to the rejected ones, and delivers result
// files.
//
// It talks to a server only if the server proves one of the host keys that
// were pinned, by fingerprint or by known_hosts; there is no trust on first
// use. It believes nothing else the server says: names are checked against a
// list of allowed characters, sizes are compared before and after, everything
// that can be endless has a cap and everything that can hang has a deadline.
package mailbox
