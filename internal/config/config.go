package config

import (
	"path/filepath"
	"slices"
	"time"
)

// Config is a whole tallyman.yaml with the defaults filled in, variables and
// secrets resolved, and paths on this machine made absolute. The keys are those
// of design.md section 5.
type Config struct {
	// Merchant names runs and files and separates idempotency keys: 1 to 64 of
	// a-z, 0-9, "_" and "-". It has no default.
	Merchant string `yaml:"merchant"`
	// DataDir holds ledger, journal, spool and runs.
	DataDir string `yaml:"data_dir"`

	API       API       `yaml:"api"`
	Inbox     Inbox     `yaml:"inbox"`
	Files     Files     `yaml:"files"`
	Imports   Imports   `yaml:"imports"`
	Receiver  Receiver  `yaml:"receiver"`
	Reconcile Reconcile `yaml:"reconcile"`
	Reports   Reports   `yaml:"reports"`
	// Schedule lists what `tallyman schedule` starts, and when.
	Schedule []Job   `yaml:"schedule"`
	Notify   Notify  `yaml:"notify"`
	Metrics  Metrics `yaml:"metrics"`
	Keep     Keep    `yaml:"keep"`

	hasAPI bool // the file has that section
	file   string
}

// MaxConcurrency is the most that api.concurrency can be: each request in flight
// may need a connection of its own.
const MaxConcurrency = 256

// API says how Moment's Billing API is reached.
type API struct {
	// BaseURL is https, or http for a loopback address; it has no user, query
	// or trailing slash.
	BaseURL string `yaml:"base_url"`
	// Key is the secret key, whichever of key, key_file and the service
	// manager's credentials it came from.
	Key     Secret `yaml:"key"`
	KeyFile string `yaml:"key_file"`
	// Mode is "test" or "live" and agrees with Key, if the section was needed.
	Mode string `yaml:"mode"`
	// Rate is in requests a second, at least 1, never exceeded.
	Rate int `yaml:"rate"`
	// Adaptive begins below Rate and finds out how much of it the API allows.
	Adaptive bool `yaml:"adaptive"`
	// Concurrency is the most requests in flight, 1 to MaxConcurrency.
	Concurrency int `yaml:"concurrency"`
	// Timeout bounds one whole exchange.
	Timeout time.Duration `yaml:"timeout"`
	// GiveUpAfter is how long nothing but refusals is borne before a run stops.
	GiveUpAfter time.Duration `yaml:"give_up_after"`
}

// Inbox is the biller's SFTP directories.
type Inbox struct {
	// Address is host:port.
	Address  string `yaml:"address"`
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	// PasswordFile holds the password; so do the other …File fields hold what
	// they are named after, except KeyFile, the SSH private key itself.
	PasswordFile      string `yaml:"password_file"`
	KeyFile           string `yaml:"key_file"`
	KeyPassphrase     Secret `yaml:"key_passphrase"`
	KeyPassphraseFile string `yaml:"key_passphrase_file"`
	// Agent asks the SSH agent at $SSH_AUTH_SOCK for keys.
	Agent bool `yaml:"agent"`
	// HostKeys are fingerprints as OpenSSH prints them, "SHA256:" and 43
	// characters.
	HostKeys       []string `yaml:"host_keys"`
	KnownHostsFile string   `yaml:"known_hosts_file"`
	Path           string   `yaml:"path"`
	// Pattern is for MatchName.
	Pattern string `yaml:"pattern"`
	// Settle is how long size and time must have stood still; 0 takes a file at
	// once.
	Settle time.Duration `yaml:"settle"`
	// Archive and Rejected, left out, are directories of those names in Path.
	Archive  string `yaml:"archive"`
	Rejected string `yaml:"rejected"`
	// Deliver is where results go; empty is nowhere.
	Deliver string `yaml:"deliver"`
	// ExpectBy is "HH:MM" of the file's business date (Calendar.At), after which
	// the day's file counts as missing; empty is never.
	ExpectBy string `yaml:"expect_by"`
}

// Configured reports whether there is an inbox at all: a configuration for
// local imports has none.
func (i Inbox) Configured() bool { return i.Address != "" }

