package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
)

// environ gives a test its own variables; files are real.
func environ(pairs ...string) Environment {
	return Environment{LookupEnv: func(name string) (string, bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}}
}

// write puts a configuration into a directory of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tallyman.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// problems loads a configuration and returns what is wrong with it, without the
// directory in front of the file's name.
func problems(t *testing.T, text string, env Environment, need Section) []string {
	t.Helper()
	path := write(t, text)
	_, err := Load(path, env, need)
	if err == nil {
		return nil
	}
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatalf("error is a %T, want an *Error", err)
	}
	var list []string
	for _, p := range wrong.Problems {
		if p.Remedy == "" || p.Message == "" || p.File != path {
			t.Errorf("problem %+v lacks file, message or remedy", p)
		}
		list = append(list, strings.ReplaceAll(p.String(), filepath.Dir(path)+"/", ""))
	}
	return list
}

const importSections = SectionMerchant | SectionDataDir | SectionAPI

func TestLoadLocalImportNeedsThreeKeys(t *testing.T) {
	path := write(t, "merchant: acme\napi:\n  key: sk_test_4eC39HqLyj\n")
	cfg, err := Load(path, environ(), importSections)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.API.Key.Reveal(); got != "sk_test_4eC39HqLyj" {
		t.Errorf("key is %q", got)
	}
	if want := filepath.Join(filepath.Dir(path), "data"); cfg.DataDir != want {
		t.Errorf("data_dir is %q, want %q", cfg.DataDir, want)
	}
	if cfg.Inbox.Configured() {
		t.Error("an inbox is configured, want none")
	}
	if cfg.Reconcile.Calendar().Location().String() != "Africa/Johannesburg" {
		t.Errorf("zone is %v", cfg.Reconcile.Calendar().Location())
	}
	if cfg.File() != path {
		t.Errorf("file is %q", cfg.File())
	}
}

