package nightly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"tallyman/internal/config"
)

// A sweep removes results that have been kept long enough. It knows them by the names that runs give them and leaves
// everything else alone.

// Swept is what a sweep removed, or would remove.
type Swept struct {
	DryRun  bool        `json:"dry_run"`
	Runs    []SweptItem `json:"runs"`    // directories in data_dir/runs
	Reports []SweptItem `json:"reports"` // directories in reports.dir
	Torn    []SweptItem `json:"torn"`    // files that killed runs had begun to write
	Needed  []string    `json:"needed"`  // old enough, and left: what for
}

// SweptItem is one of them.
type SweptItem struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// Bytes adds up what was removed.
func (s *Swept) Bytes() (n int64) {
	for _, item := range slices.Concat(s.Runs, s.Reports, s.Torn) {
		n += item.Bytes
	}
	return n
}

// Sweep removes what the retention of the configuration allows, under the run lock; a dry run only looks. A directory that
// holds the results of an unfinished or held file stays, and so do the last report of each business date, one that somebody
// signed, and one that is still to be sent by mail.
func Sweep(ctx context.Context, cfg *config.Config, now time.Time, dryRun bool) (_ *Swept, err error) {
	if !dryRun {
		unlock, err := lock(ctx, cfg.DataDir, "sweep", now)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	s := &sweeper{now: now, swept: &Swept{DryRun: dryRun, Runs: []SweptItem{}, Reports: []SweptItem{}, Torn: []SweptItem{}, Needed: []string{}}}
	needed, err := findNeeded(ctx, cfg)
	if err != nil {
		return s.swept, err
	}
	if s.runs(ctx, cfg, needed) && s.reports(ctx, cfg, needed) {
		s.tornIn(ctx, filepath.Join(cfg.DataDir, "outbox"))
	}
	return s.swept, s.err
}

// sweeper remembers the first error; after it nothing more is removed.
type sweeper struct {
	now   time.Time
	swept *Swept
	err   error
}

// runs removes old directories of runs.
func (s *sweeper) runs(ctx context.Context, cfg *config.Config, needed *needed) bool {
	dir := filepath.Join(cfg.DataDir, "runs")
	for _, id := range s.runsIn(dir) {
		path := filepath.Join(dir, id)
		if !s.old(id, cfg.Keep.Runs) {
			s.tornIn(ctx, path)
			continue
		}
		if why, ok := needed.runs[id]; ok {
			s.swept.Needed = append(s.swept.Needed, path+": "+why)
			continue
		}
		s.swept.Runs = s.remove(ctx, path, s.swept.Runs)
	}
	return s.err == nil
}

// reports removes old reports, but of each business date the last whole one and what is newer.
func (s *sweeper) reports(ctx context.Context, cfg *config.Config, needed *needed) bool {
	dates, err := os.ReadDir(cfg.Reports.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.fail(fmt.Errorf("look through the reports: %w", err))
	}
	for _, date := range dates {
		if _, err := config.ParseDate(date.Name()); err != nil || !date.IsDir() {
			continue
		}
		dir := filepath.Join(cfg.Reports.Dir, date.Name())
		ids := s.runsIn(dir)
		last := len(ids) - 1
		for last > 0 && !exists(filepath.Join(dir, ids[last], "summary.json")) {
			last--
		}
		for i, id := range ids {
			path := filepath.Join(dir, id)
			why, wanted := needed.reports[id]
			switch {
			case !s.old(id, cfg.Keep.Reports):
				s.tornIn(ctx, path)
			case i >= last:
				s.swept.Needed = append(s.swept.Needed, path+": it is the last report of "+date.Name())
			case wanted:
				s.swept.Needed = append(s.swept.Needed, path+": "+why)
			default:
				s.swept.Reports = s.remove(ctx, path, s.swept.Reports)
			}
		}
	}
	return s.err == nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// runsIn returns the names of the directories that are named after runs, oldest first.
func (s *sweeper) runsIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.fail(fmt.Errorf("look for what can be swept: %w", err))
	}
	var ids []string
	for _, e := range entries {
		if _, ok := runTime(e.Name()); ok && e.IsDir() {
			ids = append(ids, e.Name())
		}
	}
	return ids
}

// old reports whether a run is so long ago that its results need not be kept.
func (s *sweeper) old(runID string, keep config.Retention) bool {
	at, ok := runTime(runID)
	return ok && !keep.Off() && at.Before(keep.Before(s.now))
}

// tornAge is how old a file must be that a run has begun to write and not finished.
const tornAge = 24 * time.Hour

// tornName is how files are called while they are written (writeFile).
var tornName = regexp.MustCompile(`^\..+\.(csv|json|xlsx|html)\d+$`)

// tornIn removes what killed runs had begun to write in a directory.
func (s *sweeper) tornIn(ctx context.Context, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // it is not there, or the next sweep finds it
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && tornName.MatchString(e.Name()) && s.now.Sub(info.ModTime()) > tornAge {
			s.swept.Torn = s.remove(ctx, filepath.Join(dir, e.Name()), s.swept.Torn)
		}
	}
}

// remove removes a file or directory and adds it to the list.
func (s *sweeper) remove(ctx context.Context, path string, list []SweptItem) []SweptItem {
	if s.err != nil || !s.fail(ctx.Err()) {
		return list
	}
	item := SweptItem{Path: path, Bytes: sizeOf(path)}
	if !s.swept.DryRun {
		if err := os.RemoveAll(path); err != nil {
			s.fail(fmt.Errorf("sweep: %w", err))
			return list
		}
	}
	return append(list, item)
}

// fail keeps the first error and reports whether there is none.
func (s *sweeper) fail(err error) bool {
	if s.err == nil {
		s.err = err
	}
	return s.err == nil
}

func sizeOf(path string) (n int64) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it has gone meanwhile
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}
