package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

// How much the overview shows: the last runs and files, and of older files those that are not done with.
const (
	statusRuns  = 10
	statusFiles = 10
	statusOlder = 1000
)

func newStatusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status [RUN-ID]",
		Short: "Last runs, files, what is missing, what to do next",
		Long: `Shows the last runs and files, what is unfinished, held, rejected, missing or not
delivered, how the journal is, when the schedule begins the next pass, and what to do
next, each with the command that helps. With
RUN-ID, or as much of its beginning as only one run has: what that run did.

It only looks, and may be called while a run is at work.`,
		Example: "  tallyman status\n  tallyman status 20261122T0430",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStatus(cmd.Context(), a, args)
		},
	}
}

// statusAnswer is what `tallyman status --json` says.
type statusAnswer struct {
	Merchant string        `json:"merchant"`
	DataDir  string        `json:"data_dir"`
	Ledger   bool          `json:"ledger"` // there is one: something was run
	Holder   string        `json:"holder"` // who works on the data directory; empty: nobody
	Runs     []runInfo     `json:"runs"`   // newest first
	Files    []fileInfo    `json:"files"`  // newest first
	Outbox   []string      `json:"outbox"` // names of result files that are not delivered
	Mail     []string      `json:"mail"`   // reports that are not sent by mail yet
	Journal  journalStatus `json:"journal"`
	// Signed are the last signatures, and those whose figures have moved.
	Signed []signedInfo `json:"signed"`
	// Absent is what did not happen and should have.
	Absent []nightly.Absence `json:"absent"`
	// NextDue is when the configured schedule begins a pass next.
	NextDue time.Time  `json:"next_due,omitzero"`
	Next    []nextStep `json:"next"`
}

// journalStatus says how far the journal is.
type journalStatus struct {
	Path     string    `json:"path"`
	Seq      int64     `json:"seq"` // of the last line; 0 if there is none
	Last     time.Time `json:"last,omitzero"`
	Segments int       `json:"segments"`
	Bytes    int64     `json:"bytes"`             // on disk
	State    string    `json:"state,omitempty"`   // whole, damaged or torn_tail, as the last report found it
	Checked  string    `json:"checked,omitempty"` // the run that made that report
	Trouble  string    `json:"trouble,omitempty"` // why it cannot be read
}

func runStatus(ctx context.Context, a *app, args []string) (err error) {
	cfg, err := a.config(config.SectionMerchant | config.SectionDataDir)
	if err != nil {
		return err
	}
	holder, err := nightly.ReadHolder(cfg.DataDir)
	if err != nil {
		return err
	}
	l, err := ledger.OpenExisting(ctx, cfg.DataDir)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return sorted(err)
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.Close()) }()
	}
	zone := cfg.Reconcile.Calendar().Location()
	if len(args) > 0 {
		if missing {
			return usage(fmt.Errorf("there is no run %q: there is no ledger in %s yet", args[0], cfg.DataDir))
		}
		return a.statusOfRun(ctx, l, holder, args[0], zone)
	}
	s := &statusAnswer{
		Merchant: cfg.Merchant, DataDir: cfg.DataDir, Ledger: !missing, Runs: []runInfo{}, Files: []fileInfo{}, Outbox: []string{},
		Signed: []signedInfo{}, Absent: []nightly.Absence{}, NextDue: nextDue(cfg, a.now()),
	}
	if holder.Held {
		s.Holder = holder.Text
	}
	if l != nil {
		if err := s.look(ctx, l, holder); err != nil {
			return err
		}
		absent, err := nightly.Watch{Ledger: l, Config: cfg, Now: a.now()}.Look(ctx)
		if err != nil {
			return err
		}
		s.Absent = append(s.Absent, absent...)
		if s.Signed, err = signedReports(ctx, l); err != nil {
			return err
		}
	}
	if s.Outbox, err = outbox(cfg.DataDir); err != nil {
		return err
	}
	if s.Mail, err = nightly.WaitingMail(cfg.DataDir); err != nil {
		return err
	}
	s.Journal = lookAtJournal(ctx, filepath.Join(cfg.DataDir, "journal"))
	s.Journal.checked(s.Runs)
	s.Next = nextSteps(s)
	return a.answer(s, statusText(s, zone))
}

// look reads runs and files from the ledger.
func (s *statusAnswer) look(ctx context.Context, l *ledger.Ledger, holder nightly.Holder) error {
	runs, err := l.Runs(ctx, statusRuns)
	if err != nil {
		return err
	}
	for _, r := range runs {
		s.Runs = append(s.Runs, newRunInfo(r, holder))
	}
	files, err := l.Files(ctx, statusOlder)
	if err != nil {
		return err
	}
	all := make([]fileInfo, len(files))
	for i, f := range files {
		all[i] = newFileInfo(f)
		all[i].Corrects = corrects(f, files[i+1:])
		if all[i].Approval, err = approvalOf(ctx, l, f); err != nil {
			return err
		}
		all[i].Overtaken = f.State != ledger.FileDone && overtaken(all[i], all[:i])
		if i < statusFiles || (f.State != ledger.FileDone && !all[i].Overtaken) {
			s.Files = append(s.Files, all[i])
		}
	}
	return nil
}

// corrects returns the id of the day file of the same date that came before a day file; empty if there is none.
func corrects(f ledger.File, earlier []ledger.File) string {
	for _, e := range earlier {
		if f.DayFile && e.DayFile && e.BusinessDate == f.BusinessDate {
			return newFileInfo(e).FileID
		}
	}
	return ""
}

// approvalOf returns a person's word on a file, nil if there is none.
func approvalOf(ctx context.Context, l *ledger.Ledger, f ledger.File) (*nightly.Approval, error) {
	found, ok, err := l.ApprovalOf(ctx, f.ID)
	if err != nil || !ok {
		return nil, err
	}
	approval := nightly.Approval(found)
	return &approval, nil
}

// outbox returns the names of the result files that wait for delivery.
func outbox(dataDir string) ([]string, error) {
	names := []string{}
	entries, err := os.ReadDir(filepath.Join(dataDir, "outbox"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look into the outbox: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// lookAtJournal says how far a journal is. That it cannot be read is something to show, not to fail with.
func lookAtJournal(ctx context.Context, dir string) journalStatus {
	s := journalStatus{Path: dir}
	last, ok, err := lastReceived(ctx, dir)
	switch {
	case err != nil:
		s.Trouble = err.Error()
	case ok:
		s.Seq, s.Last = last.LastSeq, last.LastTime
	}
	segments, err := journal.Segments(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && s.Trouble == "" {
		s.Trouble = err.Error()
	}
	for _, segment := range segments {
		s.Segments++
		s.Bytes += segment.Bytes
	}
	return s
}

// checked notes what the last report found: to read a whole journal would take too long here.
func (s *journalStatus) checked(runs []runInfo) {
	for _, r := range runs {
		if r.result != nil && r.result.Report != nil {
			s.State, s.Checked = r.result.Report.Summary.Completeness.Journal, r.ID
			return
		}
	}
}

// nextDue is when the configured schedule begins a pass; zero if it never does.
func nextDue(cfg *config.Config, now time.Time) time.Time {
	schedule, err := nightly.NewSchedule(cfg.Schedule, cfg.Reconcile.Calendar().Location())
	if err != nil {
		return time.Time{}
	}
	return schedule.Next(now)
}
