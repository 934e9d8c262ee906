package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/nightly"
	"tallyman/internal/receiver"
	"tallyman/internal/sandbox"
)

type demoOptions struct {
	dir       string
	customers int
}

func newDemoCommand(a *app) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo [--dir DIR] [--customers N]",
		Short: "One whole night against a sandbox on this machine",
		Long: `Shows one whole night, with nothing to set up and nothing left running: starts a
stand-in for Moment and for the SFTP server, leaves a customer file in the inbox,
fetches and imports it, receives signed payments, and writes the report. The parts
are those of a real run; only the other side is played.`,
		Example: "  tallyman demo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if !cmd.Flags().Changed("log-level") {
				// A newcomer wants the account of the night, not its log.
				a.flags.logLevel = "warn"
				if a.logger, err = newLogger(a.stderr, a.flags); err != nil {
					return err
				}
			}
			return runDemo(cmd.Context(), a, o)
		},
	}
	cmd.Flags().StringVar(&o.dir, "dir", "", "keep everything in `DIR`, which must be new or empty (else a new temporary one)")
	cmd.Flags().IntVar(&o.customers, "customers", 200, "`N` records in the customer file, 10 to 100000")
	return cmd
}

// demo is the stage of the demonstration.
type demo struct {
	app      *app
	box      *sandbox.Sandbox
	cfg      *config.Config
	date     string
	file     string // the customer file's name
	received func() error
}

func runDemo(ctx context.Context, a *app, o demoOptions) (err error) {
	if o.customers < 10 || o.customers > 100_000 {
		return usage(errors.New("--customers: from 10 to 100000"))
	}
	dir, err := demoDir(o.dir)
	if err != nil {
		return err
	}
	d, err := a.setStage(ctx, dir)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.leaveFile(o.customers); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	// The morning: the file has come, nobody has paid yet.
	morning, err := d.night(ctx)
	if err != nil {
		return sorted(err)
	}
	if err := d.payBills(ctx); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	// The next one: nothing new has come, and the day's payments are in the journal.
	evening, err := d.night(ctx)
	if err != nil {
		return sorted(err)
	}
	if err := d.convince(morning, evening); err != nil {
		return fmt.Errorf("the demonstration did not work, please report it: %w", err)
	}
	return a.answer(demoDocument{Dir: dir, Import: morning, Report: evening}, d.account(dir, morning, evening))
}

// demoDocument is what `tallyman demo --json` says.
type demoDocument struct {
	Dir    string          `json:"dir"`
	Import *nightly.Result `json:"import"`
	Report *nightly.Result `json:"report"`
}

func demoDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "tallyman-demo-")
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return "", usage(fmt.Errorf("--dir: %s is not empty; name a new directory", dir))
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", usage(fmt.Errorf("--dir: %w", err))
	}
	return filepath.Abs(dir)
}

// setStage starts the other side and our own receiver, on free ports of the loopback interface.
func (a *app) setStage(ctx context.Context, dir string) (d *demo, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d = &demo{app: a}
	d.box, err = sandbox.Start(ctx, sandbox.Options{Dir: dir, Logger: a.logger, Now: a.now, ReceiverListen: listener.Addr().String()})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := d.configure(); err != nil {
		return nil, errors.Join(err, listener.Close(), d.box.Close())
	}
	if err := d.receive(ctx, listener); err != nil {
		return nil, errors.Join(err, listener.Close(), d.box.Close())
	}
	return d, nil
}

// configure loads the configuration that the sandbox writes for itself.
func (d *demo) configure() error {
	if _, err := d.box.WriteConfig(); err != nil {
		return err
	}
	d.app.flags.config = d.box.ConfigPath()
	cfg, err := d.app.config(config.SectionMerchant | config.SectionDataDir | config.SectionAPI | config.SectionInbox |
		config.SectionReceiver | config.SectionReconcile | config.SectionReports)
	if err != nil {
		return err
	}
	d.cfg = cfg
	// The file of the demonstration is to show what becomes of wrong records, and a small one would have too many of them.
	cfg.Imports.Guards.MaxRejected = config.OffGuard()
	d.date = cfg.Reconcile.Calendar().DateOf(d.app.now())
	return nil
}

// receive starts the webhook receiver; d.received stops it and waits.
func (d *demo) receive(ctx context.Context, listener net.Listener) error {
	secrets, err := webhookSecrets(d.cfg)
	if err != nil {
		return err
	}
	w, err := journal.Open(ctx, filepath.Join(d.cfg.DataDir, "journal"), journal.Options{Log: d.app.logger, Now: d.app.now})
	if err != nil {
		return err
	}
	handler, err := receiver.New(receiver.Options{Journal: w, Secrets: secrets, Path: d.cfg.Receiver.Path, Window: d.cfg.Receiver.Window, Now: d.app.now, Log: d.app.logger})
	if err != nil {
		return errors.Join(err, w.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() {
		served <- receiver.Serve(serving, listener, receiver.ServeOptions{Handler: handler, Log: d.app.logger})
	}()
	d.received = func() error {
		stop()
		return errors.Join(<-served, w.Close())
	}
	return nil
}

func (d *demo) close() error { return errors.Join(d.received(), d.box.Close()) }

// leaveFile puts the customer file into the inbox, as the biller would.
func (d *demo) leaveFile(records int) error {
	d.file = fmt.Sprintf("za_sandbox_dailyfile_%s.csv", d.date)
	f, err := os.Create(filepath.Join(d.box.InboxDir(), d.file))
	if err != nil {
		return err
	}
	return errors.Join(writeDemoFile(f, records, d.date), f.Close())
}

// night does what `tallyman run` does.
func (d *demo) night(ctx context.Context) (*nightly.Result, error) {
	secrets, err := webhookSecrets(d.cfg)
	if err != nil {
		return nil, err
	}
	night, err := d.app.openNight(ctx, d.cfg, "run", false)
	if err != nil {
		return nil, err
	}
	result, err := night.Run(ctx, nightly.RunRequest{Date: d.date, Secrets: secrets})
	return result, night.closing(err)
}

// payBills lets about half of the customers pay: most what they owe, some too little, some too much, some with an event
// that is delivered twice; and somebody whom nobody knows. It returns when the receiver has answered for all.
func (d *demo) payBills(ctx context.Context) error {
	customers := d.box.Customers(sandbox.Test)
	// Not in the order in which they happened to be created, so that every demonstration shows the same figures.
	slices.SortFunc(customers, func(a, b sandbox.Customer) int { return strings.Compare(a.ExternalReference, b.ExternalReference) })
	for i, c := range customers {
		if i%2 == 1 || c.Balance == nil || *c.Balance <= 100 {
			continue
		}
		amount := *c.Balance
		switch i % 20 {
		case 4:
			amount /= 2
		case 10:
			amount += 5000
		}
		event, err := d.box.Pay(sandbox.Payment{CustomerID: c.ID, Amount: amount, Currency: c.Currency})
		if err != nil {
			return err
		}
		if i%20 == 16 {
			d.box.Redeliver(event)
		}
	}
	if _, err := d.box.Pay(sandbox.Payment{CustomerID: "bcus_WHOCOULDTHISBE", Amount: 12_345, Currency: "ZAR", Unknown: true}); err != nil {
		return err
	}
	return d.box.Flush(ctx)
}
