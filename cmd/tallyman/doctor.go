package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

func newDoctorCommand(a *app) *cobra.Command {
	var hostKey bool
	cmd := &cobra.Command{
		Use:   "doctor [--host-key]",
		Short: "Check configuration, key, mailbox, webhook secrets, clock, disk and ledger",
		Long: `Tries everything that a night needs and says of each part whether it is fine, and
what to do if not. One part that is broken does not hide the others. It sends one
request to Moment, for a customer that cannot exist, and makes a small hidden file
in each directory of the mailbox, which it removes again.

With --host-key it only shows which host keys the SFTP server offers, in the form
of inbox.host_keys. That a server shows a key proves nothing: compare it with what
the biller says by another way.`,
		Example: "  tallyman doctor --config /etc/tallyman/tallyman.yaml\n  tallyman doctor --host-key",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if hostKey {
				return runHostKey(cmd.Context(), a)
			}
			return runDoctor(cmd.Context(), a)
		},
	}
	cmd.Flags().BoolVar(&hostKey, "host-key", false, "only show the host keys that the SFTP server offers")
	return cmd
}

// The states of what doctor looks at.
const (
	stateOK   = "ok"
	stateFail = "FAIL"
	stateNote = "note" // worth knowing; nothing is broken
)

// symptom is what doctor found of one part.
type symptom struct {
	Part   string `json:"part"`
	State  string `json:"state"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

// doctorAnswer is what `tallyman doctor --json` says.
type doctorAnswer struct {
	Failed int       `json:"failed"`
	Checks []symptom `json:"checks"`
}

// doctor looks at one part after the other.
type doctor struct {
	app *app
	// base is the configuration without its secrets; the sections that can be used are in whole.
	base  *config.Config
	whole map[config.Section]*config.Config
	found []symptom
}

func (d *doctor) ok(part, format string, args ...any) {
	d.found = append(d.found, symptom{Part: part, State: stateOK, Detail: fmt.Sprintf(format, args...)})
}

func (d *doctor) note(part, format string, args ...any) {
	d.found = append(d.found, symptom{Part: part, State: stateNote, Detail: fmt.Sprintf(format, args...)})
}

// fail notes what is broken; the remedy is empty if the detail says it.
func (d *doctor) fail(part, detail, remedy string) {
	d.found = append(d.found, symptom{Part: part, State: stateFail, Detail: strings.ReplaceAll(detail, "\n", "; "), Remedy: remedy})
}

func runDoctor(ctx context.Context, a *app) error {
	base, err := a.config(config.SectionMerchant | config.SectionDataDir)
	if err != nil {
		return err
	}
	d := &doctor{app: a, base: base, whole: map[config.Section]*config.Config{}}
	d.configuration()
	for _, look := range []func(context.Context){d.key, d.mailbox, d.receiver, d.clock, d.disk, d.ledger, d.journal} {
		if look(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	answer := doctorAnswer{Checks: d.found}
	for _, s := range d.found {
		if s.State == stateFail {
			answer.Failed++
		}
	}
	if err := a.answer(answer, doctorText(d.found)); err != nil {
		return err
	}
	if answer.Failed > 0 {
		return needsPerson(fmt.Errorf("%s to be put right: do what is said at FAIL and run tallyman doctor again", count(answer.Failed, "thing")))
	}
	return nil
}

// configuration loads each section that is in use for itself, so that one that cannot be used does not hide the others.
func (d *doctor) configuration() {
	sections := config.SectionAPI | config.SectionReconcile | config.SectionReports | config.SectionSchedule
	if d.base.Inbox.Configured() {
		sections |= config.SectionInbox
	}
	if d.receives() {
		sections |= config.SectionReceiver
	}
	wrong := 0
	for section := config.Section(1); section < config.SectionAll; section <<= 1 {
		if !sections.Has(section) {
			continue
		}
		cfg, err := d.app.config(section)
		if err == nil {
			d.whole[section] = cfg
			continue
		}
		problems, ok := errors.AsType[*config.Error](err)
		if !ok {
			d.fail("configuration", err.Error(), "")
			wrong++
			continue
		}
		for _, p := range problems.Problems {
			where := fmt.Sprintf("%s:%d:%d: %s %s", p.File, p.Line, p.Column, p.Key, p.Message)
			d.fail("configuration", where, p.Remedy)
			wrong++
		}
	}
	if err := supported(d.base); err != nil {
		d.fail("configuration", err.Error(), "")
		wrong++
	}
	if wrong == 0 {
		d.ok("configuration", "%s, merchant %s", d.base.File(), d.base.Merchant)
	}
}

// receives reports whether there is anything to receive webhooks with.
func (d *doctor) receives() bool {
	if len(d.base.Receiver.Secrets)+len(d.base.Receiver.SecretFiles) > 0 {
		return true
	}
	_, err := d.app.config(config.SectionReceiver)
	return err == nil
}

// mailbox tries the SFTP server, its host key, the login and the directories.
func (d *doctor) mailbox(ctx context.Context) {
	cfg := d.whole[config.SectionInbox]
	if cfg == nil {
		if !d.base.Inbox.Configured() {
			d.note("mailbox", "there is no inbox in the configuration: only local files can be imported")
		}
		return
	}
	found, err := nightly.CheckInbox(ctx, cfg.Inbox, d.app.logger, d.app.now)
	if err != nil {
		d.fail("mailbox", err.Error(), "")
		return
	}
	d.ok("mailbox", "host key and login of %s at %s are accepted (%s; %s)", cfg.Inbox.User, cfg.Inbox.Address, found.Server, found.Algorithms)
	for _, dir := range found.Directories {
		switch {
		case dir.Err != nil:
			d.fail("directory", fmt.Sprintf("%s %s: %v", dir.Key, dir.Path, dir.Err), "")
		case !dir.Exists:
			d.ok("directory", "%s %s is not there yet; it is made when it is needed", dir.Key, dir.Path)
		default:
			d.ok("directory", "%s %s can be listed and written", dir.Key, dir.Path)
		}
	}
}

// doctorText is a line for each part, with the remedy below what is broken.
func doctorText(found []symptom) string {
	var b strings.Builder
	for _, s := range found {
		fmt.Fprintf(&b, "%-4s  %s: %s\n", s.State, s.Part, printable(s.Detail))
		if s.Remedy != "" {
			fmt.Fprintf(&b, "      -> %s\n", printable(s.Remedy))
		}
	}
	return b.String()
}
