package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

type signOptions struct{ report, by, note string }

func newSignCommand(a *app) *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:   "sign --report DIR --by NAME [--note TEXT]",
		Short: "Put a person's signature under a report; recorded",
		Long: `Records that a person stands behind a report: its figures and the hashes of its
files, with name, note and time. Nothing signs by itself. Every later report of the
same period, and tallyman status, say whether the signed figures have moved, and
which.

A report that this ledger does not know, or whose files are no longer as they were
written, is not signed. What somebody wrote into exceptions.csv is taken over by
tallyman reconcile --date; sign that report.`,
		Example: `  tallyman sign --report reports/2026-11-22/20261123T043000000Z-1a2b --by "T. Nkosi" --note "agreed with the bank"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSign(cmd.Context(), a, o)
		},
	}
	cmd.Flags().StringVar(&o.report, "report", "", "the report's directory `DIR`; required")
	cmd.Flags().StringVar(&o.by, "by", "", "`NAME` of the person who signs; required")
	cmd.Flags().StringVar(&o.note, "note", "", "`TEXT` beside the signature")
	return cmd
}

// signAnswer is what `tallyman sign --json` says.
type signAnswer struct {
	Report       string              `json:"report"`
	BusinessDate string              `json:"business_date"`
	By           string              `json:"by"`
	Note         string              `json:"note"`
	SignedAt     time.Time           `json:"signed_at"`
	Figures      []ledger.Figure     `json:"figures"`
	Files        []ledger.ReportFile `json:"files"`
}

func runSign(ctx context.Context, a *app, o signOptions) (err error) {
	o.by, o.note = strings.TrimSpace(o.by), strings.TrimSpace(o.note)
	switch {
	case o.report == "":
		return usage(errors.New("--report is missing: name the directory of the report"))
	case o.by == "":
		return usage(errors.New("--by is missing: a signature is somebody's"))
	}
	cfg, err := a.config(config.SectionMerchant | config.SectionDataDir)
	if err != nil {
		return err
	}
	l, err := ledger.OpenExisting(ctx, cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return usage(fmt.Errorf("there is no ledger in %s: is this the configuration that the report was made with?", cfg.DataDir))
	}
	if err != nil {
		return sorted(err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	written, err := nightly.FindWritten(ctx, l, o.report)
	if err != nil {
		return sorted(err)
	}
	s := ledger.Signature{Report: written, By: o.by, Note: o.note, SignedAt: a.now().UTC()}
	if err := l.Sign(ctx, s); err != nil {
		return err
	}
	answer := signAnswer{
		Report: o.report, BusinessDate: written.BusinessDate, By: s.By, Note: s.Note, SignedAt: s.SignedAt, Figures: written.Figures, Files: written.Files,
	}
	return a.answer(answer, signText(answer))
}

func signText(s signAnswer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s signed the report for %s:\n", printable(s.By), s.BusinessDate)
	t := newTable("figure", "value")
	for _, f := range s.Figures {
		t.AppendRow([]any{printable(f.Name), f.Value})
	}
	render(&b, t)
	fmt.Fprintf(&b, "recorded with the hashes of %s; later reports say what has moved since\n", count(len(s.Files), "file"))
	return b.String()
}
