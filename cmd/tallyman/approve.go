package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/ledger"
)

type approveOptions struct {
	reason, by, date string
}

func newApproveCommand(a *app) *cobra.Command {
	var o approveOptions
	cmd := &cobra.Command{
		Use:   "approve FILE-ID --reason TEXT [--by NAME] [--date DATE]",
		Short: "Release a file that a guard holds; recorded",
		Long: `Records that a person has looked at a held file and found it right. FILE-ID is the
first column under FILES in tallyman status, or any piece of its beginning that only
one file has. Where the same bytes came for two business dates, --date says which.

The next tallyman run imports the file, also if its copy in the inbox is gone; so does
tallyman import --retry RUN-ID at once, or an import of the file itself. Who approved
it and why is in that run's summary.`,
		Example: `  tallyman approve 3f1c9a20b7d4 --reason "tariff change, confirmed by the biller"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runApprove(cmd.Context(), a, args[0], o)
		},
	}
	cmd.Flags().StringVar(&o.reason, "reason", "", "why it is right, `TEXT` for those who ask later; required")
	cmd.Flags().StringVar(&o.by, "by", "", "who says so, a `NAME` (else the user who runs this)")
	cmd.Flags().Var((*dateValue)(&o.date), "date", "business `DATE` of the file, YYYY-MM-DD, where the same bytes came for several")
	return cmd
}

// approveAnswer is what `tallyman approve --json` says.
type approveAnswer struct {
	File       fileInfo  `json:"file"`
	HeldFor    string    `json:"held_for"`
	Reason     string    `json:"reason"`
	By         string    `json:"by"`
	ApprovedAt time.Time `json:"approved_at"`
}

func runApprove(ctx context.Context, a *app, id string, o approveOptions) error {
	reason, by := strings.TrimSpace(o.reason), strings.TrimSpace(o.by)
	if reason == "" {
		return usage(errors.New("--reason is missing: say why the file is right, for those who ask later"))
	}
	if by == "" {
		by = userName()
	}
	cfg, err := a.config(config.SectionMerchant | config.SectionDataDir)
	if err != nil {
		return err
	}
	l, err := ledger.OpenExisting(ctx, cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return usage(fmt.Errorf("there is no ledger in %s: is this the configuration that the file was imported with?", cfg.DataDir))
	}
	if err != nil {
		return sorted(err)
	}
	answer := approveAnswer{Reason: reason, By: by, ApprovedAt: a.now().UTC()}
	err = answer.record(ctx, l, id, o.date)
	if err := errors.Join(err, l.Close()); err != nil {
		return err
	}
	return a.answer(answer, approveText(answer))
}

// record finds the held file and puts the approval on record.
func (answer *approveAnswer) record(ctx context.Context, l *ledger.Ledger, id, date string) error {
	f, err := findHeld(ctx, l, id, date)
	if err != nil {
		return err
	}
	answer.File, answer.HeldFor = newFileInfo(f), f.Reason
	ok, err := l.Approve(ctx, f.ID, ledger.Approval{HeldFor: f.Reason, Reason: answer.Reason, By: answer.By, ApprovedAt: answer.ApprovedAt})
	if err == nil && !ok {
		return usage(fmt.Errorf("%s is not held any more: see tallyman status", f.Name))
	}
	answer.File.State = ledger.FileOpen
	return err
}

// findHeld returns the one held file that an id, and a date if there is one, mean.
func findHeld(ctx context.Context, l *ledger.Ledger, id, date string) (ledger.File, error) {
	piece := strings.ToLower(id)
	if piece == "" || strings.Trim(piece, "0123456789abcdef") != "" {
		return ledger.File{}, usage(fmt.Errorf("%q is no FILE-ID: take it from the first column under FILES in tallyman status", id))
	}
	files, err := l.FindFiles(ctx, piece)
	if err != nil {
		return ledger.File{}, err
	}
	var held, others []ledger.File
	if slices.ContainsFunc(files, func(f ledger.File) bool { return f.SHA256 != files[0].SHA256 }) {
		return ledger.File{}, usage(fmt.Errorf("%q is the beginning of several files (%s): write more of it", id, listed(files)))
	}
	for _, f := range files {
		switch {
		case date != "" && f.BusinessDate != date:
		case f.State == ledger.FileHeld:
			held = append(held, f)
		default:
			others = append(others, f)
		}
	}
	switch {
	case len(held) == 1:
		return held[0], nil
	case len(held) > 1:
		return ledger.File{}, usage(fmt.Errorf("%q means %d held files (%s): say which with --date", id, len(held), listed(held)))
	case len(others) > 0:
		return ledger.File{}, usage(fmt.Errorf("%q is not held (%s): there is nothing to approve", id, listed(others)))
	}
	return ledger.File{}, usage(fmt.Errorf("there is no file %q: tallyman status lists those that are held", id))
}

// listed names files so that a person can tell them apart.
func listed(files []ledger.File) string {
	var names []string
	for _, f := range files[:min(5, len(files))] {
		names = append(names, fmt.Sprintf("%.12s %s for %s, %s", f.SHA256, f.Name, f.BusinessDate, f.State))
	}
	return strings.Join(names, "; ")
}

// userName is who runs the program, as far as the system tells.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

func approveText(answer approveAnswer) string {
	f := answer.File
	return fmt.Sprintf("%s (%s) for %s is released by %s\nit was held: %s\nrecorded: the next tallyman run imports it; at once: tallyman import --retry %s\n",
		printable(f.Name), f.FileID, f.BusinessDate, printable(answer.By), printable(answer.HeldFor), f.RunID)
}
