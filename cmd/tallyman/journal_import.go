package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/journal"
)

func newJournalImportCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE...",
		Short: "Take in events that another receiver logged",
		Long: `Adds the events in files that another receiver wrote to data_dir/journal/imported,
a journal of its own beside the one of what was received here: tallyman run and
tallyman reconcile read both, what was received first, and count an event that
stands in both once. Files or directories of *.jsonl, *.jsonl.gz and *.jsonl.zst,
a line an event: a bare Moment event, or an object with webhook_id,
webhook_timestamp, webhook_signature, and the body as event, body or body_base64.

An imported event is unverified, unless its headers are there and a secret of the
configuration made the signature. Importing a file again adds nothing.

Lines that are no events, or were changed since they were signed, are refused and
named; that ends with 3, and so does a damaged chain.`,
		Example: "  tallyman journal import old-receiver/2026-11.jsonl.gz",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJournalImport(cmd.Context(), a, args)
		},
	}
}

// importAnswer is what `tallyman journal import --json` says.
type importAnswer struct {
	Path       string            `json:"path"`
	Lines      int64             `json:"lines"`
	Added      int64             `json:"added"`
	Known      int64             `json:"known"`
	Verified   int64             `json:"verified"`   // of the added
	Unverified int64             `json:"unverified"` // of the added
	Refused    []journal.Finding `json:"refused"`    // the first 1,000
	RefusedAll int64             `json:"refused_count"`
	Damage     []journal.Finding `json:"damage"` // the first 1,000
	DamageAll  int64             `json:"damage_count"`
}

func runJournalImport(ctx context.Context, a *app, files []string) error {
	cfg, err := a.config(config.SectionDataDir)
	if err != nil {
		return err
	}
	secrets, err := a.reportSecrets()
	if err != nil {
		return err
	}
	dir := filepath.Join(cfg.DataDir, "journal")
	done, err := journal.Import(ctx, dir, files, journal.ImportOptions{Secrets: secrets, Log: a.logger, Now: a.now})
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, journal.ErrOwnJournal):
		return usage(err)
	case err != nil:
		return sorted(fmt.Errorf("%w; %s added: import the same files again to go on", err, count(int(done.Added), "event")))
	}
	answer := importAnswer{
		Path: filepath.Join(dir, journal.ImportedName), Lines: done.Lines, Added: done.Added, Known: done.Known,
		Verified: done.Verified, Unverified: done.Added - done.Verified,
		Refused: append([]journal.Finding{}, done.Refused...), RefusedAll: done.RefusedAll,
		Damage: append([]journal.Finding{}, done.Damage...), DamageAll: done.DamageAll,
	}
	if err := a.answer(answer, importedText(answer)); err != nil {
		return err
	}
	if answer.RefusedAll+answer.DamageAll > 0 {
		return needsPerson(fmt.Errorf("%s refused and %s of damage in the files: what could be read is imported; find out what happened to the rest",
			count(int(answer.RefusedAll), "line"), places(answer.DamageAll)))
	}
	return nil
}

func importedText(v importAnswer) string {
	var b strings.Builder
	writeFindings(&b, "refused: ", v.Refused, v.RefusedAll)
	writeFindings(&b, "damage: ", v.Damage, v.DamageAll)
	fmt.Fprintf(&b, "%s: %d lines: %d added, %d known, %d refused\n", v.Path, v.Lines, v.Added, v.Known, v.RefusedAll)
	fmt.Fprintf(&b, "signatures of the added: %d verified, %d unverified\n", v.Verified, v.Unverified)
	return b.String()
}

// writeFindings prints a line each, and how many more there are than the list holds.
func writeFindings(b *strings.Builder, prefix string, list []journal.Finding, all int64) {
	for _, f := range list {
		fmt.Fprintf(b, "%s%s\n", prefix, printable(f.String()))
	}
	if more := all - int64(len(list)); more > 0 {
		fmt.Fprintf(b, "%sand %d more\n", prefix, more)
	}
}
