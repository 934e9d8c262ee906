package main

import (
	"context"
	"fmt"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/nightly"
)

// openNight begins a run with the configured parts.
func (a *app) openNight(ctx context.Context, cfg *config.Config, command string, dryRun bool) (shownNight, error) {
	shown := newReporter(a)
	night, err := nightly.Open(ctx, nightly.Options{
		Config: cfg, Command: command, Version: readVersion().Version, DryRun: dryRun, Log: a.logger, Now: a.now, Progress: shown.report,
	})
	if err != nil {
		shown.end()
	}
	return shownNight{night, shown}, err
}

// webhookSecrets reads the configured webhook secrets.
func webhookSecrets(cfg *config.Config) (journal.Secrets, error) {
	var secrets journal.Secrets
	for _, s := range cfg.Receiver.AllSecrets() {
		secret, err := journal.ParseSecret(s.Reveal())
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", s.Source(), err))
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// reportSecrets returns the webhook secrets with which a report checks the signatures again. A report can do without:
// its lines are unverified then.
func (a *app) reportSecrets() (journal.Secrets, error) {
	cfg, err := a.config(config.SectionReceiver)
	if err != nil {
		a.logger.Warn("no webhook secrets at hand: the signatures in the journal are not checked again", "reason", err.Error())
		return nil, nil
	}
	return webhookSecrets(cfg)
}
