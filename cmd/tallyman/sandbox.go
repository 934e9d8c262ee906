package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/sandbox"
)

type sandboxOptions struct {
	sandbox.Options
	latency, jitter                               time.Duration
	tooMany, before, after, dropBefore, dropAfter float64
}

func newSandboxCommand(a *app) *cobra.Command {
	var o sandboxOptions
	cmd := &cobra.Command{
		Use:   "sandbox [--dir DIR]",
		Short: "Stand-in for Moment and the SFTP server, to try a real configuration against",
		Long: `Runs a stand-in for Moment's Billing API and for the biller's SFTP server on this
machine, and writes a tallyman.yaml that fits it. It is not Moment and moves no
money. Runs until it is told to stop by SIGTERM or SIGINT; customers and keys stay
in DIR for the next time.

Put customer files into DIR/sftp/outgoing. What else it can do, such as payments,
it says on the page /sandbox/ of its API address. The faults are shares of all
calls, 0 to 1.`,
		Example: "  tallyman sandbox --dir sandbox\n  tallyman --config sandbox/tallyman.yaml run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSandbox(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Dir, "dir", "sandbox", "keep everything in `DIR`")
	f.StringVar(&o.APIListen, "api-listen", "127.0.0.1:8481", "loopback `ADDRESS` of the API")
	f.StringVar(&o.SFTPListen, "sftp-listen", "127.0.0.1:8422", "loopback `ADDRESS` of the SFTP server")
	f.StringVar(&o.WebhookURL, "webhook-url", "", "send webhooks to `URL` (else to the receiver of the written configuration)")
	f.IntVar(&o.Rate, "rate", 0, "limit in requests a second, 0 for none")
	f.BoolVar(&o.LowerBalance, "lower-balance", false, "a payment lowers the customer's balance")
	f.BoolVar(&o.UniqueOff, "unique-off", false, "one external reference can be created again and again")
	f.DurationVar(&o.latency, "latency", 0, "time before each answer")
	f.DurationVar(&o.jitter, "jitter", 0, "random time on top of it, at most")
	f.Float64Var(&o.tooMany, "too-many", 0, "share answered 429")
	f.Float64Var(&o.before, "error-before", 0, "share answered 5xx with nothing done")
	f.Float64Var(&o.after, "error-after", 0, "share answered 5xx although done")
	f.Float64Var(&o.dropBefore, "drop-before", 0, "share dropped without an answer, nothing done")
	f.Float64Var(&o.dropAfter, "drop-after", 0, "share dropped without an answer although done")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of what is drawn")
	return cmd
}

func runSandbox(ctx context.Context, a *app, o sandboxOptions) (err error) {
	o.Faults = sandbox.Faults{
		Latency: o.latency, Jitter: o.jitter, TooMany: o.tooMany, ErrorBefore: o.before, ErrorAfter: o.after,
		DropBefore: o.dropBefore, DropAfter: o.dropAfter,
	}
	if err := o.Faults.Check(); err != nil {
		return usage(err)
	}
	o.Logger, o.Now, o.ForgetRequests = a.logger, a.now, true
	box, err := sandbox.Start(ctx, o.Options)
	if err != nil {
		return usage(fmt.Errorf("start the sandbox: %w", err))
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	written, err := box.WriteConfig()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(strings.TrimRight(box.Banner(), "\n") + "\n")
	if !written {
		fmt.Fprintf(&b, "%s is yours and was left as it is.\n", box.ConfigPath())
	}
	document := map[string]string{
		"notice": "this is not Moment", "api": box.APIURL(), "sftp": box.SFTPAddress(), "host_key": box.HostKeyFingerprint(),
		"config": box.ConfigPath(), "inbox": box.InboxDir(),
	}
	if err := a.answer(document, b.String()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
