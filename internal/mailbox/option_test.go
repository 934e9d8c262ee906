package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallyman/internal/sshdtest"
)

func TestValidate(t *testing.T) {
	dir := t.TempDir()
	key, _ := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	write := func(name, passphrase string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		sshdtest.WriteKey(t, path, key, passphrase)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := Options{
		Address: "sftp.example.com", User: "acme", Path: "/outgoing",
		KeyFile: write("good", "", 0o600), HostKeys: []string{"SHA256:" + strings.Repeat("A", 43)},
	}
	if err := good.Validate(); err != nil {
		t.Fatalf("good options: %v", err)
	}
	withCertificate := write("bad-cert", "", 0o600)
	text("bad-cert-cert.pub", "ssh-ed25519 AAAA\n")
	tests := []struct {
		name   string
		change func(*Options)
		want   []string // parts of the text
	}{
		{"nothing at all", func(o *Options) { *o = Options{} }, []string{"inbox.address", "inbox.user", "inbox.path", "inbox.key_file", "inbox.host_keys"}},
		{"address with a user", func(o *Options) { o.Address = "acme@sftp.example.com:22" }, []string{"leave out scheme, user and path"}},
		{"nothing pinned", func(o *Options) { o.HostKeys = nil }, []string{"inbox.host_keys", "inbox.known_hosts_file"}},
		{"no SHA-256", func(o *Options) { o.HostKeys = []string{"MD5:00:11"} }, []string{`"MD5:00:11"`, "SHA256:"}},
		{"fingerprint cut off", func(o *Options) { o.HostKeys = []string{"SHA256:AAAA"} }, []string{"SHA256:AAAA"}},
		{"no known_hosts", func(o *Options) { o.KnownHostsFile = filepath.Join(dir, "none") }, []string{"inbox.known_hosts_file", "none"}},
		{"broken known_hosts", func(o *Options) { o.KnownHostsFile = text("broken", "\nexample.com ssh-ed25519 rubbish\n") }, []string{"broken:2"}},
		{"key others may read", func(o *Options) { o.KeyFile = write("group", "", 0o640) }, []string{"group", "0640", "chmod 600"}},
		{"key world may read", func(o *Options) { o.KeyFile = write("world", "", 0o604) }, []string{"world", "0604", "chmod 600"}},
		{"no key", func(o *Options) { o.KeyFile = filepath.Join(dir, "none") }, []string{"none", "no such file"}},
		{"key is a directory", func(o *Options) { o.KeyFile = dir }, []string{"no regular file"}},
		{"rubbish for a key", func(o *Options) { o.KeyFile = text("rubbish", "rubbish") }, []string{"rubbish", "ssh-keygen"}},
		{"no passphrase", func(o *Options) { o.KeyFile = write("locked", "hush", 0o600) }, []string{"locked", "inbox.key_passphrase"}},
		{"wrong passphrase", func(o *Options) { o.KeyFile, o.KeyPassphrase = write("locked2", "hush", 0o600), "shush" }, []string{"locked2", "does not open"}},
		{"bad certificate", func(o *Options) { o.KeyFile = withCertificate }, []string{"bad-cert-cert.pub"}},
		{"archive is the inbox", func(o *Options) { o.Archive = "/outgoing/" }, []string{"inbox.archive", "other directories"}},
		{"control character", func(o *Options) { o.Deliver = "/in\x1b[2J" }, []string{"inbox.deliver", `\x1b`}},
		{"negative", func(o *Options) { o.Timeout = -1 }, []string{"negative"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := good
			test.change(&o)
			err := o.Validate()
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("text lacks %q: %v", part, err)
				}
			}
			if strings.Contains(err.Error(), "shush") {
				t.Errorf("text shows a secret: %v", err)
			}
		})
	}
	t.Run("agent without a socket", func(t *testing.T) {
		t.Setenv("SSH_AUTH_SOCK", "")
		o := good
		o.KeyFile, o.Agent = "", true
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "SSH_AUTH_SOCK") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("Dial says it too", func(t *testing.T) {
		_, err := Dial(testContext(t), Options{})
		if want := (Options{}).Validate(); err == nil || err.Error() != want.Error() {
			t.Errorf("error %v, want %v", err, want)
		}
	})
	t.Run("typed", func(t *testing.T) {
		o := good
		o.KeyFile = filepath.Join(dir, "none")
		var key *KeyError
		if err := o.Validate(); !errors.As(err, &key) || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v is no *KeyError", err)
		}
	})
}

func TestDefaults(t *testing.T) {
	o := Options{Address: "sftp.example.com", Path: "/outgoing/"}.withDefaults()
	if o.Address != "sftp.example.com:22" || o.Archive != "/outgoing/archive" || o.Rejected != "/outgoing/rejected" || o.Deliver != "" {
		t.Errorf("%+v: %s %s %s %s", o, o.Address, o.Archive, o.Rejected, o.Deliver)
	}
	for address, want := range map[string]string{"::1": "[::1]:22", "[::1]": "[::1]:22", "[::1]:2222": "[::1]:2222", "h:1": "h:1"} {
		if got := withPort(address); got != want {
			t.Errorf("withPort(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestOptionsHideSecrets(t *testing.T) {
	o := Options{Address: "h", User: "acme", Password: "canary-1", KeyPassphrase: "canary-2"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "options", o)
	for _, text := range []string{fmt.Sprint(o), fmt.Sprintf("%v %+v %#v %s", o, o, o, o), log.String()} {
		if strings.Contains(text, "canary") {
			t.Errorf("secret in %q", text)
		}
	}
}
