package config

import (
	"encoding/base64"
	"fmt"
	"net"
	"path"
	"strings"
)

func (c *checker) inbox() {
	in := &c.cfg.Inbox
	if in.Address == "" {
		c.missing("inbox.address", "write it as sftp.example.com:22")
	} else {
		host, port, err := net.SplitHostPort(in.Address)
		c.unless(err == nil && host != "" && isPort(port) && port != "0" && !strings.ContainsAny(host, "@/ "), "inbox.address",
			"must be host:port", "write it as sftp.example.com:22, the user under inbox.user")
	}
	if in.User == "" {
		c.missing("inbox.user", "write the name to log in with")
	}
	c.logIn()
	c.hostKeys()
	c.directories()
	c.pattern()
	c.unless(in.Settle >= 0, "inbox.settle", "must not be negative", "write a duration such as 30s")
	if in.ExpectBy != "" {
		_, err := parseClock(in.ExpectBy)
		c.unless(err == nil, "inbox.expect_by", "must be a time of day as HH:MM, 00:00 to 24:00", `write it in quotes, such as "07:00"`)
	}
}

// logIn checks that there is a way to log in. A password that could not be made
// out was a way, and is a problem of its own.
func (c *checker) logIn() {
	in := c.cfg.Inbox
	if !in.Agent && in.KeyFile == "" && in.PasswordFile == "" && in.Password.IsZero() &&
		c.settled("inbox.password") && !c.credential("inbox.password") {
		c.missing("inbox.key_file", "name the SSH private key; or give password, password_file or agent: true")
	}
	if in.KeyFile == "" && (!in.KeyPassphrase.IsZero() || in.KeyPassphraseFile != "") {
		c.wrong("inbox.key_passphrase", "is there without a key_file", "name the SSH private key, or remove the passphrase")
	}
}

func (c *checker) hostKeys() {
	in := c.cfg.Inbox
	if len(in.HostKeys) == 0 && in.KnownHostsFile == "" && c.settled("inbox.known_hosts_file") {
		c.missing("inbox.host_keys", "pin the server's key: its SHA256 fingerprint from the biller here, or known_hosts_file")
	}
	for i, fingerprint := range in.HostKeys {
		encoded, ok := strings.CutPrefix(fingerprint, "SHA256:")
		sum, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
		c.unless(ok && err == nil && len(sum) == 32, fmt.Sprintf("inbox.host_keys[%d]", i),
			"must be a SHA-256 fingerprint, SHA256: and 43 characters", "copy it from the biller, or from ssh-keygen -lf on the server's public key")
	}
}

// directories checks that a file moved or delivered is not found again as new.
func (c *checker) directories() {
	in := &c.cfg.Inbox
	if in.Path == "" {
		c.missing("inbox.path", "write the directory that the files are left in")
		return
	}
	for _, dir := range []struct {
		key   string
		value *string
		name  string
	}{
		{"inbox.archive", &in.Archive, "archive"},
		{"inbox.rejected", &in.Rejected, "rejected"},
	} {
		if _, given := c.at[dir.key]; !given {
			*dir.value = path.Join(in.Path, dir.name)
		}
		if *dir.value == "" {
			c.missing(dir.key, "name a directory, or remove the line for "+path.Join(in.Path, dir.name))
			continue
		}
		c.unless(path.Clean(*dir.value) != path.Clean(in.Path), dir.key, "must not be inbox.path", "name another directory")
	}
	if in.Deliver != "" {
		c.unless(path.Clean(in.Deliver) != path.Clean(in.Path), "inbox.deliver", "must not be inbox.path", `name another directory, or "" for nowhere`)
	}
}

func (c *checker) pattern() {
	pattern := c.cfg.Inbox.Pattern
	if pattern == "" {
		c.missing("inbox.pattern", `write how day files are named, such as "acme_{date}.csv"`)
		return
	}
	rest := strings.Replace(pattern, datePlace, "", 1)
	const remedy = `write it as "acme_{date}.csv"; * and ? are as in a shell`
	switch {
	case strings.Contains(rest, datePlace):
		c.wrong("inbox.pattern", "has more than one {date}"+c.shown("inbox.pattern"), remedy)
	case strings.ContainsAny(rest, "{}"):
		c.wrong("inbox.pattern", "has braces that are not {date}"+c.shown("inbox.pattern"), remedy)
	case strings.ContainsAny(pattern, "/\x00"):
		c.wrong("inbox.pattern", "must be a file name, without directories"+c.shown("inbox.pattern"), remedy)
	}
}