// Files says how customer files are to be read.
type Files struct {
	// Format is "customers", "moment-billing-file" or "columns".
	Format string `yaml:"format"`
	// Currency is an ISO 4217 code, or empty: the file must have the column.
	Currency string `yaml:"currency"`
	// Amounts is "minor" or "major"; always "major" for moment-billing-file.
	Amounts string `yaml:"amounts"`
	// Encoding is "auto", "utf-8", "utf-16", "windows-1252" or "iso-8859-1".
	Encoding string `yaml:"encoding"`
	// Delimiter is "auto" or one character.
	Delimiter string `yaml:"delimiter"`
	// Decimal is "." or ","; Group is empty or another character.
	Decimal string `yaml:"decimal"`
	Group   string `yaml:"group"`
	// PhoneCountry is an ISO 3166 alpha-2 code, or empty: numbers must be E.164.
	PhoneCountry    string `yaml:"phone_country"`
	ReferenceColumn string `yaml:"reference_column"`
	// Columns maps target fields to a source column, a template of columns in
	// braces, or a constant after "=". It has no order: sort the keys before they
	// reach any output.
	Columns map[string]string `yaml:"columns"`
	Trailer Trailer           `yaml:"trailer"`
	PGP     PGP               `yaml:"pgp"`
}

// PGP says how encrypted customer files (.pgp, .gpg, .asc) are read.
type PGP struct {
	// KeyFile holds the private key that files are encrypted for; empty: such
	// files are refused.
	KeyFile string `yaml:"key_file"`
	// Passphrase unlocks KeyFile; empty if it is not locked.
	Passphrase Secret `yaml:"passphrase"`
	// Signers are files with the public keys of those who may sign.
	Signers []string `yaml:"signers"`
	// RequireSignature refuses files that none of Signers has signed.
	RequireSignature bool `yaml:"require_signature"`
}

// Trailer describes the last record of a file that has one.
type Trailer struct {
	// Match is the text of the trailer's first field.
	Match string `yaml:"match"`
	// CountColumn and SumColumn are the header names that the number of records
	// and the sum of the balances stand under; empty if the trailer has none.
	CountColumn string `yaml:"count_column"`
	SumColumn   string `yaml:"sum_column"`
}

// Configured reports whether files must end in a trailer.
func (t Trailer) Configured() bool { return t.Match != "" }

// Imports says what an import does.
type Imports struct {
	// Existing is "update", "skip" or "reject".
	Existing string `yaml:"existing"`
	// Crossed is "flag" or "net": what is done about payments that a file could
	// not have known.
	Crossed string `yaml:"crossed"`
	Guards  Guards `yaml:"guards"`
	// Canary is how many records of the first file ever are sent before the
	// others; 0 sends all of them at once.
	Canary int `yaml:"canary"`
}

// Guards hold a whole file back until a person approves it.
type Guards struct {
	MaxRejected      Guard  `yaml:"max_rejected"`
	MaxMissing       Guard  `yaml:"max_missing"`
	MaxBalanceChange Guard  `yaml:"max_balance_change"`
	UnitShift        Toggle `yaml:"unit_shift"`
	SameContent      Toggle `yaml:"same_content"`
}

// Receiver is the webhook endpoint.
type Receiver struct {
	// Listen is host:port; an empty host is every address of the machine.
	Listen string `yaml:"listen"`
	// Path begins with a slash.
	Path string `yaml:"path"`
	// Secrets are all accepted, in this order: those of the configuration, then
	// those of SecretFiles; or those of the service manager's credentials alone.
	Secrets     []Secret `yaml:"secrets"`
	SecretFiles []string `yaml:"secret_files"`
	// Retired are files of secrets that are being replaced, each with the last date, YYYY-MM-DD, on which it is accepted.
	// After that it only proves what it has signed before. RetiredSecrets are what stands in them.
	Retired        map[string]string `yaml:"retired"`
	RetiredSecrets []RetiredSecret
	Window         time.Duration `yaml:"window"`
	// AddressLimit is how many refused requests a second one address other than
	// loopback may send before it is answered 429; 0 is any number.
	AddressLimit int `yaml:"address_limit"`
	TLS          TLS `yaml:"tls"`
}

// AllSecrets returns the secrets that prove lines of the journal: those that are accepted, then the retired ones.
func (r *Receiver) AllSecrets() []Secret {
	all := slices.Clone(r.Secrets)
	for _, retired := range r.RetiredSecrets {
		all = append(all, retired.Secret)
	}
	return all
}

// RetiredSecret is a webhook secret that is accepted before an instant only: the midnight, in UTC, that ends its date.
type RetiredSecret struct {
	Secret Secret
	Ends   time.Time
}

