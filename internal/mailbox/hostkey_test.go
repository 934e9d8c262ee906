package mailbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"tallyman/internal/sshdtest"
)

// allKeys has the server prefer keys that the tests do not pin.
var allKeys = []sshdtest.KeyType{sshdtest.ECDSA, sshdtest.RSA, sshdtest.Ed25519}

func TestPinnedHostKeys(t *testing.T) {
	server, o := sshd(t, sshdtest.Options{HostKeys: allKeys})
	stranger := "SHA256:" + strings.Repeat("A", 43)
	for _, key := range server.HostKeys {
		t.Run(key.Type, func(t *testing.T) {
			o := o
			o.HostKeys = []string{stranger, key.Fingerprint}
			if _, _, err := open(t, o).List(testContext(t)); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("none of them", func(t *testing.T) {
		o := o
		o.HostKeys = []string{stranger}
		_, err := Dial(testContext(t), o)
		var changed *ChangedHostKeyError
		if !errors.As(err, &changed) {
			t.Fatalf("error %v, want *ChangedHostKeyError", err)
		}
		if len(changed.Offered) != len(server.HostKeys) {
			t.Errorf("offered %v, the server has %v", changed.Offered, server.HostKeys)
		}
		for _, key := range server.HostKeys {
			if !strings.Contains(err.Error(), key.Fingerprint) {
				t.Errorf("text lacks the offered %s: %v", key.Fingerprint, err)
			}
		}
		if !strings.Contains(err.Error(), stranger) {
			t.Errorf("text lacks the pinned key: %v", err)
		}
	})
}

func TestKnownHosts(t *testing.T) {
	server, o := sshd(t, sshdtest.Options{HostKeys: allKeys, HostCertificate: true})
	line := func(kind string) string {
		for _, key := range server.HostKeys {
			if strings.Contains(key.Type, kind) {
				return key.KnownHostsLine
			}
		}
		t.Fatalf("no %s key", kind)
		return ""
	}
	keyOf := func(line string) string { _, rest, _ := strings.Cut(line, " "); return rest }
	hashed := xknownhosts.HashHostname(xknownhosts.Normalize(server.Addr)) + " " + keyOf(line("ed25519"))
	_, other := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	foreign := xknownhosts.Line([]string{server.Addr}, other)
	elsewhere := xknownhosts.Line([]string{"sftp.example.com:22"}, other)
	pins := func(o *Options) { o.HostKeys = []string{server.HostKeys[2].Fingerprint} }
	tests := []struct {
		name   string
		lines  []string
		change func(*Options)
		want   any // nil, or a pointer to the type of error
	}{
		{name: "a key the server does not prefer", lines: []string{line("ed25519")}},
		{name: "an RSA key, without SHA-1", lines: []string{line("rsa")}},
		{name: "hashed name", lines: []string{hashed}},
		{name: "two keys of one type", lines: []string{foreign, line("ed25519")}},
		{name: "certificate authority", lines: []string{server.AuthorityLine}},
		{name: "changed", lines: []string{foreign}, want: new(*ChangedHostKeyError)},
		{name: "only another host", lines: []string{elsewhere}, want: new(*UnknownHostKeyError)},
		{name: "empty file", want: new(*UnknownHostKeyError)},
		{name: "foreign authority", lines: []string{"@cert-authority " + foreign}, want: new(*ChangedHostKeyError)},
		{
			name:  "revoked beside a good line",
			lines: []string{line("ed25519"), "@revoked * " + keyOf(line("ed25519"))},
			want:  new(*RevokedHostKeyError),
		},
		{
			name:   "revoked though pinned",
			lines:  []string{"@revoked * " + keyOf(line("ed25519")), "@revoked * " + keyOf(line("rsa")), "@revoked * " + keyOf(line("ecdsa"))},
			change: pins,
			want:   new(*RevokedHostKeyError),
		},
		{name: "changed in the file, pinned in the configuration", lines: []string{foreign}, change: pins},
		{name: "unknown in the file, pinned in the configuration", lines: []string{elsewhere}, change: pins},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := o
			o.HostKeys = nil
			o.KnownHostsFile = filepath.Join(t.TempDir(), "known_hosts")
			if test.change != nil {
				test.change(&o)
			}
			content := strings.Join(test.lines, "\n") + "\n"
			if err := os.WriteFile(o.KnownHostsFile, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			m, err := Dial(testContext(t), o)
			if err == nil {
				defer m.Close()
			}
			switch {
			case test.want == nil && err != nil:
				t.Fatal(err)
			case test.want != nil && (err == nil || !errors.As(err, test.want)):
				t.Fatalf("error %v, want %T", err, test.want)
			}
			if after := mustRead(t, o.KnownHostsFile); after != content {
				t.Errorf("known_hosts was changed to %q", after)
			}
		})
	}
}

func TestUnknownHostKeyShowsWhatIsOffered(t *testing.T) {
	server, o := sshd(t, sshdtest.Options{})
	o.HostKeys = nil
	o.KnownHostsFile = filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(o.KnownHostsFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Dial(testContext(t), o)
	var unknown *UnknownHostKeyError
	if !errors.As(err, &unknown) {
		t.Fatalf("error %v, want *UnknownHostKeyError", err)
	}
	if len(unknown.Offered) != 1 || unknown.Offered[0].Line != server.KnownHostsLine {
		t.Errorf("offered %v, want the line %q", unknown.Offered, server.KnownHostsLine)
	}
	if !strings.Contains(err.Error(), server.HostKeyFingerprint) {
		t.Errorf("text lacks the fingerprint: %v", err)
	}
}

// That the server has no key of the kind that is known is a change too, and
// what it has instead is shown.
func TestKnownKindIsGone(t *testing.T) {
	server, o := sshd(t, sshdtest.Options{HostKeys: []sshdtest.KeyType{sshdtest.ECDSA}})
	_, former := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	o.HostKeys = nil
	o.KnownHostsFile = filepath.Join(t.TempDir(), "known_hosts")
	line := xknownhosts.Line([]string{server.Addr}, former) + "\n"
	if err := os.WriteFile(o.KnownHostsFile, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Dial(testContext(t), o)
	var changed *ChangedHostKeyError
	if !errors.As(err, &changed) {
		t.Fatalf("error %v, want *ChangedHostKeyError", err)
	}
	for _, part := range []string{server.HostKeyFingerprint, ssh.FingerprintSHA256(former), o.KnownHostsFile} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("text lacks %q: %v", part, err)
		}
	}
}

// A server whose key changes between two operations gets neither a login nor
// another request.
func TestHostKeyChangesMidway(t *testing.T) {
	server, o := sshd(t, sshdtest.Options{})
	leave(t, o, "a.csv", []byte("x"))
	m := open(t, o)
	entry := find(t, m, "a.csv")
	before := server.HostKeyFingerprint
	server.ReplaceHostKey()
	spool := t.TempDir()
	_, err := m.Fetch(testContext(t), entry, spool)
	var changed *ChangedHostKeyError
	if !errors.As(err, &changed) {
		t.Fatalf("error %v, want *ChangedHostKeyError", err)
	}
	for _, fingerprint := range []string{before, server.HostKeyFingerprint} {
		if !strings.Contains(err.Error(), fingerprint) {
			t.Errorf("text lacks %s: %v", fingerprint, err)
		}
	}
	if left := names(t, spool); len(left) > 0 {
		t.Errorf("something was downloaded: %v", left)
	}
}

func TestNoLoginWithAWrongHostKey(t *testing.T) {
	f := startFaulty(t, nil)
	o := f.options()
	o.HostKeys = []string{"SHA256:" + strings.Repeat("A", 43)}
	if _, err := Dial(testContext(t), o); err == nil {
		t.Fatal("connected")
	}
	if n := f.logins.Load() + f.refusals.Load(); n != 0 {
		t.Errorf("%d logins were tried", n)
	}
}

func TestOfferedHostKeys(t *testing.T) {
	server := sshdtest.Start(t, sshdtest.Options{HostKeys: allKeys})
	offered, err := OfferedHostKeys(testContext(t), server.Addr, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, key := range offered {
		found[key.Fingerprint] = key.Line
	}
	if len(offered) != len(server.HostKeys) {
		t.Errorf("offered %v, want %v", offered, server.HostKeys)
	}
	for _, key := range server.HostKeys {
		if found[key.Fingerprint] != key.KnownHostsLine {
			t.Errorf("%s: line %q, want %q", key.Type, found[key.Fingerprint], key.KnownHostsLine)
		}
	}
}

func TestOnlyOutdatedAlgorithms(t *testing.T) {
	f := startFaulty(t, func(f *faulty) {
		f.config.KeyExchanges = []string{ssh.InsecureKeyExchangeDH14SHA1}
	})
	_, err := Dial(testContext(t), f.options())
	var algorithm *AlgorithmError
	if !errors.As(err, &algorithm) {
		t.Fatalf("error %v, want *AlgorithmError", err)
	}
	if n := f.connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
