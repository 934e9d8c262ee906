package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

func newScheduleCommand(a *app) *cobra.Command {
	var metrics string
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Stay up and run the configured schedule",
		Long: `Does what tallyman run does at the times in schedule, which are in
reconcile.timezone, and prints the summary line of each pass; with --json a
document a line. What needs a person, and what keeps a pass from ending, goes to
the log; the next time comes all the same. A time that comes while a pass is under
way is skipped. At the start it catches up: a pass for each business date whose
time has come since the last pass that went to its end.

Runs until it is told to stop by SIGTERM or SIGINT; a pass that is under way then
finishes what it has begun to send, and the next one goes on. SIGHUP reads the
configuration again, all but metrics.listen, for the passes that follow; if it is
wrong, the log says so and the old one stays.`,
		Example: "  tallyman schedule --log-format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSchedule(cmd.Context(), a, metrics)
		},
	}
	addMetricsFlag(cmd, &metrics)
	return cmd
}

// plan is a configuration that is scheduled.
type plan struct {
	cfg      *config.Config
	secrets  journal.Secrets
	schedule *nightly.Schedule
}

func (a *app) newPlan() (*plan, error) {
	cfg, secrets, err := a.nightConfig(config.SectionSchedule)
	if err != nil {
		return nil, err
	}
	schedule, err := nightly.NewSchedule(cfg.Schedule, cfg.Reconcile.Calendar().Location())
	if err != nil {
		return nil, usage(err)
	}
	return &plan{cfg, secrets, schedule}, nil
}

func runSchedule(ctx context.Context, a *app, metrics string) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	p, err := a.newPlan()
	if err != nil {
		return err
	}
	defer a.serveMetrics(ctx, p.cfg, metrics, nil)()
	broken := a.catchUp(ctx, p)
	for ctx.Err() == nil {
		if err := a.follow(ctx, p, hangups, &p); err != nil {
			broken = err
		}
	}
	return broken
}

// follow runs the passes of a plan until the context is done or another plan takes its place. A pass that is under way
// then goes on to its end under the old one.
func (a *app) follow(ctx context.Context, p *plan, hangups <-chan os.Signal, next **plan) error {
	a.sayNext(p.schedule)
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	var broken error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.schedule.Run(waiting, a.logger, func(context.Context) {
			if err := a.scheduledPass(ctx, p, ""); err != nil {
				broken = err
			}
			a.sayNext(p.schedule)
		})
	}()
	for reloaded := false; !reloaded && ctx.Err() == nil; {
		select {
		case <-hangups:
			*next, reloaded = a.reload(p)
		case <-ctx.Done():
		}
	}
	stop()
	since := a.now()
	<-ended
	a.saySkipped(ctx, p.schedule, since)
	return broken
}

// reload reads the configuration again. ok is false if it is wrong, and the old one stays.
func (a *app) reload(old *plan) (p *plan, ok bool) {
	p, err := a.newPlan()
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			a.logger.Error("the configuration is not reloaded, the old one stays", "error", strings.TrimSpace(line))
		}
		return old, false
	}
	a.logger.Info("the configuration is reloaded, for the passes that follow")
	if p.cfg.Metrics.Listen != old.cfg.Metrics.Listen {
		a.logger.Warn("metrics.listen has changed and is not followed: start tallyman schedule again for it", "still", old.cfg.Metrics.Listen)
	}
	return p, true
}

// catchUp does the passes that should have begun since the last one that went to its end, by business date. The first
// start of all has missed none.
func (a *app) catchUp(ctx context.Context, p *plan) error {
	last, ok, err := lastNight(ctx, p.cfg.DataDir, a.now())
	if err != nil {
		a.logger.Error("what was missed is not known and not caught up", "error", err.Error())
		return nil
	}
	if !ok {
		return nil
	}
	began, calendar := a.now(), p.cfg.Reconcile.Calendar()
	for _, date := range p.schedule.Missed(last.StartedAt, began, calendar.LastComplete) {
		if ctx.Err() != nil {
			return nil
		}
		a.logger.Warn("a pass was missed and is caught up", "business_date", date, "last_pass", last.ID)
		if err := a.scheduledPass(ctx, p, date); err != nil {
			return err
		}
	}
	a.saySkipped(ctx, p.schedule, began)
	return nil
}

// lastNight returns the last pass that went to its end; ok is false if there is none.
func lastNight(ctx context.Context, dataDir string, now time.Time) (r ledger.Run, ok bool, err error) {
	l, err := ledger.OpenExisting(ctx, dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	r, ok, err = l.LastRun(ctx, "run", now, exitDone, exitNeedsPerson)
	return r, ok, errors.Join(err, l.Close())
}

// saySkipped says that a time came while nobody waited for it.
func (a *app) saySkipped(ctx context.Context, schedule *nightly.Schedule, since time.Time) {
	if at := schedule.Next(since); ctx.Err() == nil && !at.After(a.now()) {
		a.logger.Warn("the time for a pass came while another one was under way: this one is skipped", "at", at.Format(time.RFC3339))
	}
}

func (a *app) sayNext(schedule *nightly.Schedule) {
	a.logger.Info("waiting for the next pass", "at", schedule.Next(a.now()).Format(time.RFC3339))
}

// scheduledPass does one pass, for a business date or the last complete one, and tells how it went. It returns an error only for what the command is to end with: a pass that
// was told to stop, or a result that could not be written; neither keeps the next pass from beginning.
func (a *app) scheduledPass(ctx context.Context, p *plan, date string) error {
	result, err := a.pass(ctx, p.cfg, nightly.RunRequest{Date: date, Secrets: p.secrets}, false)
	if err != nil {
		if ctx.Err() != nil {
			return stopped(fmt.Errorf("a pass was interrupted: %w", err))
		}
		a.logger.Error("the pass could not be done", "error", err.Error(), "exit", exitCode(ctx, err))
		return nil
	}
	if err := a.answerLine(result, runText(result)); err != nil {
		a.logger.Error("the result of the pass "+result.RunID+" could not be told", "error", err.Error())
		return err
	}
	end := ending(result)
	switch {
	case end == nil:
	case ctx.Err() != nil && result.Stop() != nil:
		return end
	default:
		for _, line := range strings.Split(end.Error(), "\n") {
			a.logger.Warn("the pass "+result.RunID+" is done", "exit", exitCode(ctx, end), "why", line)
		}
	}
	return nil
}

// answerLine writes one result of many: a line of text, or with --json a document on one line.
func (a *app) answerLine(value any, text string) error {
	if a.flags.json {
		line, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("write result: %w", err)
		}
		a.answered, text = true, string(line)+"\n"
	}
	if _, err := a.stdout.Write([]byte(text)); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
