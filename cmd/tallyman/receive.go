package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/receiver"
)

func newReceiveCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "receive",
		Short: "Receive webhooks into the journal",
		Long: `Listens for Moment's webhooks, verifies each one, and answers 2xx only once it is
on disk in data_dir/journal. Runs until it is told to stop by SIGTERM or SIGINT;
then it finishes what is in flight and ends with 0.

Without receiver.tls it speaks plain HTTP: put a proxy with TLS in front of it.`,
		Example: "  tallyman receive",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runReceive(cmd.Context(), a)
		},
	}
}

func runReceive(ctx context.Context, a *app) (err error) {
	cfg, err := a.config(config.SectionDataDir | config.SectionReceiver)
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
	defer func() { err = errors.Join(err, w.Close()) }()
	handler, err := receiver.New(receiver.Options{
		Journal: w, Secrets: secrets, Path: cfg.Receiver.Path, Window: cfg.Receiver.Window, Now: a.now, Log: a.logger,
	})
	if err != nil {
		return usage(err)
	}
	listener, err := net.Listen("tcp", cfg.Receiver.Listen)
	if err != nil {
		return usage(fmt.Errorf("receiver.listen: %w", err))
	}
	a.logger.Info("receiving webhooks", "address", listener.Addr().String(), "path", cfg.Receiver.Path, "journal", dir)
	return receiver.Serve(ctx, listener, receiver.ServeOptions{
		Handler: handler, CertFile: cfg.Receiver.TLS.CertFile, KeyFile: cfg.Receiver.TLS.KeyFile, Log: a.logger,
	})
}