// TLS names a certificate chain and its key, both in PEM; both or neither.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Reconcile says how a business date is delimited and compared.
type Reconcile struct {
	// Timezone is an IANA name; Location has it loaded.
	Timezone string `yaml:"timezone"`
	// Cutoff is "HH:MM", "00:01" to "24:00"; "00:00" is read as "24:00".
	Cutoff string `yaml:"cutoff"`
	// Tolerance is in minor units, not negative.
	Tolerance int64 `yaml:"tolerance"`
	// Memory is how much a report may take to remember customers and events;
	// what is more of events goes to disk. 0 is no limit.
	Memory Memory `yaml:"memory"`
	// Live is "none", "exceptions" or "all".
	Live string `yaml:"live"`
	// Ageing are the days after the due date at which a debt gets into the next
	// bucket, in ascending order, each more than 0; never empty.
	Ageing []int `yaml:"ageing"`
	// MomentReport says how Moment's own reports are read.
	MomentReport MomentReport `yaml:"moment_report"`

	calendar Calendar
}

// MomentReport says how the reports are read that Moment leaves for the
// merchant.
type MomentReport struct {
	// Columns maps fields to column names where these are not the usual ones:
	// amount, currency, customer_reference, id, merchant_reference, payment_id,
	// timestamp, type.
	Columns map[string]string `yaml:"columns"`
	// Amounts is "major" or "minor".
	Amounts string `yaml:"amounts"`
}

// Calendar returns the business dates of Timezone and Cutoff.
func (r Reconcile) Calendar() Calendar { return r.calendar }

// Reports says where reports go and in which forms.
type Reports struct {
	Dir string `yaml:"dir"`
	// Formats are of "csv", "xlsx", "html", each at most once.
	Formats  []string `yaml:"formats"`
	ExcelCSV ExcelCSV `yaml:"excel_csv"`
}

// ExcelCSV says how CSV files look that a spreadsheet opens by a double click.
type ExcelCSV struct {
	// Separator is one of ";", "," and TAB; empty: none are written.
	Separator string `yaml:"separator"`
	// Decimal is "." or ",", and another one than Separator.
	Decimal string `yaml:"decimal"`
}

// Job is one line of the schedule.
type Job struct {
	// Cron has five fields, or is a descriptor such as "@daily"; it is read in
	// reconcile.timezone.
	Cron string `yaml:"cron"`
	// Run is "nightly".
	Run string `yaml:"run"`
}

// Notify says whom to tell. The addresses are secrets: whoever has one can
// write to it.
type Notify struct {
	PingURL    Secret `yaml:"ping_url"`
	WebhookURL Secret `yaml:"webhook_url"`
	SMTP       SMTP   `yaml:"smtp"`
}

// SMTP is the mail server that reports are sent by, and whom to.
type SMTP struct {
	// Address is host:port; empty: nothing is sent.
	Address string `yaml:"address"`
	// TLS is "starttls", "tls", or "none" for a loopback address.
	TLS  string   `yaml:"tls"`
	From string   `yaml:"from"`
	To   []string `yaml:"to"`
	// Username logs in; empty: no login.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// PasswordFile holds the password.
	PasswordFile string `yaml:"password_file"`
}

// Metrics says where Prometheus finds the figures; empty is nowhere.
type Metrics struct {
	Textfile string `yaml:"textfile"`
	Listen   string `yaml:"listen"`
}

// Keep says for how long `tallyman sweep` leaves results where they are. The journal and the ledger are kept in any case.
type Keep struct {
	// Runs is for data_dir/runs, Reports for Reports.Dir.
	Runs    Retention `yaml:"runs"`
	Reports Retention `yaml:"reports"`
}

// KnownMode returns api.mode, or nothing if the file has no section api, as where only webhooks are received: nobody has said
// then of which mode they are.
func (c *Config) KnownMode() string {
	if !c.hasAPI {
		return ""
	}
	return c.API.Mode
}

// File returns the path that the configuration was read from, as it was given
// to Load.
func (c *Config) File() string { return c.file }

// paths lists every path on this machine, for making them absolute.
func (c *Config) paths() []*string {
	list := []*string{
		&c.DataDir, &c.API.KeyFile,
		&c.Inbox.PasswordFile, &c.Inbox.KeyFile, &c.Inbox.KeyPassphraseFile, &c.Inbox.KnownHostsFile,
		&c.Notify.SMTP.PasswordFile, &c.Receiver.TLS.CertFile, &c.Receiver.TLS.KeyFile,
		&c.Reports.Dir, &c.Metrics.Textfile, &c.Files.PGP.KeyFile,
	}
	for i := range c.Files.PGP.Signers {
		list = append(list, &c.Files.PGP.Signers[i])
	}
	for i := range c.Receiver.SecretFiles {
		list = append(list, &c.Receiver.SecretFiles[i])
	}
	return list
}

// locate makes paths absolute; relative ones are relative to dir, the
// directory of the configuration file.
func (c *Config) locate(dir string) {
	for _, p := range c.paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}
