package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/nightly"
)

func newJournalCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "journal verify|repair|seal|import|ls",
		Short:   "Check, repair, compress, add to or list the journal of webhook events",
		Long:    `Works on the journal in PATH, or else on the one in data_dir.`,
		Example: "  tallyman journal verify",
		Args:    cobra.ArbitraryArgs,
		RunE:    runGroup,
	}
	cmd.AddCommand(newJournalVerifyCommand(a), newJournalRepairCommand(a), newJournalSealCommand(a), newJournalImportCommand(a), newJournalListCommand(a))
	return cmd
}

func newJournalVerifyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [PATH]",
		Short: "Check chain and signatures; changes nothing",
		Long: `Reads a journal, a directory or a file, and names every damage by file, line and
kind. Signatures are checked again with the secrets of the configuration, if they
are at hand. It may run while tallyman receive writes.

What was imported beside a journal is checked along with it. Damage ends with 3, what is only worth knowing does not.`,
		Example: "  tallyman journal verify /backup/journal",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJournalVerify(cmd.Context(), a, args)
		},
	}
}

func newJournalRepairCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "repair [PATH]",
		Short: "Move a torn tail aside, and nothing else",
		Long: `A machine that stops in the middle of a write can leave a torn tail: the beginning
of a line at the end of the youngest segment. Nobody was told that it was kept, so
Moment sends that event again. Repair moves it into a file of its own, beside the
segment; nothing is deleted. tallyman receive does the same at its start.

Other damage is not repaired: it is named, as tallyman journal verify names it, and
ends with 3. Take the segments from a backup.`,
		Example: "  tallyman journal repair",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJournalRepair(cmd.Context(), a, args)
		},
	}
}

// journalPath returns which journal is meant: the one in the argument, else the one in data_dir. missing is true if the
// latter is not there yet: nothing was received. One that was named must be there.
func (a *app) journalPath(args []string) (path string, missing bool, err error) {
	if len(args) > 0 {
		path = args[0]
	} else {
		cfg, err := a.config(config.SectionDataDir)
		if err != nil {
			return "", false, err
		}
		path = filepath.Join(cfg.DataDir, "journal")
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		return path, false, nil
	case errors.Is(err, fs.ErrNotExist) && len(args) == 0:
		return path, true, nil
	default:
		return "", false, usage(fmt.Errorf("open journal: %w", err))
	}
}

// isJournalDirectory refuses a single file: what changes a journal works on its own directory, with lock and HEAD.
func isJournalDirectory(path string) error {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return usage(fmt.Errorf("open journal: %s is no directory: name the journal's own directory", path))
	}
	return nil
}

// noJournal is what the commands say of a journal that is not there yet.
func noJournal(path string) string {
	return fmt.Sprintf("there is no journal in %s yet: tallyman receive makes it\n", path)
}

// verifyAnswer is what `tallyman journal verify --json` says.
type verifyAnswer struct {
	Path       string            `json:"path"`
	Whole      bool              `json:"whole"`
	Files      int               `json:"files"`
	Lines      int64             `json:"lines"`
	Seq        int64             `json:"seq"`    // of the last line of the chain; 0 if there is none
	SHA256     string            `json:"sha256"` // of that line
	Verified   int64             `json:"verified"`
	Unverified int64             `json:"unverified"`
	Failed     int64             `json:"failed"`
	Damage     []journal.Finding `json:"damage"` // the first 1,000
	DamageAll  int64             `json:"damage_count"`
	Notices    []journal.Finding `json:"notices"`
	Imported   *verifyAnswer     `json:"imported,omitempty"` // the journal of what was imported beside this one

	torn bool // a torn tail is all the damage
}

func runJournalVerify(ctx context.Context, a *app, args []string) error {
	path, missing, err := a.journalPath(args)
	if err != nil {
		return err
	}
	answer := verifyAnswer{Path: path, Whole: true, Damage: []journal.Finding{}, Notices: []journal.Finding{}}
	known, err := a.lastReported(args)
	if err != nil {
		return err
	}
	if missing && len(known) > 0 {
		return needsPerson(fmt.Errorf("there is no journal in %s, and %s knows line number %d of it: put it back from a backup", path, known[0].Source, known[0].Seq))
	}
	if missing {
		return a.answer(answer, noJournal(path))
	}
	if len(args) == 0 {
		if err := isJournalDirectory(path); err != nil {
			return err
		}
	}
	secrets, err := a.reportSecrets()
	if err != nil {
		return err
	}
	if answer, err = verifyJournal(ctx, path, secrets, known); err != nil {
		return err
	}
	imported := filepath.Join(path, journal.ImportedName)
	if info, err := os.Stat(imported); err == nil && info.IsDir() {
		beside, err := verifyJournal(ctx, imported, secrets, nil)
		if err != nil {
			return err
		}
		answer.Imported = &beside
	}
	if err := a.answer(answer, verifyText(answer)); err != nil {
		return err
	}
	if err := answer.trouble(); err != nil || answer.Imported == nil {
		return err
	}
	return answer.Imported.trouble()
}

