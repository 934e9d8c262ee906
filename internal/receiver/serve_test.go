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
	"io"
	"math/big"
	"net"
	"net/http"
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

func TestServeRefusesHugeHeaders(t *testing.T) {
	addr, stop := served(t, ServeOptions{Handler: http.HandlerFunc(hello)})
	r, err := http.NewRequest(http.MethodGet, "http://"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X", strings.Repeat("x", 2*maxHeaderBytes))
	answer, err := alone(nil).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", answer.StatusCode)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestServeTLS(t *testing.T) {
	cert, key, roots := certificate(t)
	addr, stop := served(t, ServeOptions{Handler: http.HandlerFunc(hello), CertFile: cert, KeyFile: key})
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

func TestServeRefusesABadCertificate(t *testing.T) {
	cert, _, _ := certificate(t)
	for _, opt := range []ServeOptions{
		{CertFile: cert},
		{KeyFile: cert},
		{CertFile: cert, KeyFile: filepath.Join(t.TempDir(), "nowhere.pem")},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		opt.Handler = http.HandlerFunc(hello)
		if err := Serve(t.Context(), l, opt); err == nil {
			t.Errorf("%+v is accepted", opt)
		}
		if _, err := l.Accept(); err == nil {
			t.Error("the listener is left open")
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