func TestLoadSaysEverythingAtOnce(t *testing.T) {
	text := `merchant: Acme Ltd
api:
  key: ${MOMENT_API_KEY}
  base_url: http://api.example.com
  rate: lots
  timeout: 30
  concurency: 4
  mode: test
  mode: live
inbox:
  address: sftp.example.com
receiver:
  secrets: ["${SECRET}"]
schedule: [{cron: "61 6 * * *", run: nightly}]
repots: {}
`
	want := []string{
		`tallyman.yaml:1:11: merchant must be 1 to 64 of a-z, 0-9, _ and -, not "Acme Ltd"; choose such a name and keep it: files and idempotency keys are named by it`,
		`tallyman.yaml:3:8: api.key needs the environment variable MOMENT_API_KEY, which is not set; set it, or write the value into a file and name that under api.key_file`,
		`tallyman.yaml:4:13: api.base_url must be https: http is for loopback addresses only; write it as https://api.momentpay.net`,
		`tallyman.yaml:5:9: api.rate must be a whole number, not "lots"; write digits only`,
		`tallyman.yaml:6:12: api.timeout must be a duration with a unit, not "30"; write it as 500ms, 30s, 15m or 2h`,
		`tallyman.yaml:7:3: api.concurency is not a key that is known; did you mean concurrency?`,
		`tallyman.yaml:9:3: api.mode is given twice (first on line 8); keep one of them`,
		`tallyman.yaml:11:12: inbox.address must be host:port, not "sftp.example.com"; write it as sftp.example.com:22, the user under inbox.user`,
		`tallyman.yaml:14:19: schedule[0].cron cannot be read as a schedule, not "61 6 * * *"; write minute, hour, day of month, month and day of week (0 to 6), such as "30 6 * * *"`,
		`tallyman.yaml:15:1: repots is not a key that is known; did you mean reports?`,
	}
	if diff := cmp.Diff(want, problems(t, text, environ(), importSections)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestLoadDemandsOnlyWhatIsNeeded(t *testing.T) {
	for _, tt := range []struct {
		name string
		need Section
		want []string
	}{
		{"nothing", 0, nil},
		{"merchant", SectionMerchant, []string{"merchant"}},
		{"api", SectionAPI, []string{"api.key"}},
		{"receiver", SectionReceiver, []string{"receiver.secrets"}},
		{"inbox", SectionInbox, []string{"inbox.address", "inbox.user", "inbox.key_file", "inbox.host_keys", "inbox.pattern"}},
		{"those with defaults", SectionDataDir | SectionFiles | SectionImports | SectionReconcile | SectionReports | SectionSchedule | SectionNotify | SectionMetrics, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(write(t, "# nothing but defaults\n"), environ(), tt.need)
			var keys []string
			var wrong *Error
			if errors.As(err, &wrong) {
				for _, p := range wrong.Problems {
					keys = append(keys, p.Key)
				}
			}
			if diff := cmp.Diff(tt.want, keys); diff != "" {
				t.Errorf("missing keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadUnreadable(t *testing.T) {
	t.Run("absent", func(t *testing.T) {
		_, err := Load(filepath.Join(t.TempDir(), "none.yaml"), environ(), 0)
		var wrong *Error
		if !errors.As(err, &wrong) || !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("error %v is no *Error of fs.ErrNotExist", err)
		}
		if !strings.Contains(err.Error(), "tallyman init") {
			t.Errorf("%q does not say how to get one", err)
		}
	})
	t.Run("directory", func(t *testing.T) {
		if _, err := Load(t.TempDir(), environ(), 0); err == nil {
			t.Fatal("no error")
		}
	})
	t.Run("huge", func(t *testing.T) {
		_, err := Load(write(t, strings.Repeat("#", MaxFileSize+1)), environ(), 0)
		if err == nil || !strings.Contains(err.Error(), "too large") {
			t.Fatalf("error is %v", err)
		}
	})
}

func TestLoadPaths(t *testing.T) {
	path := write(t, `merchant: acme
data_dir: state
api: {key_file: key}
inbox: {key_file: /etc/ssh/key, known_hosts_file: ../hosts}
receiver: {secret_files: [a, /b], tls: {cert_file: c, key_file: d}}
reports: {dir: ./reports}
metrics: {textfile: m.prom}
`)
	cfg, err := Load(path, environ(), 0)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	got := []string{
		cfg.DataDir, cfg.API.KeyFile, cfg.Inbox.KeyFile, cfg.Inbox.KnownHostsFile, cfg.Receiver.SecretFiles[0],
		cfg.Receiver.SecretFiles[1], cfg.Receiver.TLS.CertFile, cfg.Receiver.TLS.KeyFile, cfg.Reports.Dir, cfg.Metrics.Textfile,
	}
	want := []string{
		dir + "/state", dir + "/key", "/etc/ssh/key", filepath.Dir(dir) + "/hosts", dir + "/a",
		"/b", dir + "/c", dir + "/d", dir + "/reports", dir + "/m.prom",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if cfg.Inbox.PasswordFile != "" {
		t.Errorf("an empty path became %q", cfg.Inbox.PasswordFile)
	}
}

func TestLoadValues(t *testing.T) {
	path := write(t, `
merchant: "051001"
api: &api
  base_url: http://127.0.0.1:8080/
  rate: ${RATE}
  timeout: 1m30s
inbox:
  path: /up
  agent: true
  settle: 0s
files:
  format: moment-billing-file
  reference_column: account no
  delimiter: '\t'
imports:
  guards: {max_rejected: 2.5%, max_missing: off, max_balance_change: 150%, unit_shift: off}
reconcile: {cutoff: "00:00", tolerance: 5}
schedule: []
`)
	cfg, err := Load(path, environ("RATE", "7"), SectionFiles|SectionImports)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		cfg.Merchant, cfg.API.BaseURL, cfg.API.Rate, cfg.API.Timeout, cfg.Inbox.Archive, cfg.Inbox.Rejected, cfg.Inbox.Agent,
		cfg.Inbox.Settle, cfg.Files.Amounts, cfg.Files.Delimiter, cfg.Imports.Guards.MaxRejected.BasisPoints(),
		cfg.Imports.Guards.MaxMissing.Off(), cfg.Imports.Guards.MaxBalanceChange.String(), cfg.Imports.Guards.UnitShift,
		cfg.Imports.Guards.SameContent, cfg.Reconcile.Tolerance, len(cfg.Schedule),
	}
	want := []any{
		"051001", "http://127.0.0.1:8080", 7, 90 * time.Second, "/up/archive", "/up/rejected", true,
		time.Duration(0), "major", "\t", int64(250),
		true, "150%", Toggle(false),
		Toggle(true), int64(5), 0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestHash(t *testing.T) {
	dir := t.TempDir()
	hash := func(text string) string {
		t.Helper()
		path := filepath.Join(dir, "tallyman.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(path, environ(), importSections)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := cfg.Hash()
		if err != nil || len(sum) != 64 {
			t.Fatalf("hash %q: %v", sum, err)
		}
		return sum
	}
	const base = "merchant: acme\napi: {key: sk_test_one1234}\n"
	first := hash(base)
	for name, same := range map[string]string{
		"another key":             "merchant: acme\napi: {key: sk_test_two1234}\n",
		"a default written out":   base + "reconcile: {tolerance: 0}\n",
		"another order, comments": "# x\napi:\n  key: sk_test_one1234\nmerchant: acme\n",
	} {
		if hash(same) != first {
			t.Errorf("%s changed the hash", name)
		}
	}
	for name, other := range map[string]string{
		"rate":     "merchant: acme\napi: {key: sk_test_one1234, rate: 21}\n",
		"guard":    base + "imports: {guards: {max_missing: 21%}}\n",
		"cut-off":  base + "reconcile: {cutoff: \"18:00\"}\n",
		"merchant": "merchant: acme2\napi: {key: sk_test_one1234}\n",
	} {
		if hash(other) == first {
			t.Errorf("another %s left the hash as it was", name)
		}
	}
}
