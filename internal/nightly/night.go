package nightly

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
	"tallyman/internal/mailbox"
	"tallyman/internal/moment"
	"tallyman/internal/unpack"
)

var errDryRun = errors.New("a dry run keeps no records")

// Options say what a night works with.
type Options struct {
	Config  *config.Config
	Command string // import or run, for the records
	Version string
	DryRun  bool
	Log     *slog.Logger
	Now     func() time.Time
	// Waits between attempts for one record; the zero value is right for a real API.
	Waits importer.Waits
	// MailRoots are the authorities that vouch for the mail server; nil for those of the system.
	MailRoots *x509.CertPool
	// Progress, if set, is called for each record of the file at hand that is finished.
	Progress func(Progress)
}

// Progress tells how far the import of a file has come.
type Progress struct {
	File    string
	Done    int   // records that are finished
	Total   int   // records of the file
	Refused int64 // requests that the API refused for their pace, in the whole run
}

// Night is one run: it holds the lock of the data directory from Open to Close.
type Night struct {
	options Options
	config  *config.Config
	log     *slog.Logger
	id      string
	started time.Time
	unlock  func() error
	ledger  *ledger.Ledger // nil in a dry run without one
	client  *moment.Client // nil in a dry run
	keys    *unpack.Keys   // nil: encrypted files are refused
	spool   string
	ended   bool            // the run's end is on record
	outputs map[string]bool // result files of this run by name
	unnoted *unnoted        // payments that a dry run has found in the journal; nil otherwise
}

// Open takes the lock, opens the ledger and names the run. A ledger that belongs to another merchant, mode or host is a
// *ledger.BindingError, a lock that is held a *LockedError.
func Open(ctx context.Context, o Options) (n *Night, err error) {
	n = &Night{options: o, config: o.Config, started: o.Now(), outputs: map[string]bool{}}
	if o.DryRun {
		n.unnoted = &unnoted{byCustomer: map[string][]ledger.Payment{}, known: map[string]bool{}}
	}
	if n.id, err = NewRunID(n.started); err != nil {
		return nil, err
	}
	n.log = o.Log.With("run", n.id)
	if n.keys, err = pgpKeys(o.Config.Files); err != nil {
		return nil, err
	}
	if n.unlock, err = lock(ctx, o.Config.DataDir, o.Command, n.started); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if n.spool, err = newSpool(o.Config.DataDir, n.id); err != nil {
		return n, err
	}
	if err := n.openLedger(ctx); err != nil {
		return n, err
	}
	if o.DryRun {
		return n, nil
	}
	if err := n.tidy(ctx); err != nil {
		return n, err
	}
	n.client = moment.New(moment.Options{
		BaseURL: o.Config.API.BaseURL, Key: o.Config.API.Key.Reveal(), Rate: float64(o.Config.API.Rate), Adaptive: o.Config.API.Adaptive, Concurrency: o.Config.API.Concurrency,
		Timeout: o.Config.API.Timeout, GiveUpAfter: o.Config.API.GiveUpAfter, UserAgent: "tallyman/" + o.Version,
	})
	return n, n.ledger.StartRun(ctx, ledger.Run{ID: n.id, Command: o.Command, StartedAt: n.started})
}

// openLedger opens the ledger and binds it. A dry run leaves no trace: it reads a ledger if there is one.
func (n *Night) openLedger(ctx context.Context) (err error) {
	open := ledger.Open
	if n.options.DryRun {
		open = ledger.OpenExisting
	}
	n.ledger, err = open(ctx, n.config.DataDir)
	if n.options.DryRun && errors.Is(err, fs.ErrNotExist) {
		n.ledger = nil
		return nil
	}
	if err != nil {
		return err
	}
	host, err := url.Parse(n.config.API.BaseURL)
	if err != nil {
		return fmt.Errorf("read api.base_url: %w", err)
	}
	if err := journal.CheckMode(filepath.Join(n.config.DataDir, "journal"), n.config.API.Mode); err != nil {
		return err
	}
	binding := ledger.Binding{Merchant: n.config.Merchant, Mode: n.config.API.Mode, Host: host.Hostname()}
	if n.options.DryRun {
		return n.ledger.CheckBinding(ctx, binding)
	}
	return n.ledger.Bind(ctx, binding)
}

// ID returns the run's id.
func (n *Night) ID() string { return n.id }

