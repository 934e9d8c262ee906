package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// configMarker is the first line of a configuration that may be written again.
const configMarker = "# Written by tallyman sandbox at every start. To keep changes, delete this line."

// configText takes, in this order: the marker, API URL, SFTP address, user, host
// key fingerprint, receiver address.
const configText = `%s
# It points at the sandbox on this machine, which is not Moment and moves no money.
merchant: sandbox
data_dir: ./data

api:
  base_url: %q
  key_file: ./api.key
  mode: test
  rate: 50

inbox:
  address: %q
  user: %q
  key_file: ./id_ed25519
  host_keys: [%q]
  path: /outgoing
  pattern: "za_sandbox_dailyfile_{date}.csv"
  settle: 1s
  archive: /outgoing/archive
  rejected: /outgoing/rejected
  deliver: /incoming/tallyman

files:
  currency: ZAR

receiver:
  listen: %q
  secret_files: [./webhook.secret]

reconcile:
  timezone: Africa/Johannesburg
  live: none
`

// WriteConfig writes a configuration that fits this sandbox to tallyman.yaml in
// its directory, and tells whether it did: a file whose first line is not the
// sandbox's own belongs to somebody and stays as it is.
func (s *Sandbox) WriteConfig() (written bool, err error) {
	old, err := os.ReadFile(s.ConfigPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, fmt.Errorf("read configuration: %w", err)
	default:
		if first, _, _ := bytes.Cut(old, []byte("\n")); string(bytes.TrimRight(first, "\r")) != configMarker {
			return false, nil
		}
	}
	text := fmt.Sprintf(configText, configMarker, s.APIURL(), s.SFTPAddress(), s.opt.SFTPUser, s.HostKeyFingerprint(), s.opt.ReceiverListen)
	if err := writeFile(s.ConfigPath(), []byte(text)); err != nil {
		return false, fmt.Errorf("write configuration: %w", err)
	}
	return true, nil
}

// ConfigPath is where [Sandbox.WriteConfig] writes.
func (s *Sandbox) ConfigPath() string { return filepath.Join(s.opt.Dir, configName) }
