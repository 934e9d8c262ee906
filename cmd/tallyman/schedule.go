package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/journal"
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
way is skipped.

Runs until it is told to stop by SIGTERM or SIGINT; a pass that is under way then
finishes what it has begun to send, and the next one goes on. The configuration is
read once, at the start.`,
		Example: "  tallyman schedule --log-format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSchedule(cmd.Context(), a, metrics)
		},
	}
	addMetricsFlag(cmd, &metrics)
	return cmd
}

func runSchedule(ctx context.Context, a *app, metrics string) error {
	cfg, secrets, err := a.nightConfig(config.SectionSchedule)
	if err != nil {
		return err
	}
	schedule, err := nightly.NewSchedule(cfg.Schedule, cfg.Reconcile.Calendar().Location())
	if err != nil {
		return usage(err)
	}
	defer a.serveMetrics(ctx, cfg, metrics, nil)()
	a.sayNext(schedule)
	var broken error
	schedule.Run(ctx, a.logger, func(ctx context.Context) {
		if err := a.scheduledPass(ctx, cfg, secrets); err != nil {
			broken = err
		}
		a.sayNext(schedule)
	})
	return broken
}

func (a *app) sayNext(schedule *nightly.Schedule) {
	a.logger.Info("waiting for the next pass", "at", schedule.Next(a.now()).Format(time.RFC3339))
}

// scheduledPass does one pass and tells how it went. It returns an error only for what the command is to end with: a pass that
// was told to stop, or a result that could not be written; neither keeps the next pass from beginning.
func (a *app) scheduledPass(ctx context.Context, cfg *config.Config, secrets journal.Secrets) error {
	result, err := a.pass(ctx, cfg, nightly.RunRequest{Secrets: secrets}, false)
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
