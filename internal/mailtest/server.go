// Package mailtest is a small SMTP server for tests: real sockets, STARTTLS with a certificate of its own, a login.
package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options say what the server is like.
type Options struct {
	Implicit bool // TLS from the first byte, instead of STARTTLS
	Plain    bool // no TLS at all
	Username string
	Password string
	// Refuse answers every message with a failure that may pass.
	Refuse bool
}

// Mail is a message that the server has taken.
type Mail struct {
	From string
	To   []string
	Data string
	TLS  bool
	User string // who had logged in
}

// Server takes messages.
type Server struct {
	Address string
	Roots   *x509.CertPool // vouch for it

	options  Options
	tls      *tls.Config
	mu       sync.Mutex
	taken    []Mail
	refusing bool
}

// Start starts a server on the loopback interface; it ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{options: o, refusing: o.Refuse}
	s.tls, s.Roots = certificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Address = listener.Addr().String()
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		wait.Wait()
	})
	return s
}

// Refuse lets the server refuse messages, or take them again.
func (s *Server) Refuse(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = on
}

// Taken returns the messages taken so far.
func (s *Server) Taken() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.taken...)
}

func certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// dialogue is one connection.
type dialogue struct {
	*Server
	conn   net.Conn
	in     *bufio.Reader
	secure bool
	user   string
	mail   Mail
}

func (s *Server) serve(conn net.Conn) {
	d := &dialogue{Server: s, conn: conn}
	if s.options.Implicit {
		d.conn, d.secure = tls.Server(conn, s.tls), true
	}
	d.in = bufio.NewReader(d.conn)
	d.say("220 mailtest")
	for {
		line, err := d.in.ReadString('\n')
		if err != nil || !d.answer(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

func (d *dialogue) say(line string) { _, _ = io.WriteString(d.conn, line+"\r\n") }

// answer does what a line asks for. It returns false at the end.
func (d *dialogue) answer(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		d.greet()
	case "STARTTLS":
		d.say("220 go")
		d.conn, d.secure = tls.Server(d.conn, d.tls), true
		d.in = bufio.NewReader(d.conn)
	case "AUTH":
		d.login(rest)
	case "MAIL":
		if d.options.Username != "" && d.user == "" {
			d.say("530 log in first")
			return true
		}
		d.mail = Mail{From: address(rest), TLS: d.secure, User: d.user}
		d.say("250 ok")
	case "RCPT":
		d.mail.To = append(d.mail.To, address(rest))
		d.say("250 ok")
	case "DATA":
		return d.data()
	case "NOOP", "RSET":
		d.say("250 ok")
	case "QUIT":
		d.say("221 bye")
		return false
	default:
		d.say("502 unknown")
	}
	return true
}

func (d *dialogue) greet() {
	d.say("250-mailtest")
	if !d.secure && !d.options.Plain {
		d.say("250-STARTTLS")
	}
	if d.options.Username != "" && d.secure {
		d.say("250-AUTH PLAIN")
	}
	d.say("250 8BITMIME")
}

func (d *dialogue) login(rest string) {
	_, token, _ := strings.Cut(rest, " ")
	text, err := base64.StdEncoding.DecodeString(token)
	if err != nil || !d.secure || string(text) != "\x00"+d.options.Username+"\x00"+d.options.Password {
		d.say("535 no")
		return
	}
	d.user = d.options.Username
	d.say("235 welcome")
}

func (d *dialogue) data() bool {
	d.mu.Lock()
	refusing := d.refusing
	d.mu.Unlock()
	if refusing {
		d.say("451 not now")
		return true
	}
	d.say("354 go on")
	var text strings.Builder
	for {
		line, err := d.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	d.mail.Data = text.String()
	d.mu.Lock()
	d.taken = append(d.taken, d.mail)
	n := len(d.taken)
	d.mu.Unlock()
	d.say(fmt.Sprintf("250 taken as %d", n))
	return true
}

// address is what stands between < and >.
func address(text string) string {
	_, rest, _ := strings.Cut(text, "<")
	inside, _, _ := strings.Cut(rest, ">")
	return inside
}
