package receiver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the server (faults.md W15, W16).
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 10 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
	headerSlack       = 4 << 10 // what net/http adds to its MaxHeaderBytes

	defaultConnections = 256
	defaultPerAddress  = 64
	defaultDrain       = 15 * time.Second
)

// ServeOptions of Serve. Handler is required.
type ServeOptions struct {
	Handler     http.Handler
	Certificate *Certificate  // nil: plain HTTP; else TLS, at least 1.2
	Connections int           // open at a time; more wait in the kernel's queue; 0: 256
	PerAddress  int           // of them from one address other than loopback; 0: 64; below 0: all
	Drain       time.Duration // how long requests in flight may take once ctx is done; 0: 15 s
	Log         *slog.Logger  // nil: nothing is logged
}

// Serve answers requests on l until ctx is done. It then accepts no more,
// finishes what is in flight, and returns nil; what does not finish within
// Drain is cut off and is an error. It closes l.
func Serve(ctx context.Context, l net.Listener, opt ServeOptions) error {
	if opt.Connections <= 0 {
		opt.Connections = defaultConnections
	}
	if opt.PerAddress == 0 {
		opt.PerAddress = defaultPerAddress
	}
	if opt.Drain <= 0 {
		opt.Drain = defaultDrain
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	server := newServer(opt)
	limited := limit(l, opt.Connections, opt.PerAddress)
	ended := make(chan error, 1)
	go func() {
		if opt.Certificate != nil {
			ended <- server.ServeTLS(limited, "", "")
			return
		}
		ended <- server.Serve(limited)
	}()
	select {
	case err := <-ended:
		return errors.Join(fmt.Errorf("receiver: serve %s: %w", l.Addr(), err), server.Close(), closed(l.Close()))
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), opt.Drain)
	defer cancel()
	err := server.Shutdown(drain)
	if err != nil {
		err = errors.Join(fmt.Errorf("receiver: requests cut off after %s: %w", opt.Drain, err), server.Close())
	}
	<-ended
	return errors.Join(err, closed(limited.Close()))
}

func newServer(opt ServeOptions) *http.Server {
	server := &http.Server{
		Handler:           opt.Handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes - headerSlack,
		ErrorLog:          slog.NewLogLogger(opt.Log.Handler(), slog.LevelDebug),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
		Protocols:         new(http.Protocols),
	}
	// One protocol is less to attack, and no sender of webhooks needs another.
	server.Protocols.SetHTTP1(true)
	if opt.Certificate != nil {
		server.TLSConfig.GetCertificate = opt.Certificate.get
	}
	return server
}

// closed forgives a listener that was closed before.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
