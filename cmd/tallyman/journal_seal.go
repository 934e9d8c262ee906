package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/journal"
)

func newJournalSealCommand(a *app) *cobra.Command {
	var before string
	cmd := &cobra.Command{
		Use:   "seal [PATH]",
		Short: "Compress old segments with zstd",
		Long: `Compresses the segments of past days to .jsonl.zst, to about a tenth. Every command
reads sealed segments as they read plain ones: the lines, their numbers and the
chain stay what they are. A plain segment is removed only once the compressed one
is on disk and has been read back byte for byte; killed anywhere, run it again.

It may run while tallyman receive writes and while reports are made. The youngest
segment is never touched, and without --before neither is one of yesterday or
today (UTC).`,
		Example: "  tallyman journal seal --before 2026-11-01",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJournalSeal(cmd.Context(), a, args, before)
		},
	}
	cmd.Flags().StringVar(&before, "before", "", "only segments of UTC days before `DATE` (default yesterday)")
	return cmd
}

// sealAnswer is what `tallyman journal seal --json` says.
type sealAnswer struct {
	Path   string          `json:"path"`
	Before string          `json:"before"`
	Sealed []sealedSegment `json:"sealed"`
}

type sealedSegment struct {
	Name       string `json:"name"`
	PlainBytes int64  `json:"plain_bytes"`
	Bytes      int64  `json:"bytes"`
}

func runJournalSeal(ctx context.Context, a *app, args []string, before string) error {
	day := a.now().UTC().AddDate(0, 0, -1).Truncate(24 * time.Hour)
	if before != "" {
		var err error
		if day, err = time.Parse(time.DateOnly, before); err != nil {
			return usage(fmt.Errorf("--before %q: write a date as 2026-11-22", before))
		}
	}
	path, missing, err := a.journalPath(args)
	if err != nil {
		return err
	}
	answer := sealAnswer{Path: path, Before: day.Format(time.DateOnly), Sealed: []sealedSegment{}}
	if missing {
		return a.answer(answer, noJournal(path))
	}
	if err := isJournalDirectory(path); err != nil {
		return err
	}
	done, err := journal.Seal(ctx, path, day, a.logger)
	for _, s := range done {
		answer.Sealed = append(answer.Sealed, sealedSegment{s.Name, s.Plain, s.Bytes})
	}
	switch {
	case errors.Is(err, journal.ErrSealing):
		return locked(err)
	case err != nil:
		return sorted(err)
	}
	return a.answer(answer, sealText(answer))
}

func sealText(answer sealAnswer) string {
	if len(answer.Sealed) == 0 {
		return fmt.Sprintf("%s: no segment to seal before %s\n", answer.Path, answer.Before)
	}
	var b strings.Builder
	for _, s := range answer.Sealed {
		fmt.Fprintf(&b, "%s: %d bytes, were %d\n", printable(s.Name), s.Bytes, s.PlainBytes)
	}
	fmt.Fprintf(&b, "%s: sealed %s\n", answer.Path, count(len(answer.Sealed), "segment"))
	return b.String()
}
