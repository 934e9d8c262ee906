package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const exampleFile = "../../config.example.yaml"

// samples are the keys of config.example.yaml that have no default.
func samples(c *Config) {
	c.Merchant = "acme"
	c.API.Key = NewSecret("sk_test_fromTheEnvironment", "")
	c.Inbox.Address = "sftp.example.com:22"
	c.Inbox.User = "acme"
	c.Inbox.KeyFile = "./id_ed25519"
	c.Inbox.Pattern = "za_acme_dailyfile_{date}.csv"
	c.Receiver.Secrets = []Secret{NewSecret("whsec_fromTheEnvironment", "")}
	c.Receiver.SecretFiles = []string{}
	c.Notify.SMTP.To = []string{}
	c.Files.PGP.Signers = []string{}
}

func TestExampleIsTheDefault(t *testing.T) {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	env := environ("MOMENT_API_KEY", "sk_test_fromTheEnvironment", "MOMENT_WEBHOOK_SECRET", "whsec_fromTheEnvironment")
	if _, err := Load(exampleFile, env, SectionAll); err != nil {
		t.Fatal(err)
	}

	got, want := Default(), Default()
	d := newDecoder(exampleFile, env.LookupEnv)
	if !d.decode(data, got) || len(d.findings) > 0 {
		t.Fatalf("findings: %+v", d.findings)
	}
	want.Inbox.HostKeys = slices.Clone(got.Inbox.HostKeys)
	samples(want)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Config{}, Guard{}), cmp.Exporter(func(t reflect.Type) bool {
		return t == reflect.TypeFor[Reconcile]() || t == reflect.TypeFor[Calendar]()
	})); diff != "" {
		t.Errorf("config.example.yaml is not the default (-default +example):\n%s", diff)
	}
	for _, key := range knownKeys() {
		if _, ok := d.at[strings.Replace(key, "[]", "[0]", 1)]; !ok {
			t.Errorf("config.example.yaml lacks %s", key)
		}
	}
}

// A key without a word on what it means is a key that nobody sets.
func TestExampleExplainsEveryKey(t *testing.T) {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	// Named in the comment of the line or block above them.
	together := []string{"path:", "key_passphrase_file:", "password_file:", "group:", "sum_column:", "cert_file:", "key_file:", "dir:", "formats:", "run:"}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		word, _, _ := strings.Cut(strings.TrimPrefix(text, "- "), " ")
		above := strings.TrimSpace(lines[max(i-1, 0)])
		if !strings.HasPrefix(above, "#") && !strings.HasSuffix(above, ":") && !slices.Contains(together, word) {
			t.Errorf("line %d: %s has no comment", i+1, word)
		}
	}
}
