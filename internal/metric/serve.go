package metric

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Path is where the figures are served.
const Path = "/metrics"

// Source returns the figures of the moment.
type Source func(context.Context) (Figures, error)

// WriteTextfile writes the figures to a file for the node exporter's textfile collector, whole or not at all. The node
// exporter is another user, so everybody may read it, 0644; its directory must be there.
func WriteTextfile(path string, f Figures) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write metrics: %w: make the directory of metrics.textfile", err)
	}
	r, err := registry(f)
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	if err := prometheus.WriteToTextfile(path, r); err != nil {
		return fmt.Errorf("write metrics to %s: %w", path, err)
	}
	return nil
}

// Limits of the server; a scrape is a small request and a small answer.
const (
	readTimeout  = 5 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = 5 * time.Minute
	drain        = 2 * time.Second
)

// Serve answers scrapes on l until the context is done, and closes l. Figures that cannot be had are a 500, and in the log.
func Serve(ctx context.Context, l net.Listener, source Source, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, func(w http.ResponseWriter, req *http.Request) {
		figures, err := source(req.Context())
		if err != nil {
			log.Warn("the figures for metrics cannot be had", "error", err.Error())
			http.Error(w, "the figures cannot be had; the log says why", http.StatusInternalServerError)
			return
		}
		r, err := registry(figures)
		if err != nil {
			log.Error("the figures for metrics do not fit each other", "error", err.Error())
			http.Error(w, "the figures cannot be shown; the log says why", http.StatusInternalServerError)
			return
		}
		promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}).ServeHTTP(w, req)
	})
	server := &http.Server{
		Handler: mux, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve metrics at %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := server.Shutdown(last)
	if err != nil {
		err = errors.Join(fmt.Errorf("serve metrics: %w", err), server.Close())
	}
	<-ended
	return err
}
