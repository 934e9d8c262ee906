package main

import (
	"context"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
	"tallyman/internal/notify"
)

// teller tells others of one nightly pass. A dry run is nobody's business.
type teller struct {
	app      *app
	config   *config.Config
	notifier *notify.Notifier // nil: nobody is told
	unknown  nightly.Result   // what is known of a pass that has no result
}

func (a *app) teller(cfg *config.Config, date string, dryRun bool) *teller {
	t := &teller{app: a, config: cfg}
	if dryRun {
		return t
	}
	v := readVersion().Version
	t.notifier = notify.New(notify.Options{
		PingURL: cfg.Notify.PingURL.Reveal(), WebhookURL: cfg.Notify.WebhookURL.Reveal(), UserAgent: "tallyman/" + v, Log: a.logger,
	})
	t.unknown = nightly.Result{Command: "run", Version: v, Merchant: cfg.Merchant, Mode: cfg.API.Mode, BusinessDate: date, StartedAt: a.now().UTC()}
	return t
}

func (t *teller) start(ctx context.Context) {
	if t.notifier != nil {
		t.notifier.Start(ctx)
	}
}

// end tells how the pass ended and hands its error on. A pass that could not begin because another holds the lock is not
// told: that other one will be.
func (t *teller) end(ctx context.Context, result *nightly.Result, err error) error {
	code := exitCode(ctx, err)
	if t.notifier != nil {
		t.app.leaveMetrics(ctx, t.config)
	}
	if t.notifier == nil || code == exitLocked {
		return err
	}
	if result == nil {
		result = &t.unknown
		result.EndedAt = t.app.now().UTC()
	} else if err == nil {
		code = exitCode(ctx, ending(result))
	}
	notice := result.Notice(code)
	document, failed := notice.JSON()
	if failed != nil {
		t.app.logger.Error("how the pass ended could not be told", "error", failed.Error())
		return err
	}
	t.notifier.End(ctx, notify.Message{OK: code == exitDone, Text: notice.Text(), Document: document})
	return err
}
