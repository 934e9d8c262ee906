// Package mail sends a report by e-mail, over SMTP with TLS.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// The ways in which a connection is protected.
const (
	StartTLS = "starttls" // begun in clear, and given up if the server does not change over
	TLS      = "tls"      // from the first byte
	None     = "none"     // for a relay on this machine
)

// Server is the mail server that takes messages.
type Server struct {
	Address  string // host:port
	TLS      string // StartTLS, TLS or None
	Username string // empty: no login
	Password string
	// Roots are the authorities that vouch for the server; nil for those of the system.
	Roots *x509.CertPool
}

// timeout bounds each step of a delivery; a whole message may take a few of them.
const timeout = time.Minute

// Message is one e-mail.
type Message struct {
	From        string
	To          []string
	Subject     string // no personal data: subjects are read on locked screens and kept in logs
	ID          string // the same whenever the same message is sent again
	Date        time.Time
	Text        string // for who reads no HTML
	HTML        string
	Attachments []string // paths
}

// Send hands a message over to the server. An error means that it was not taken, or that no answer came.
func (s Server) Send(ctx context.Context, m Message) error {
	msg, err := m.build()
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	host, portText, err := net.SplitHostPort(s.Address)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("send mail: port of %s: %w", s.Address, err)
	}
	options := []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(timeout), gomail.WithHELO("localhost"),
		gomail.WithTLSConfig(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: s.Roots}),
	}
	switch s.TLS {
	case TLS:
		options = append(options, gomail.WithSSL())
	case None:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.Username != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.Username), gomail.WithPassword(s.Password))
	}
	client, err := gomail.NewClient(host, options...)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("send mail by %s: %w", s.Address, err)
	}
	return nil
}

// build puts the message together.
func (m Message) build() (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := msg.From(m.From); err != nil {
		return nil, err
	}
	if err := msg.To(m.To...); err != nil {
		return nil, err
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(m.Date)
	msg.SetUserAgent("tallyman")
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	for _, path := range m.Attachments {
		msg.AttachFile(path)
	}
	return msg, nil
}
