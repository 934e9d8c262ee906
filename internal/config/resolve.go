package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// resolve finds the secrets of the sections that are needed. A credential that
// the service manager passed (systemd's LoadCredential, named like the key)
// comes before a file, a file before a variable that is not set; but a
// configuration with both a file and a value does not say which it means.
func (c *checker) resolve(env Environment, need Section) {
	cfg := c.cfg
	if need.Has(SectionAPI) {
		cfg.API.Key = c.secret(env, "api.key", cfg.API.Key, cfg.API.KeyFile)
		c.apiKey()
	}
	if need.Has(SectionInbox) {
		cfg.Inbox.Password = c.secret(env, "inbox.password", cfg.Inbox.Password, cfg.Inbox.PasswordFile)
		cfg.Inbox.KeyPassphrase = c.secret(env, "inbox.key_passphrase", cfg.Inbox.KeyPassphrase, cfg.Inbox.KeyPassphraseFile)
	}
	if need.Has(SectionReceiver) {
		c.webhookSecrets(env)
	}
	if need.Has(SectionNotify) && cfg.Notify.SMTP.Address != "" {
		cfg.Notify.SMTP.Password = c.secret(env, "notify.smtp.password", cfg.Notify.SMTP.Password, cfg.Notify.SMTP.PasswordFile)
	}
	if cfg.Files.PGP.KeyFile != "" {
		cfg.Files.PGP.Passphrase = c.secret(env, "files.pgp.passphrase", cfg.Files.PGP.Passphrase, "")
	}
}

func (c *checker) secret(env Environment, key string, inline Secret, file string) Secret {
	if name, ok := c.credentialPath(key); ok {
		c.replaced(key)
		return NewSecret(c.readSecret(env, key, name, false), "credential "+key)
	}
	fileKey := key + "_file"
	if file == "" {
		return inline
	}
	if !inline.IsZero() {
		c.wrong(fileKey, "is there, and so is "+key, "keep one of the two")
		return inline
	}
	c.replaced(key)
	return NewSecret(c.readSecret(env, fileKey, file, true), fileKey)
}

// replaced takes back that variables of a secret are not set: it comes from
// elsewhere.
func (c *checker) replaced(key string) {
	c.findings = slices.DeleteFunc(c.findings, func(f finding) bool {
		name, _, _ := strings.Cut(f.Key, "[")
		return f.only != 0 && name == key
	})
	maps.DeleteFunc(c.unset, func(unset string, _ bool) bool {
		name, _, _ := strings.Cut(unset, "[")
		return name == key
	})
}

// credentialPath returns the file of a credential that was passed.
func (c *checker) credentialPath(key string) (string, bool) {
	dir, ok := c.lookup("CREDENTIALS_DIRECTORY")
	if !ok || dir == "" {
		return "", false
	}
	name := filepath.Join(dir, key)
	_, err := c.stat(name)
	return name, err == nil
}

func (c *checker) credential(key string) bool {
	_, ok := c.credentialPath(key)
	return ok
}

// readSecret reads a secret file without the line end that editors leave. It
// adds a problem and returns nothing if the file cannot be used.
func (c *checker) readSecret(env Environment, key, name string, private bool) string {
	shown := mask(name)
	info, err := env.Stat(name)
	if err != nil {
		c.wrong(key, unreadable(shown, err), "put the secret there, or correct the path (relative ones are relative to the configuration file)")
		return ""
	}
	if !info.Mode().IsRegular() {
		c.wrong(key, fmt.Sprintf("names %s, which is no file", shown), "correct the path")
		return ""
	}
	if private && info.Mode().Perm()&0o007 != 0 && runtime.GOOS != "windows" {
		c.wrong(key, fmt.Sprintf("names %s, which everybody on this machine can use", shown), "run chmod 600 "+shown)
		return ""
	}
	data, err := env.ReadFile(name)
	if err != nil {
		c.wrong(key, unreadable(shown, err), "let this user read it, or correct the path")
		return ""
	}
	text := strings.TrimRight(string(data), "\r\n")
	switch {
	case text == "":
		c.wrong(key, fmt.Sprintf("names %s, which is empty", shown), "put the secret into it")
	case len(data) > MaxFileSize:
		c.wrong(key, fmt.Sprintf("names %s, which is far too large for a secret", shown), "correct the path")
		return ""
	}
	return text
}