// lastReported returns what the last report knows of the configured journal; nothing of one that was named.
func (a *app) lastReported(args []string) ([]journal.Witness, error) {
	if len(args) > 0 {
		return nil, nil
	}
	cfg, err := a.config(config.SectionDataDir)
	if err != nil {
		return nil, err
	}
	return nightly.LastReported(cfg.Reports.Dir), nil
}

// verifyJournal verifies one journal.
func verifyJournal(ctx context.Context, path string, secrets journal.Secrets, known []journal.Witness) (verifyAnswer, error) {
	report, err := journal.Verify(ctx, path, secrets, known...)
	return verifyAnswer{
		Path: path, Whole: report.DamageCount == 0, Files: len(report.Files), Lines: report.Lines,
		Seq: report.Seq, SHA256: report.Hash,
		Verified: report.Verified, Unverified: report.Unverified, Failed: report.Failed,
		Damage: append([]journal.Finding{}, report.Damage...), DamageAll: report.DamageCount,
		Notices: append([]journal.Finding{}, report.Notices...),
		torn:    report.Torn != nil && report.DamageCount == 1,
	}, err
}

// trouble says what to do about damage; nil if there is none.
func (v verifyAnswer) trouble() error {
	if v.Whole {
		return nil
	}
	remedy := "keep it as it is, and take the segments from a backup"
	if v.torn {
		remedy = "tallyman journal repair moves the torn tail aside"
	}
	return needsPerson(fmt.Errorf("the journal in %s is damaged in %s: %s", v.Path, places(v.DamageAll), remedy))
}

func places(n int64) string {
	if n == 1 {
		return "1 place"
	}
	return fmt.Sprintf("%d places", n)
}

func verifyText(v verifyAnswer) string {
	var b strings.Builder
	writeFindings(&b, "", v.Damage, v.DamageAll)
	for _, f := range v.Notices {
		fmt.Fprintf(&b, "note: %s\n", printable(f.String()))
	}
	state := "whole"
	if !v.Whole {
		state = "DAMAGED in " + places(v.DamageAll)
	}
	fmt.Fprintf(&b, "%s: %s; %d lines in %s, last seq %d\n", v.Path, state, v.Lines, count(v.Files, "file"), v.Seq)
	fmt.Fprintf(&b, "signatures: %d verified, %d unverified, %d failed\n", v.Verified, v.Unverified, v.Failed)
	if v.Imported != nil {
		b.WriteString(verifyText(*v.Imported))
	}
	return b.String()
}

// repairAnswer is what `tallyman journal repair --json` says; File is empty if there was nothing to repair.
type repairAnswer struct {
	Path   string        `json:"path"`
	File   string        `json:"file"`
	Aside  string        `json:"aside"`
	Bytes  int64         `json:"bytes"`
	Verify *verifyAnswer `json:"verify,omitempty"` // the journal as it is afterwards; absent if there is none yet
}

func runJournalRepair(ctx context.Context, a *app, args []string) error {
	path, missing, err := a.journalPath(args)
	if err != nil {
		return err
	}
	if missing {
		return a.answer(repairAnswer{Path: path}, noJournal(path))
	}
	if err := isJournalDirectory(path); err != nil {
		return err
	}
	secrets, err := a.reportSecrets()
	if err != nil {
		return err
	}
	done, err := journal.Repair(ctx, path, a.now(), a.logger)
	if err != nil {
		return sorted(err)
	}
	left, err := verifyJournal(ctx, path, secrets, nil)
	if err != nil {
		return err
	}
	left.torn = false // what repair leaves of a torn tail, a second one does not move either
	text := fmt.Sprintf("%s: there is no torn tail; nothing was done\n", path)
	if done.File != "" {
		text = fmt.Sprintf("%s: moved the torn tail of %s, %d bytes, to %s\n", path, done.File, done.Bytes, done.Aside)
	}
	if !left.Whole {
		text += verifyText(left)
	}
	if err := a.answer(repairAnswer{Path: path, File: done.File, Aside: done.Aside, Bytes: done.Bytes, Verify: &left}, text); err != nil {
		return err
	}
	return left.trouble()
}
