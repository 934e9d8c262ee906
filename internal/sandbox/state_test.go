package sandbox

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	ticks := newClock()
	o := Options{Dir: dir, UniqueOff: true, Now: ticks.Now, Retries: []time.Duration{}}
	s := start(t, o)
	c := as(t, s)
	c.want(c.createWith("k1", full), 201)
	c.want(c.createWith("k2", full), 201)
	c.want(c.createWith("k3", `{"external_reference":"a b"}`), 400)
	once(s, Fault{Kind: DropBefore})
	c.createWith("k4", full)
	_, err := s.Pay(Payment{CustomerID: "ACC-1", Amount: 5, Metadata: map[string]string{"a": "b"}})
	must(t, err)
	_, err = s.Pay(Payment{BillID: "bill_1", Amount: 5, Currency: "ZAR", Bare: true, At: time.Time{}})
	must(t, err)
	must(t, s.Close())
	must(t, s.Close()) // again: the same result, and no harm

	o.UniqueOff = false
	again := start(t, o)
	if diff := cmp.Diff(s.Customers(Test), again.Customers(Test)); diff != "" {
		t.Errorf("customers (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(s.Duplicates(Test), again.Duplicates(Test)); diff != "" {
		t.Errorf("duplicates (-before +after):\n%s", diff)
	}
	before, after := s.Payments(), again.Payments()
	before[1].Payment.At = time.Time{} // a bare event tells no time
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("payments (-before +after):\n%s", diff)
	}
	for name, same := range map[string]bool{
		"test key": s.SecretKey(Test) == again.SecretKey(Test), "live key": s.SecretKey(Live) == again.SecretKey(Live),
		"secret": s.WebhookSecret() == again.WebhookSecret(), "password": s.SFTPPassword() == again.SFTPPassword(),
		"host key": s.HostKeyFingerprint() == again.HostKeyFingerprint(),
	} {
		if !same {
			t.Errorf("the %s changed", name)
		}
	}
	c = as(t, again)
	if h := c.want(c.createWith("k1", full), 201); !replayed(h) {
		t.Error("an outcome was forgotten")
	}
	if h := c.want(c.createWith("k3", `{"external_reference":"a b"}`), 400); !replayed(h) {
		t.Error("a failure was forgotten")
	}
	c.want(c.createWith("k4", full), http.StatusConflict)
	c.want(c.createWith("k1", full+" "), http.StatusUnprocessableEntity)
}

func TestDamagedState(t *testing.T) {
	for name, text := range map[string]string{
		"torn": `{"version":1,"test":`, "newer": `{"version":2}`, "event": `{"version":1,"payments":[{"mode":"test","webhook_id":"msg_1","body":"x"}]}`,
	} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, stateName), []byte(text), 0o600))
		_, err := Start(t.Context(), Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), stateName) || !strings.Contains(err.Error(), "move the file away") {
			t.Errorf("%s: %v", name, err)
		}
		// The directory is free again.
		must(t, os.Remove(filepath.Join(dir, stateName)))
		start(t, Options{Dir: dir})
	}
}

func TestOneSandboxADirectory(t *testing.T) {
	s := start(t, Options{})
	_, err := Start(t.Context(), Options{Dir: s.Dir()})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second start: %v", err)
	}
}

func TestPortInUse(t *testing.T) {
	s := start(t, Options{})
	for _, o := range []Options{
		{APIListen: strings.TrimPrefix(s.APIURL(), "http://")},
		{SFTPListen: s.SFTPAddress()},
	} {
		o.Dir = t.TempDir()
		if _, err := Start(t.Context(), o); err == nil {
			t.Fatal("two on one port")
		}
		start(t, Options{Dir: o.Dir}) // nothing was left locked
	}
}

func TestFilesArePrivate(t *testing.T) {
	s := start(t, Options{})
	_, err := s.WriteConfig()
	must(t, err)
	must(t, s.Close())
	var files int
	must(t, filepath.WalkDir(s.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == s.Dir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if !d.IsDir() {
			files++
		}
		return nil
	}))
	if files != 11 {
		t.Errorf("%d files", files)
	}
}

func TestGivenCredentials(t *testing.T) {
	const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	o := Options{
		Dir: t.TempDir(), TestKey: "sk_test_mine", LiveKey: "sk_mine", WebhookSecret: secret, SFTPPassword: "pw",
	}
	s := start(t, o)
	c := as(t, s)
	c.key = "sk_test_mine"
	c.want(c.get("x"), 404)
	for name, want := range map[string]string{testKeyFile: "sk_test_mine\n", liveKeyFile: "sk_mine\n", secretFile: secret + "\n", passwordFile: "pw\n"} {
		if got, err := os.ReadFile(filepath.Join(o.Dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	must(t, s.Close())
	kept := start(t, Options{Dir: o.Dir})
	if kept.SecretKey(Test) != "sk_test_mine" || kept.WebhookSecret() != secret || kept.SecretKey("prod") != "" {
		t.Error("given credentials are not kept")
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"open to the world": {APIListen: "0.0.0.0:0"},
		"all interfaces":    {SFTPListen: ":0"},
		"no port":           {SFTPListen: "127.0.0.1"},
		"another machine":   {APIListen: "192.0.2.1:80"},
		"webhook":           {WebhookURL: "localhost:8480"},
		"faults":            {Faults: Faults{Slow: 2}},
		"file faults":       {SFTPFaults: SFTPFaults{Drops: -1}},
		"status":            {InvalidKeyStatus: 418},
		"rate":              {Rate: -1},
		"share":             {WithoutRules: 2},
		"test key":          {TestKey: "sk_x"},
		"live key":          {LiveKey: "sk_test_x"},
		"short secret":      {WebhookSecret: "whsec_YWJj"},
		"plain secret":      {WebhookSecret: "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="},
	} {
		o.Dir = t.TempDir()
		s, err := Start(t.Context(), o)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Start(t.Context(), Options{Rate: -1, WithoutRules: 2}); err == nil ||
		!strings.Contains(err.Error(), "Dir") || !strings.Contains(err.Error(), "rate") || !strings.Contains(err.Error(), "share") {
		t.Errorf("not all at once: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := Start(t.Context(), Options{Dir: file}); err == nil {
		t.Error("a file is no directory")
	}
}

func TestDamagedKey(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, hostKeyFile), []byte("nonsense"), 0o600))
	if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), hostKeyFile) {
		t.Errorf("got %v", err)
	}
}

func TestStartWritesNoConfig(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir}
	s := start(t, o)
	must(t, s.Close())
	data, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil || !bytes.HasPrefix(data, []byte(`{"version":1`)) {
		t.Errorf("state %s %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(dir, configName)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a configuration was written unasked")
	}
}
