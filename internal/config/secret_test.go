package config

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

const canary = "sk_test_canaryMustNotShow"

// Every way that text leaves a program, tried on a secret alone, in a struct, in
// an unexported field and behind a pointer.
func TestSecretCannotBePrinted(t *testing.T) {
	type hidden struct{ secret Secret }
	type shown struct{ Secret Secret }
	s := NewSecret(canary, "api.key")
	cfg := Default()
	cfg.API.Key = s
	cfg.Receiver.Secrets = []Secret{s}

	var out strings.Builder
	for _, v := range []any{s, &s, hidden{s}, &hidden{s}, shown{s}, &shown{s}, []Secret{s}, map[string]Secret{"k": s}, cfg, *cfg} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%p"} {
			fmt.Fprintf(&out, format+"\n", v)
		}
		fmt.Fprintln(&out, v)
		var logs bytes.Buffer
		slog.New(slog.NewTextHandler(&logs, nil)).Info("text", "v", v)
		slog.New(slog.NewJSONHandler(&logs, nil)).Info("json", "v", v)
		out.Write(logs.Bytes())
		if text, err := json.Marshal(v); err == nil {
			out.Write(text)
		}
		if text, err := yaml.Dump(v); err == nil {
			out.Write(text)
		}
		var encoded bytes.Buffer
		if err := gob.NewEncoder(&encoded).Encode(v); err == nil {
			out.Write(encoded.Bytes())
		}
	}
	out.WriteString(s.String() + s.GoString() + s.LogValue().String())
	if strings.Contains(out.String(), "canaryMust") {
		t.Errorf("the secret shows:\n%s", out.String())
	}
	if hex := fmt.Sprintf("%x", canary); strings.Contains(strings.ToLower(out.String()), hex) {
		t.Error("the secret shows in hexadecimal")
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing was printed at all")
	}
	if s.Reveal() != canary || s.IsZero() || !(Secret{}).IsZero() || NewSecret("", "x") != (Secret{}) {
		t.Error("the secret itself is wrong")
	}
	if !s.Equal(NewSecret(canary, "other")) || s.Equal(Secret{}) || len(s.Fingerprint()) != 8 {
		t.Error("secrets do not compare by their text")
	}
}

// Whatever is wrong with a configuration, no problem repeats a secret, be it in
// its place, in a wrong one, or in a variable.
func TestProblemsHideSecrets(t *testing.T) {
	for name, text := range map[string]string{
		"public key":         "merchant: a\napi: {key: pk_test_canaryMustNotShow}\n",
		"with a space":       "merchant: a\napi: {key: \"sk_test_canary MustNotShow\"}\n",
		"wrong mode":         "merchant: a\napi: {key: " + canary + ", mode: live}\n",
		"as mode":            "api: {mode: " + canary + "}\n",
		"as a key":           "api: {" + canary + ": x}\n",
		"as a repeated key":  "api: {" + canary + ": x, " + canary + ": y}\n",
		"as a section":       canary + ":\n  rate: 5\n",
		"as a file":          "merchant: a\napi: {key_file: " + canary + "}\n",
		"as a column":        "files: {format: columns, columns: {external_reference: a, " + canary + ": b}}\n",
		"as an anchor":       "inbox: {password: *canary}\n",
		"from a variable":    "api: {rate: \"${SECRET}\", timeout: \"${SECRET}\", mode: \"x${SECRET}\"}\n",
		"in a message":       "api: {mode: \"${NONE:?" + canary + "}\"}\n",
		"in the address":     "api: {base_url: \"http://user:canary@example.com/?canary\"}\n",
		"in a bad address":   "api: {base_url: \"https://canary:%zz@\"}\n",
		"in a notification":  "notify: {ping_url: \"http://example.com/canary\"}\n",
		"webhook secret":     "merchant: whsec_canaryMustNotShow\n",
		"private key":        "inbox: {key_file: \"-----BEGIN OPENSSH PRIVATE KEY----- canary\"}\ninbox: {address: \"-----BEGIN OPENSSH PRIVATE KEY----- canary\"}\n",
		"unquoted, with a #": "inbox: {password: @canary}\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(problems(t, text, environ("SECRET", canary), SectionAPI), "\n")
			if got == "" {
				t.Fatal("no problem")
			}
			if strings.Contains(got, "canary") {
				t.Errorf("a problem shows the secret:\n%s", got)
			}
		})
	}
}

