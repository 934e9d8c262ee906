package main

import (
	"context"
	"log/slog"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
	"tallyman/internal/notify"
)

// teller tells others of one nightly pass. A dry run is nobody's business.
type teller struct {
	app      *app
	log      *slog.Logger // with the run's id once there is one
	config   *config.Config
	notifier *notify.Notifier // nil: nobody is told
	unknown  nightly.Result   // what is known of a pass that has no result
}

func (a *app) teller(cfg *config.Config, date string, dryRun bool) *teller {
	t := &teller{app: a, log: a.logger, config: cfg}
	if dryRun {
		return t
	}
	v := readVersion().Version
	t.notifier = notify.New(notify.Options{
		PingURL: cfg.Notify.PingURL.Reveal(), WebhookURL: cfg.Notify.WebhookURL.Reveal(), UserAgent: "tallyman/" + v,
	})
	t.unknown = nightly.Result{Command: "run", Version: v, Merchant: cfg.Merchant, Mode: cfg.API.Mode, BusinessDate: date, StartedAt: a.now().UTC()}
	return t
}

// start tells that the pass of that id begins.
func (t *teller) start(ctx context.Context, id string) {
	t.log = t.log.With("run", id)
	if t.notifier != nil {
		t.notifier.Start(ctx, t.log)
	}
}

// end tells how the pass ended and hands its error on. A pass that could not begin because another holds the lock is not
// told: that other one will be.
func (t *teller) end(ctx context.Context, result *nightly.Result, err error) error {
	code := exitCode(ctx, err)
	if t.notifier != nil {
		leaveMetrics(ctx, t.config, t.log)
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
		t.log.Error("how the pass ended could not be told", "error", failed.Error())
		return err
	}
	t.notifier.End(ctx, t.log, notify.Message{OK: code == exitDone, Text: notice.Text(), Document: document})
	return err
}
