package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/reconciler"
)

func newDecideCommand(a *app) *cobra.Command {
	var reason, by string
	cmd := &cobra.Command{
		Use:   "decide EXCEPTION-ID apply|drop --reason TEXT [--by NAME]",
		Short: "Release or drop a held event; recorded",
		Long: `Records what a person decided about an event that a report holds: apply counts it
as paid, drop leaves it out. EXCEPTION-ID is the first column of exceptions.csv. The
decision counts from the next report on; a later one for the same event replaces
it.

An invalid_event cannot be applied: it does not say, beyond doubt, how much was
paid to whom.`,
		Example: `  tallyman decide ex_3f1c9a20b7d4e611 drop --reason "sent twice, see the ticket 4711"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDecide(cmd.Context(), a, args[0], args[1], reason, by)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, `TEXT` for those who ask later; required")
	cmd.Flags().StringVar(&by, "by", "", "who decides, a `NAME` (else the user who runs this)")
	return cmd
}

// decideAnswer is what `tallyman decide --json` says.
type decideAnswer struct {
	ExceptionID string    `json:"exception_id"`
	Decision    string    `json:"decision"`
	Reason      string    `json:"reason"`
	By          string    `json:"by"`
	DecidedAt   time.Time `json:"decided_at"`
	Replaces    string    `json:"replaces,omitempty"` // the decision that was in force
	Exception   exception `json:"exception"`
}

func runDecide(ctx context.Context, a *app, id, decision, reason, by string) error {
	reason = strings.TrimSpace(reason)
	switch {
	case decision != string(reconciler.Apply) && decision != string(reconciler.Drop):
		return usage(fmt.Errorf("%q is no decision: write apply or drop", decision))
	case reason == "":
		return usage(errors.New("--reason is missing: say why, for those who ask later"))
	}
	cfg, err := a.config(config.SectionMerchant | config.SectionDataDir | config.SectionReports)
	if err != nil {
		return err
	}
	found, err := findException(cfg.Reports.Dir, id)
	if err != nil {
		return err
	}
	if err := found.decidable(decision); err != nil {
		return usage(err)
	}
	l, err := ledger.OpenExisting(ctx, cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return usage(fmt.Errorf("there is no ledger in %s: is this the configuration that the report was made with?", cfg.DataDir))
	}
	if err != nil {
		return sorted(err)
	}
	answer := decideAnswer{ExceptionID: id, Decision: decision, Reason: reason, By: cmp.Or(strings.TrimSpace(by), userName()), DecidedAt: a.now().UTC(), Exception: found}
	answer.Replaces, err = record(ctx, l, ledger.Decision{ExceptionID: id, Decision: decision, Reason: reason, By: answer.By, DecidedAt: answer.DecidedAt})
	if err := errors.Join(err, l.Close()); err != nil {
		return err
	}
	return a.answer(answer, decideText(answer))
}

// record puts a decision on record and returns the one that it replaces.
func record(ctx context.Context, l *ledger.Ledger, d ledger.Decision) (replaces string, err error) {
	made, err := l.Decisions(ctx)
	if err != nil {
		return "", err
	}
	return made[d.ExceptionID].Decision, l.Decide(ctx, d)
}

// decidable refuses what is no held event, and to apply one that does not say what it is.
func (e exception) decidable(decision string) error {
	switch e.Reason {
	case formats.ReasonConflictingEvent, formats.ReasonPossibleDuplicate:
	case formats.ReasonInvalidEvent:
		if decision == string(reconciler.Apply) {
			return fmt.Errorf("%s cannot be applied: it is an invalid_event (%s), so nobody can tell what it would add to whom: drop it, and ask Moment for the payment", e.ID, e.Detail)
		}
	default:
		return fmt.Errorf("%s is no held event but %s (in %s): only held events are decided on; do what its detail says", e.ID, e.Reason, e.Report)
	}
	return nil
}

func decideText(d decideAnswer) string {
	var b strings.Builder
	e := d.Exception
	fmt.Fprintf(&b, "%s: %s", e.ID, e.Reason)
	if e.EventID != "" {
		fmt.Fprintf(&b, ", event %s", printable(e.EventID))
	}
	if e.Amount != "" {
		fmt.Fprintf(&b, ", %s %s", printable(e.Amount), printable(e.Currency))
	}
	if customer := cmp.Or(e.ExternalReference, e.CustomerID); customer != "" {
		fmt.Fprintf(&b, ", customer %s", printable(customer))
	}
	b.WriteString("\n")
	if d.Replaces != "" {
		fmt.Fprintf(&b, "replaces the decision to %s it\n", d.Replaces)
	}
	what := "counts as applied"
	if d.Decision == string(reconciler.Drop) {
		what = "is left out"
	}
	fmt.Fprintf(&b, "recorded: it %s from the next report on", what)
	if e.BusinessDate != "" {
		fmt.Fprintf(&b, "; tallyman reconcile --date %s writes that of its date anew", e.BusinessDate)
	}
	return b.String() + "\n"
}
