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

	defaultConnections = 256
	defaultDrain       = 15 * time.Second
)

// ServeOptions of Serve. Handler is required.
type ServeOptions struct {
	Handler     http.Handler
	CertFile    string        // with KeyFile: TLS, at least 1.2
	KeyFile     string        // see CertFile
	Connections int           // open at a time; more wait in the kernel's queue; 0: 256
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
	if opt.Drain <= 0 {
		opt.Drain = defaultDrain
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if (opt.CertFile == "") != (opt.KeyFile == "") {
		return errors.Join(errors.New("receiver: TLS needs both a certificate and a key file"), l.Close())
	}
	server := &http.Server{
		Handler:           opt.Handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(opt.Log.Handler(), slog.LevelDebug),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
	}
	limited := limit(l, opt.Connections)
	ended := make(chan error, 1)
	go func() {
		if opt.CertFile != "" {
			ended <- server.ServeTLS(limited, opt.CertFile, opt.KeyFile)
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

// closed forgives a listener that was closed before.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
