package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/receiver"
)

func newReceiveCommand(a *app) *cobra.Command {
	var metrics string
	cmd := &cobra.Command{
		Use:   "receive",
		Short: "Receive webhooks into the journal",
		Long: `Listens for Moment's webhooks, verifies each one, and answers 2xx only once it is
on disk in data_dir/journal. Runs until it is told to stop by SIGTERM or SIGINT;
then it finishes what is in flight and ends with 0.

Without receiver.tls it speaks plain HTTP: put a proxy with TLS in front of it.
With it, the certificate is read again when its files change.

GET /healthz answers 200 while events are taken, and 503 while the journal cannot
be written or the disk is full.`,
		Example: "  tallyman receive",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runReceive(cmd.Context(), a, metrics)
		},
	}
	addMetricsFlag(cmd, &metrics)
	return cmd
}

func runReceive(ctx context.Context, a *app, metrics string) (err error) {
	cfg, err := a.config(config.SectionDataDir | config.SectionReceiver | config.SectionMetrics)
	if err != nil {
		return err
	}
	secrets, err := webhookSecrets(cfg)
	if err != nil {
		return err
	}
	dir := filepath.Join(cfg.DataDir, "journal")
	w, err := journal.Open(ctx, dir, journal.Options{Log: a.logger, Now: a.now})
	if err != nil {
		return sorted(err)
	}
	defer func() { err = errors.Join(err, sorted(w.Close())) }()
	if err := journal.BindMode(dir, cfg.KnownMode()); err != nil {
		return sorted(err)
	}
	ends, err := retirements(cfg)
	if err != nil {
		return err
	}
	handler, err := receiver.New(receiver.Options{
		Journal: w, Secrets: secrets, Ends: ends, Path: cfg.Receiver.Path, Window: cfg.Receiver.Window, AddressLimit: cfg.Receiver.AddressLimit,
		Now: a.now, Log: a.logger,
	})
	if err != nil {
		return usage(err)
	}
	var certificate *receiver.Certificate
	if files := cfg.Receiver.TLS; files.CertFile != "" {
		if certificate, err = receiver.LoadCertificate(files.CertFile, files.KeyFile, a.logger); err != nil {
			return usage(fmt.Errorf("receiver.tls: %w", err))
		}
	}
	listener, err := net.Listen("tcp", cfg.Receiver.Listen)
	if err != nil {
		return usage(fmt.Errorf("receiver.listen: %w", err))
	}
	defer a.serveMetrics(ctx, cfg, metrics, handler.Stats)()
	a.logger.Info("receiving webhooks", "address", listener.Addr().String(), "path", cfg.Receiver.Path, "journal", dir)
	return receiver.Serve(ctx, listener, receiver.ServeOptions{
		Handler: handler, Certificate: certificate, PerAddress: perAddress(cfg.Receiver.AddressLimit), Log: a.logger,
	})
}

// perAddress returns how many connections one address may hold: without a limit for addresses a proxy that is not on loopback
// may have them all.
func perAddress(limit int) int {
	if limit == 0 {
		return -1
	}
	return 0
}

// retirements returns when secrets that are being replaced end.
func retirements(cfg *config.Config) (map[string]time.Time, error) {
	ends := map[string]time.Time{}
	for _, retired := range cfg.Receiver.RetiredSecrets {
		secret, err := journal.ParseSecret(retired.Secret.Reveal())
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", retired.Secret.Source(), err))
		}
		ends[secret.ID()] = retired.Ends
	}
	return ends, nil
}
