package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSMTP(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("s3cr3t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(smtp string) (*Config, error) {
		t.Helper()
		path := filepath.Join(dir, "tallyman.yaml")
		if err := os.WriteFile(path, []byte("merchant: acme\nnotify:\n  smtp: {"+smtp+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(path, environ(), SectionNotify)
	}
	cfg, err := load("address: 'smtp.example.com:587', from: a@example.com, to: [b@example.com, 'C <c@example.com>'], username: x, password_file: password")
	if err != nil || cfg.Notify.SMTP.Password.Reveal() != "s3cr3t" || cfg.Notify.SMTP.TLS != "starttls" {
		t.Errorf("%v", err)
	}
	if _, err := load("address: '127.0.0.1:25', tls: none, from: a@example.com, to: [b@example.com]"); err != nil {
		t.Error(err)
	}
	for smtp, want := range map[string]string{
		"address: smtp.example.com, from: a@example.com, to: [b@example.com]":                 "notify.smtp.address must be host:port",
		"address: 'smtp.example.com:25', tls: none, from: a@example.com, to: [b@example.com]": "notify.smtp.tls is none, which is for loopback addresses only",
		"address: 'smtp.example.com:25', tls: ssl, from: a@example.com, to: [b@example.com]":  "notify.smtp.tls must be starttls, tls or none",
		"address: 'smtp.example.com:25', to: [b@example.com]":                                 "notify.smtp.from is missing",
		"address: 'smtp.example.com:25', from: a@example.com":                                 "notify.smtp.to is missing",
		"address: 'smtp.example.com:25', from: a@example.com, to: [b]":                        "notify.smtp.to[0] must be one mail address",
	} {
		if _, err := load(smtp); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), ": ", " "), strings.ReplaceAll(want, ": ", " ")) {
			t.Errorf("%s: %v", smtp, err)
		}
	}
}
