package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
	"tallyman/internal/metric"
	"tallyman/internal/nightly"
	"tallyman/internal/receiver"
)

// figuresTimeout bounds what is done for metrics at the end of a run.
const figuresTimeout = 10 * time.Second

// leaveMetrics writes metrics.textfile, if there is one to write. That it cannot be written is no fault of the run.
func leaveMetrics(ctx context.Context, cfg *config.Config, log *slog.Logger) {
	if cfg.Metrics.Textfile == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), figuresTimeout)
	defer cancel()
	figures, err := readFigures(ctx, cfg)
	if err == nil {
		err = metric.WriteTextfile(cfg.Metrics.Textfile, figures)
	}
	if err != nil {
		log.Warn("the run is done, but its metrics could not be left", "error", err.Error())
	}
}

// serveMetrics answers scrapes at an address, or else at metrics.listen, until stop is called. Counts are those of a receiver, or nil. A long-running command does
// its work also without: where the address cannot be had, that is said and nothing is served.
func (a *app) serveMetrics(ctx context.Context, cfg *config.Config, address string, counts func() receiver.Stats) (stop func()) {
	if address = cmp.Or(address, cfg.Metrics.Listen); address == "" {
		return func() {}
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		a.logger.Warn("metrics are not served: give each of receive and schedule an address of its own with --metrics-listen", "error", err.Error())
		return func() {}
	}
	a.logger.Info("serving metrics", "address", listener.Addr().String(), "path", metric.Path)
	ctx, cancel := context.WithCancel(ctx)
	var serving sync.WaitGroup
	serving.Go(func() {
		err := metric.Serve(ctx, listener, func(ctx context.Context) (metric.Figures, error) {
			figures, err := readFigures(ctx, cfg)
			if counts != nil {
				figures.Receiver = deliveries(counts())
			}
			return figures, err
		}, a.logger)
		if err != nil {
			a.logger.Warn("metrics are no longer served", "error", err.Error())
		}
	})
	return func() {
		cancel()
		serving.Wait()
	}
}

// deliveries names the counts of a receiver.
func deliveries(s receiver.Stats) *metric.Receiver {
	return &metric.Receiver{Healthy: s.Healthy, Deliveries: map[string]int64{
		"stored": s.Stored, "duplicate": s.Duplicates, "forged": s.Forged, "too_old": s.TooOld, "too_new": s.TooNew,
		"malformed": s.Malformed, "too_large": s.TooLarge, "too_many": s.TooMany, "unavailable": s.Unavailable,
	}}
}

// readFigures reads from the data directory what metrics show.
func readFigures(ctx context.Context, cfg *config.Config) (metric.Figures, error) {
	figures := metric.Figures{Version: readVersion().Version, Merchant: cfg.Merchant, Mode: cfg.API.Mode}
	extent, err := journal.Measure(filepath.Join(cfg.DataDir, "journal"))
	if err != nil {
		return figures, err
	}
	figures.Journal = &metric.Journal{Bytes: extent.Bytes, Segments: extent.Segments, Events: extent.Seq, LastAt: extent.LastAt}
	l, err := ledger.OpenExisting(ctx, cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return figures, nil
	}
	if err != nil {
		return figures, err
	}
	return figures, errors.Join(readRuns(ctx, l, &figures), l.Close())
}

// readRuns adds what the ledger knows of runs and files.
func readRuns(ctx context.Context, l *ledger.Ledger, figures *metric.Figures) (err error) {
	if figures.Files, err = l.CountFiles(ctx); err != nil {
		return err
	}
	counts, err := l.CountRuns(ctx)
	if err != nil {
		return err
	}
	for _, c := range counts {
		figures.Runs = append(figures.Runs, metric.RunCount{Command: c.Command, Exit: metric.ExitLabel(c.Ended, c.ExitCode), Count: c.Count})
	}
	for i, c := range counts {
		if i > 0 && counts[i-1].Command == c.Command {
			continue
		}
		run, ok, err := l.LastEnded(ctx, c.Command)
		if err != nil {
			return err
		}
		if ok {
			figures.Last = append(figures.Last, lastRun(run, counts))
		}
	}
	return nil
}

// lastRun is what metrics show of the last run of a command.
func lastRun(r ledger.Run, counts []ledger.RunCount) metric.Run {
	m := metric.Run{Command: r.Command, Start: r.StartedAt, End: r.EndedAt, Exit: r.ExitCode, Rows: map[string]int64{}}
	for _, c := range counts {
		if c.Command != r.Command || !c.Ended || c.ExitCode != exitDone && c.ExitCode != exitNeedsPerson {
			continue
		}
		if c.LastEnd.After(m.Completed) {
			m.Completed = c.LastEnd
		}
		if c.ExitCode == exitDone {
			m.Success = c.LastEnd
		}
	}
	var result nightly.Result
	if json.Unmarshal([]byte(r.Summary), &result) != nil {
		return m // a run that failed has no summary
	}
	total, _ := result.Total()
	for _, outcome := range formats.Outcomes {
		m.Rows[string(outcome)] = int64(total.Outcomes[outcome])
	}
	if result.Report != nil {
		m.Exceptions = map[string]int64{"break": int64(result.Report.Breaks), "notice": int64(result.Report.Notices)}
	}
	if t := result.Traffic; t != nil {
		m.Requests, m.Pace = t.Answers, t.Pace
		m.LatencyCount, m.LatencySum = uint64(t.Latency.Count), time.Duration(t.Latency.SumMS)*time.Millisecond
		m.Latency = map[float64]uint64{}
		for _, w := range t.Latency.Within {
			m.Latency[float64(w.MS)/1000] = uint64(w.Count)
		}
	}
	return m
}

// addMetricsFlag adds --metrics-listen to a command that stays up.
func addMetricsFlag(cmd *cobra.Command, address *string) {
	cmd.Flags().StringVar(address, "metrics-listen", "", "serve metrics at this `ADDRESS`, host:port, instead of at metrics.listen")
}
