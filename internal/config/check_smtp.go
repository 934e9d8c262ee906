package config

import (
	"fmt"
	"net"
	"net/mail"
)

// smtp checks the mail server. Without an address, nothing is sent and nothing else counts.
func (c *checker) smtp(s SMTP) {
	c.oneOf("notify.smtp.tls", s.TLS, "starttls", "tls", "none")
	if s.Address == "" {
		return
	}
	host, port, err := net.SplitHostPort(s.Address)
	c.unless(err == nil && host != "" && isPort(port) && port != "0", "notify.smtp.address", "must be host:port", "write it as smtp.example.com:587")
	if s.TLS == "none" && err == nil && !isLoopback(host) {
		c.wrong("notify.smtp.tls", "is none, which is for loopback addresses only", "write starttls, or tls for a server that begins with it")
	}
	if s.From == "" {
		c.missing("notify.smtp.from", "write the address that reports come from")
	} else {
		c.unless(isMailAddress(s.From), "notify.smtp.from", "must be one mail address", "write it as tallyman@example.com")
	}
	if len(s.To) == 0 {
		c.missing("notify.smtp.to", "write the addresses that reports go to, as [finance@example.com]")
	}
	for i, to := range s.To {
		key := fmt.Sprintf("notify.smtp.to[%d]", i)
		c.unless(isMailAddress(to), key, "must be one mail address", "write it as finance@example.com")
	}
}

func isMailAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address != ""
}