func TestSecretSources(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := file("key", "sk_test_fromFile\n", 0o600)
	file("windows", "sk_test_fromFile\r\n", 0o640)
	file("open", "sk_test_fromFile\n", 0o644)
	file("writable", "sk_test_fromFile\n", 0o602)
	file("empty", "\n\n", 0o600)
	file("two", "sk_test_a\nsk_test_b\n", 0o600)
	credentials := filepath.Join(dir, "credentials")
	if err := os.Mkdir(credentials, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(credentials, "api.key"), []byte("sk_test_passed\n"), 0o444); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		name, api, want, source, problem string
		env                              []string
	}{
		{name: "inline", api: "key: sk_test_inline", want: "sk_test_inline", source: "api.key"},
		{name: "variable", api: "key: \"${K}\"", env: []string{"K", "sk_test_env"}, want: "sk_test_env", source: "api.key"},
		{name: "variable empty", api: "key: \"${K}\"", env: []string{"K", ""}, problem: "api.key is missing"},
		{name: "file", api: "key_file: " + key, want: "sk_test_fromFile", source: "api.key_file"},
		{name: "file of Windows, readable by the group", api: "key_file: " + dir + "/windows", want: "sk_test_fromFile", source: "api.key_file"},
		{name: "file beside an empty key", api: "key: \"\"\n  key_file: " + key, want: "sk_test_fromFile", source: "api.key_file"},
		{name: "both", api: "key: sk_test_inline\n  key_file: " + key, problem: "api.key_file is there, and so is api.key"},
		{name: "file beside a variable that is not set", api: "key: \"${K}\"\n  key_file: " + key, want: "sk_test_fromFile", source: "api.key_file"},
		{name: "file beside a variable that is set", api: "key: \"${K}\"\n  key_file: " + key, env: []string{"K", "sk_test_env"}, problem: "api.key_file is there, and so is api.key"},
		{name: "credential before a variable that is not set", api: "key: \"${K}\"", env: []string{"CREDENTIALS_DIRECTORY", credentials}, want: "sk_test_passed", source: "credential api.key"},
		{name: "file absent beside a variable that is not set", api: "key: \"${K}\"\n  key_file: " + dir + "/none", problem: "api.key_file names"},
		{name: "file readable by all", api: "key_file: " + dir + "/open", problem: "run chmod 600 " + dir + "/open"},
		{name: "file writable by all", api: "key_file: " + dir + "/writable", problem: "run chmod 600"},
		{name: "file empty", api: "key_file: " + dir + "/empty", problem: "which is empty"},
		{name: "file absent", api: "key_file: " + dir + "/none", problem: "api.key_file names " + dir + "/none, which cannot be read: no such file"},
		{name: "directory", api: "key_file: " + dir, problem: "which is no file"},
		{name: "file of two lines", api: "key_file: " + dir + "/two", problem: "api.key_file is not a secret key of Moment"},
		{name: "credential", api: "rate: 5", env: []string{"CREDENTIALS_DIRECTORY", credentials}, want: "sk_test_passed", source: "credential api.key"},
		{name: "credential before file", api: "key_file: " + key, env: []string{"CREDENTIALS_DIRECTORY", credentials}, want: "sk_test_passed", source: "credential api.key"},
		{name: "credentials of others", api: "key: sk_test_inline", env: []string{"CREDENTIALS_DIRECTORY", dir}, want: "sk_test_inline", source: "api.key"},
		{name: "public key", api: "key: pk_test_1", problem: "api.key is a public key (pk_…); use the secret key"},
		{name: "other text", api: "key: hello", problem: "api.key is not a secret key of Moment"},
		{name: "test key, live mode", api: "key: sk_test_1\n  mode: live", problem: "api.mode is live, but the key is a test key"},
		{name: "live key, test mode", api: "key: sk_abc", problem: "api.mode is test, but the key is a live key"},
		{name: "live key, live mode", api: "key: sk_abc\n  mode: live", want: "sk_abc", source: "api.key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "merchant: acme\napi:\n  "+tt.api+"\n")
			cfg, err := Load(path, environ(tt.env...), importSections)
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) || strings.Contains(err.Error(), "\n") {
					t.Fatalf("error %v, want one problem: %s", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if cfg.API.Key.Reveal() != tt.want || cfg.API.Key.Source() != tt.source {
				t.Errorf("key %q from %q", cfg.API.Key.Reveal(), cfg.API.Key.Source())
			}
		})
	}
}

func TestWebhookSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"old": "whsec_old\n", "new": "whsec_new\n", "receiver.secrets": "whsec_a\nwhsec_b\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, receiver, want string
		env                  []string
	}{
		{name: "inline, then files", receiver: "secrets: [whsec_x], secret_files: [" + dir + "/new, " + dir + "/old]", want: "whsec_x whsec_new whsec_old"},
		{name: "credential", receiver: "secrets: [\"${NOT_SET}\"]", env: []string{"CREDENTIALS_DIRECTORY", dir}, want: "whsec_a whsec_b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := Load(write(t, "receiver: {"+tt.receiver+"}\n"), environ(tt.env...), SectionReceiver)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range cfg.Receiver.Secrets {
				got = append(got, s.Reveal())
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("secrets %q, want %q", got, tt.want)
			}
		})
	}
	if got := problems(t, "receiver: {secrets: [whsec_x, \"\"]}\n", environ(), SectionReceiver); len(got) != 1 || !strings.Contains(got[0], "receiver.secrets[1] is empty") {
		t.Errorf("problems %q", got)
	}
}

func TestRetiredSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"old": "whsec_old\n", "older": "whsec_older\n", "new": "whsec_new\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "tallyman.yaml") // beside them: paths are relative to it
	load := func(receiver string) (*Config, error) {
		if err := os.WriteFile(path, []byte("receiver: {"+receiver+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(path, environ(), SectionReceiver)
	}
	cfg, err := load("secret_files: [new], retired: {old: 2026-12-31, " + dir + "/older: 2026-02-28}")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range cfg.Receiver.RetiredSecrets {
		got = append(got, r.Secret.Reveal()+" "+r.Ends.Format(time.RFC3339))
	}
	if want := "whsec_older 2026-03-01T00:00:00Z, whsec_old 2027-01-01T00:00:00Z"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if len(cfg.Receiver.Secrets) != 1 {
		t.Errorf("%d secrets are accepted for ever, want 1", len(cfg.Receiver.Secrets))
	}
	for receiver, want := range map[string]string{
		"secret_files: [new], retired: {old: tomorrow}":             "receiver.retired.old must be a date",
		"secret_files: [new], retired: {none: 2026-12-31}":          "receiver.retired.none names",
		"secret_files: [new, old], retired: {old: 2026-12-31}":      "receiver.retired.old is one of receiver.secrets and secret_files as well",
		"retired: {old: 2026-12-31}":                                "receiver.secrets is missing",
		"secret_files: [new], retired: {old: \"\"}":                 "receiver.retired.old must be a date",
		"secrets: [whsec_old], retired: {old: 2026-12-31}":          "receiver.retired.old is one of",
		"secret_files: [new], retired: {old: 2026-02-29}":           "receiver.retired.old must be a date",
		"secret_files: [new], retired: [old]":                       "receiver.retired",
		"secret_files: [new], retired: {old: 2026-12-31T00:00:00Z}": "receiver.retired.old must be a date",
	} {
		if _, err := load(receiver); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", receiver, err, want)
		}
	}
}

// Who only receives has said nothing of a mode.
func TestKnownMode(t *testing.T) {
	for text, want := range map[string]string{
		"receiver: {secrets: [whsec_x]}\n":                                 "",
		"receiver: {secrets: [whsec_x]}\napi: {rate: 5}\n":                 "test",
		"receiver: {secrets: [whsec_x]}\napi: {mode: live, key: sk_abc}\n": "live",
	} {
		cfg, err := Load(write(t, text), environ(), SectionReceiver)
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.KnownMode(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
