package sandbox

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Names of files in the directory.
const (
	testKeyFile  = "api.key"
	liveKeyFile  = "api.live.key"
	secretFile   = "webhook.secret"
	passwordFile = "sftp.password"
	hostKeyFile  = "ssh_host_ed25519_key"
	userKeyFile  = "id_ed25519"
	stateName    = "moment.json"
	configName   = "tallyman.yaml"
	lockName     = "sandbox.lock"
	sftpDir      = "sftp"
)

const (
	testKeyPrefix = "sk_test_"
	liveKeyPrefix = "sk_"
	secretPrefix  = "whsec_"
)

// withCredentials fills in the keys and secrets: those given are written to the
// directory, so that a configuration can name the files; those not given are
// read from there, or made.
func (o Options) withCredentials() (Options, error) {
	steps := []struct {
		value *string
		file  string
		make  func() string
	}{
		{&o.TestKey, testKeyFile, func() string { return testKeyPrefix + rand.Text() }},
		{&o.LiveKey, liveKeyFile, func() string { return liveKeyPrefix + rand.Text() }},
		{&o.WebhookSecret, secretFile, newSecret},
		{&o.SFTPPassword, passwordFile, rand.Text},
	}
	for _, s := range steps {
		if err := keep(s.value, filepath.Join(o.Dir, s.file), s.make); err != nil {
			return o, err
		}
	}
	return o, o.checkCredentials()
}

func (o Options) checkCredentials() error {
	var errs []error
	if !strings.HasPrefix(o.TestKey, testKeyPrefix) {
		errs = append(errs, fmt.Errorf("the test key in %s does not begin with %s", testKeyFile, testKeyPrefix))
	}
	if !strings.HasPrefix(o.LiveKey, liveKeyPrefix) || strings.HasPrefix(o.LiveKey, testKeyPrefix) {
		errs = append(errs, fmt.Errorf("the live key in %s does not begin with %s, or begins with %s", liveKeyFile, liveKeyPrefix, testKeyPrefix))
	}
	encoded, ok := strings.CutPrefix(o.WebhookSecret, secretPrefix)
	if raw, err := base64.StdEncoding.DecodeString(encoded); !ok || err != nil || len(raw) < 24 || len(raw) > 64 {
		errs = append(errs, fmt.Errorf("the webhook secret in %s is not %s and base64 of 24 to 64 bytes", secretFile, secretPrefix))
	}
	return errors.Join(errs...)
}

func newSecret() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(raw)
}

// keep makes value and the file at path agree.
func keep(value *string, path string, make func() string) error {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read credential: %w", err)
	}
	kept := strings.TrimSpace(string(data))
	if *value == "" {
		*value = kept
	}
	if *value == "" {
		*value = make()
	}
	if *value == kept {
		return nil
	}
	if err := writeFile(path, []byte(*value+"\n")); err != nil {
		return fmt.Errorf("write credential: %w", err)
	}
	return nil
}

// sshKey reads the OpenSSH key at path, or makes an ed25519 one, with its public
// half beside it.
func sshKey(path, comment string) (ssh.Signer, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = newSSHKey(path, comment)
	}
	if err != nil {
		return nil, fmt.Errorf("ssh key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("ssh key %s: %w; move the file away to have a new one made", path, err)
	}
	return signer, nil
}

func newSSHKey(path, comment string) ([]byte, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, err
	}
	sshPublic, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPublic))) + " " + comment + "\n"
	if err := writeFile(path+".pub", []byte(line)); err != nil {
		return nil, err
	}
	data := pem.EncodeToMemory(block)
	return data, writeFile(path, data)
}
