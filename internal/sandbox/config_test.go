package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

func TestWriteConfig(t *testing.T) {
	s := start(t, Options{ReceiverListen: "127.0.0.1:9999"})
	if written, err := s.WriteConfig(); err != nil || !written {
		t.Fatalf("written %v, %v", written, err)
	}
	data, err := os.ReadFile(s.ConfigPath())
	must(t, err)
	var got map[string]any
	must(t, yaml.Unmarshal(data, &got))
	want := map[string]any{
		"merchant": "sandbox", "data_dir": "./data",
		"api": map[string]any{"base_url": s.APIURL(), "key_file": "./api.key", "mode": "test", "rate": 50},
		"inbox": map[string]any{
			"address": s.SFTPAddress(), "user": "sandbox", "key_file": "./id_ed25519", "host_keys": []any{s.HostKeyFingerprint()},
			"path": "/outgoing", "pattern": "za_sandbox_dailyfile_{date}.csv", "settle": "1s",
			"archive": "/outgoing/archive", "rejected": "/outgoing/rejected", "deliver": "/incoming/tallyman",
		},
		"files":     map[string]any{"currency": "ZAR"},
		"receiver":  map[string]any{"listen": "127.0.0.1:9999", "secret_files": []any{"./webhook.secret"}},
		"reconcile": map[string]any{"timezone": "Africa/Johannesburg", "live": "none"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if s.WebhookURL() != "http://127.0.0.1:9999/webhooks/moment" {
		t.Errorf("events go to %s", s.WebhookURL())
	}
	// The files it names hold what the sandbox accepts.
	for name, want := range map[string]string{"api.key": s.SecretKey(Test), "webhook.secret": s.WebhookSecret()} {
		if data, err := os.ReadFile(filepath.Join(filepath.Dir(s.ConfigPath()), name)); err != nil || strings.TrimSpace(string(data)) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	conn, err := dial(s, "sandbox", clientKey(t, s))
	must(t, err)
	must(t, conn.Close())
}

func TestWriteConfigAgain(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Options{Dir: dir})
	_, err := s.WriteConfig()
	must(t, err)
	must(t, s.Close())

	// Other ports after a restart: the sandbox's own file follows.
	s = start(t, Options{Dir: dir})
	if written, err := s.WriteConfig(); err != nil || !written {
		t.Fatalf("written %v, %v", written, err)
	}
	data, err := os.ReadFile(s.ConfigPath())
	must(t, err)
	if !strings.Contains(string(data), s.APIURL()) || !strings.Contains(string(data), s.SFTPAddress()) {
		t.Errorf("old addresses:\n%s", data)
	}

	// Without the marker it is somebody's.
	_, mine, _ := strings.Cut(string(data), "\n")
	must(t, os.WriteFile(s.ConfigPath(), []byte(mine), 0o600))
	if written, err := s.WriteConfig(); err != nil || written {
		t.Errorf("written %v, %v", written, err)
	}
	if data, err := os.ReadFile(s.ConfigPath()); err != nil || string(data) != mine {
		t.Errorf("somebody's file was changed: %v", err)
	}
}
