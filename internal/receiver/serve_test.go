package receiver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// served runs Serve and returns its address, and a function that ends it and
// returns its error.
func served(t *testing.T, opt ServeOptions) (string, func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, opt) }()
	stop := func() error {
		cancel()
		return <-ended
	}
	return l.Addr().String(), stop
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// fetch asks once, over a connection of its own.
func fetch(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	answer, err := client.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func alone(config *tls.Config) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: config}}
}

func TestServeFinishesWhatIsInFlight(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	addr, stop := served(t, ServeOptions{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-goOn
		hello(w, r)
	})})
	got := make(chan string)
	go func() { got <- fetch(t, alone(nil), "http://"+addr) }()
	<-began
	stopped := make(chan error)
	go func() { stopped <- stop() }()
	for { // until no more is accepted
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	close(goOn)
	if text := <-got; text != "hello" {
		t.Errorf("answer %q", text)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestServeCutsOffWhatDoesNotEnd(t *testing.T) {
	began := make(chan struct{})
	addr, stop := served(t, ServeOptions{Drain: time.Millisecond, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	})})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if answer, err := alone(nil).Get("http://" + addr); err == nil {
			_ = answer.Body.Close()
		}
	}()
	<-began
	if err := stop(); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("error %v", err)
	}
	<-done
}

func TestServeLimitsConnections(t *testing.T) {
	addr, stop := served(t, ServeOptions{Connections: 2, Handler: http.HandlerFunc(hello)})
	var open []net.Conn
	for range 2 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	ask := func(conn net.Conn) error {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err
		}
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	for _, conn := range open {
		if err := ask(conn); err != nil {
			t.Fatal(err)
		}
	}
	third, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := third.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := ask(third); err == nil {
		t.Error("a third connection is served beside two")
	}
	if err := third.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	_ = open[0].Close()
	if _, err := third.Read(make([]byte, 1)); err != nil {
		t.Errorf("the third is not served after the first: %v", err)
	}
	_, _ = third.Close(), open[1].Close()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestServeLimitsHeaders sends headers of 16 KiB in all, request line and empty
// line included, and of a byte more.
func TestServeLimitsHeaders(t *testing.T) {
	addr, stop := served(t, ServeOptions{Handler: http.HandlerFunc(hello)})
	for size, status := range map[int]string{16 << 10: "200", 16<<10 + 1: "431"} {
		const before, after = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ", "\r\n\r\n"
		answer := raw(t, addr, before+strings.Repeat("x", size-len(before)-len(after))+after)
		if !strings.HasPrefix(answer, "HTTP/1.1 "+status) {
			t.Errorf("%d bytes: %.40q, want %s", size, answer, status)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// raw sends text as it is over a connection of its own and returns all that is
// answered until the server closes it.
func raw(t *testing.T, addr, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && len(answer) == 0 {
		t.Fatal(err)
	}
	return string(answer)
}

func TestServeHoldsOneAddressToItsShare(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	remotes := make(chan string, 1)
	limited := limit(relabelled{l, remotes}, 8, 2)
	defer limited.Close()
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			conn, err := limited.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	dial := func(remote string) net.Conn {
		t.Helper()
		remotes <- remote
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	dial("192.0.2.1:1")
	first := <-accepted
	dial("192.0.2.1:2")
	second := <-accepted
	if _, err := dial("192.0.2.1:3").Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a third connection from one address is not closed: %v", err)
	}
	for i := range 4 { // loopback has no share
		dial(fmt.Sprintf("127.0.0.1:%d", i))
		defer (<-accepted).Close()
	}
	dial("192.0.2.2:1")
	defer (<-accepted).Close()
	_ = first.Close()
	dial("192.0.2.1:4")
	_ = (<-accepted).Close()
	_ = second.Close()
	if err := limited.Close(); err != nil {
		t.Error(err)
	}
	<-accepted
	if len(limited.open) != 1 { // 192.0.2.2
		t.Errorf("still counted: %v", limited.open)
	}
}

// relabelled makes each connection look as if it came from the next address.
type relabelled struct {
	net.Listener
	remotes chan string
}

func (l relabelled) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return relabelledConn{conn, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(<-l.remotes))}, nil
}

type relabelledConn struct {
	net.Conn
	remote net.Addr
}

func (c relabelledConn) RemoteAddr() net.Addr { return c.remote }

func loaded(t *testing.T, certFile, keyFile string) *Certificate {
	t.Helper()
	c, err := LoadCertificate(certFile, keyFile, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServeTLS(t *testing.T) {
	cert, key, roots := certificate(t)
	addr, stop := served(t, ServeOptions{Handler: http.HandlerFunc(hello), Certificate: loaded(t, cert, key)})
	if text := fetch(t, alone(&tls.Config{RootCAs: roots}), "https://"+addr); text != "hello" {
		t.Errorf("answer %q", text)
	}
	old := alone(&tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	if answer, err := old.Get("https://" + addr); err == nil {
		_ = answer.Body.Close()
		t.Error("TLS 1.1 is accepted")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestCertificateIsReloaded replaces the files as a renewal does, one after the
// other, and looks at what is served in between and after.
func TestCertificateIsReloaded(t *testing.T) {
	cert, key, oldRoots := certificate(t)
	addr, stop := served(t, ServeOptions{Handler: http.HandlerFunc(hello), Certificate: loaded(t, cert, key)})
	trusts := func(roots *x509.CertPool) bool {
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots})
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}
	if !trusts(oldRoots) {
		t.Fatal("the certificate is not served")
	}
	newCert, newKey, newRoots := certificate(t)
	for i, step := range []struct {
		from, to  string
		want, not *x509.CertPool
	}{
		{newCert, cert, oldRoots, newRoots}, // does not fit the key: the old pair stays
		{newKey, key, newRoots, oldRoots},
	} {
		if err := os.Rename(step.from, step.to); err != nil {
			t.Fatal(err)
		}
		if !trusts(step.want) || trusts(step.not) {
			t.Errorf("step %d: the wrong certificate is served", i)
		}
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if !trusts(newRoots) {
		t.Error("without its file the key is forgotten")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestLoadCertificateRefuses(t *testing.T) {
	cert, key, _ := certificate(t)
	_, otherKey, _ := certificate(t)
	for _, files := range [][2]string{{cert, cert}, {cert, otherKey}, {cert, filepath.Join(t.TempDir(), "nowhere.pem")}, {key, key}} {
		if _, err := LoadCertificate(files[0], files[1], slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%v is accepted", files)
		}
	}
}

// certificate makes a key and a certificate for 127.0.0.1.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{
		certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}