// Close ends the run: the spool is emptied and the lock given back.
func (n *Night) Close() error {
	var errs []error
	if n.client != nil {
		n.client.Close()
	}
	if n.ledger != nil {
		errs = append(errs, n.ledger.Close())
	}
	if n.spool != "" {
		if err := os.RemoveAll(n.spool); err != nil {
			errs = append(errs, fmt.Errorf("empty the spool: %w", err))
		}
	}
	if n.unlock != nil {
		errs = append(errs, n.unlock())
	}
	return errors.Join(errs...)
}

// giveUp records the end of a run that failed on the way, so that it does not look as if it had been killed. How the
// program ends is decided by the error; here it is only known that it failed.
func (n *Night) giveUp(ctx context.Context, err error) error {
	if err == nil || n.ended || n.options.DryRun {
		return err
	}
	n.ended = true
	return errors.Join(err, n.ledger.EndRun(context.WithoutCancel(ctx), ledger.Run{ID: n.id, EndedAt: n.options.Now().UTC(), ExitCode: ExitFailed}))
}

// runsDir is where the run's results stand unless another directory is asked for.
func (n *Night) runsDir() string { return filepath.Join(n.config.DataDir, "runs", n.id) }

// conclude writes run.json beside the results, and the run's end into the ledger.
func (n *Night) conclude(ctx context.Context, dir string, r *Result) error {
	r.RunID, r.Command, r.Version, r.DryRun = n.id, n.options.Command, n.options.Version, n.options.DryRun
	r.Merchant, r.Mode, r.BaseURL = n.config.Merchant, n.config.API.Mode, n.config.API.BaseURL
	r.StartedAt, r.EndedAt = n.started.UTC(), n.options.Now().UTC()
	hash, err := n.config.Hash()
	if err != nil {
		return err
	}
	r.ConfigHash = hash
	if n.client != nil {
		stats := n.client.Stats()
		r.Requests, r.Throttled, r.Traffic = stats.Requests, stats.Throttled, newTraffic(stats)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write run.json: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write run.json: %w", err)
	}
	err = writeFile(filepath.Join(dir, "run.json"), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if n.options.DryRun {
		return err
	}
	// However the run ended, its end must be on record.
	n.ended = true
	err = errors.Join(err, n.ledger.EndRun(context.WithoutCancel(ctx), ledger.Run{
		ID: n.id, BusinessDate: r.BusinessDate, EndedAt: r.EndedAt, ExitCode: r.ExitCode(), Summary: string(text),
	}))
	if err != nil && r.stop != nil {
		// Why it stopped is what a person must know; most likely it is the same again.
		n.log.Error("the end of the run is not on record", "error", err)
		return nil
	}
	return err
}

// customerOptions says how the configuration wants customer files read.
func customerOptions(f config.Files) formats.CustomerOptions {
	o := formats.CustomerOptions{
		Format: formats.Format(f.Format), Encoding: formats.Encoding(f.Encoding), Currency: f.Currency, Major: f.Amounts == "major",
		Marks: formats.Marks{Decimal: sign(f.Decimal), Group: sign(f.Group)}, PhoneCountry: f.PhoneCountry,
		ReferenceColumn: f.ReferenceColumn, Columns: f.Columns,
		Trailer: formats.Trailer{Match: f.Trailer.Match, CountColumn: f.Trailer.CountColumn, SumColumn: f.Trailer.SumColumn},
	}
	if f.Delimiter != "auto" {
		o.Delimiter = sign(f.Delimiter)
	}
	return o
}

// CheckFiles says what is wrong with the files section as far as only the reader of customer files can tell: templates of
// columns, countries.
func CheckFiles(f config.Files) error { return customerOptions(f).Check() }

// sign is the one character of a text, 0 for none.
func sign(text string) rune {
	for _, r := range text {
		return r
	}
	return 0
}

// mailboxOptions says how the configuration wants the mailbox reached.
func mailboxOptions(i config.Inbox, log *slog.Logger, now func() time.Time) mailbox.Options {
	return mailbox.Options{
		Address: i.Address, User: i.User, Password: i.Password.Reveal(), KeyFile: i.KeyFile, KeyPassphrase: i.KeyPassphrase.Reveal(),
		Agent: i.Agent, HostKeys: i.HostKeys, KnownHostsFile: i.KnownHostsFile, Path: i.Path, Archive: i.Archive, Rejected: i.Rejected,
		Deliver: i.Deliver, Settle: i.Settle, Log: log, Now: now,
	}
}