// unreadable says why without the path in the error, which may be a secret that
// was pasted into the wrong line.
func unreadable(shown string, err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return fmt.Sprintf("names %s, which cannot be read: %s", shown, err)
}

// apiKey checks that there is a key, that it is one, and that it is of the mode
// that was configured (moment-api.md: prefixes; there is no sk_live_).
func (c *checker) apiKey() {
	key, mode := c.cfg.API.Key.Reveal(), c.cfg.API.Mode
	keyName := "api.key"
	if c.cfg.API.Key.Source() == "api.key_file" {
		keyName = "api.key_file"
	}
	switch {
	case key == "" && c.cfg.API.KeyFile == "" && !c.credential("api.key"):
		c.missing("api.key", "write key: ${MOMENT_API_KEY} and set that variable, or name a key_file")
	case key == "":
	case strings.HasPrefix(key, "pk_"):
		c.wrong(keyName, "is a public key (pk_…)", "use the secret key (sk_…) from Moment's dashboard")
	case !strings.HasPrefix(key, "sk_"), strings.ContainsFunc(key, notInKey):
		c.wrong(keyName, "is not a secret key of Moment", "it is one word beginning with sk_test_ or sk_, without quotes or spaces")
	case strings.HasPrefix(key, "sk_test_") && mode == "live":
		c.wrong("api.mode", "is live, but the key is a test key (sk_test_…)", "use the live key, or write mode: test")
	case !strings.HasPrefix(key, "sk_test_") && mode == "test":
		c.wrong("api.mode", "is test, but the key is a live key (sk_…)", "use the test key, or write mode: live if real money is meant")
	}
}

func notInKey(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\'' }

func (c *checker) webhookSecrets(env Environment) {
	c.liveSecrets(env)
	c.retiredSecrets(env)
}

func (c *checker) liveSecrets(env Environment) {
	r := &c.cfg.Receiver
	if name, ok := c.credentialPath("receiver.secrets"); ok {
		c.replaced("receiver.secrets")
		r.Secrets = nil
		for _, line := range strings.Fields(c.readSecret(env, "receiver.secrets", name, false)) {
			r.Secrets = append(r.Secrets, NewSecret(line, "credential receiver.secrets"))
		}
		return
	}
	for i, secret := range r.Secrets {
		if key := fmt.Sprintf("receiver.secrets[%d]", i); secret.IsZero() {
			c.wrong(key, "is empty", "copy the signing secret (whsec_…) from Moment's dashboard, or remove it from the list")
		}
	}
	if len(r.Secrets) == 0 && len(r.SecretFiles) == 0 {
		c.missing("receiver.secrets", `write ["${MOMENT_WEBHOOK_SECRET}"] and set that variable, or name secret_files`)
	}
	for i, file := range r.SecretFiles {
		key := fmt.Sprintf("receiver.secret_files[%d]", i)
		if file == "" {
			continue
		}
		if text := c.readSecret(env, key, file, true); text != "" {
			r.Secrets = append(r.Secrets, NewSecret(text, key))
		}
	}
}

func (c *checker) retiredSecrets(env Environment) {
	r := &c.cfg.Receiver
	for _, file := range slices.Sorted(maps.Keys(r.Retired)) {
		key := "receiver.retired." + mask(file)
		last, err := time.Parse(time.DateOnly, r.Retired[file])
		if err != nil {
			c.wrong(key, "must be a date", "write the last day on which the secret is accepted, such as 2026-12-31")
			continue
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(c.dir, file)
		}
		text := c.readSecret(env, key, file, true)
		if text == "" {
			continue
		}
		retired := NewSecret(text, key)
		if slices.ContainsFunc(r.Secrets, retired.Equal) {
			c.wrong(key, "is one of receiver.secrets and secret_files as well", "take it out there, so that it ends")
		}
		r.RetiredSecrets = append(r.RetiredSecrets, RetiredSecret{Secret: retired, Ends: last.AddDate(0, 0, 1)})
	}
}
