package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/ledger"
)

// doctorWith is a doctor for a configuration whose API is a server of the test's.
func doctorWith(t *testing.T, handler http.HandlerFunc) *doctor {
	t.Helper()
	cfg := localConfig(t, "")
	if handler != nil {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		cfg.API.BaseURL = server.URL
	}
	a, _, _ := testApp()
	a.logger = slog.New(slog.DiscardHandler)
	return &doctor{app: a, base: cfg, whole: map[config.Section]*config.Config{config.SectionAPI: cfg}}
}

// states are what was found, in short: "ok note".
func (d *doctor) states() string {
	var states []string
	for _, s := range d.found {
		states = append(states, s.State)
	}
	return strings.Join(states, " ")
}

func TestDoctorKey(t *testing.T) {
	const problem = `{"type":"https://api.momentco.io/docs/errors#x","title":"Said by Moment"}`
	for _, tt := range []struct {
		name         string
		status       int
		body         string
		states, says string
	}{
		{"no such customer", 404, problem, "ok", "accepted"},
		{"some other server's 404", 404, "<html>", "ok note", "see that api.base_url is Moment's"},
		{"no such key", 401, problem, "FAIL", "refused: 401 "},
		{"a deleted key", 403, problem, "FAIL", "refused: 403 "},
		{"a wrong key, told as an invalid request", 400, problem, "FAIL", "refused: 400 "},
		{"too fast", 429, problem, "FAIL", "could not be tried: 429 "},
		{"trouble", 500, problem, "FAIL", "could not be tried: 500 "},
		{"a redirect", 302, "", "FAIL", "api.base_url"},
		{"a customer out of nothing", 200, `{"id":"bcus_1","external_reference":"x"}`, "FAIL", "made up just now"},
		{"no answer of an API", 200, "<html>", "FAIL", "no usable answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			d := doctorWith(t, func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Method+" "+filepath.Dir(r.URL.Path))
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			d.key(t.Context())
			text := doctorText(d.found)
			if d.states() != tt.states || !strings.Contains(text, tt.says) {
				t.Errorf("want %s with %q:\n%s", tt.states, tt.says, text)
			}
			if len(asked) != 1 || asked[0] != "GET /billing/customers" {
				t.Errorf("requests: %q", asked)
			}
			if strings.Contains(text, "canary") || !strings.Contains(text, d.base.API.Key.Fingerprint()) {
				t.Errorf("the key is told by its fingerprint only:\n%s", text)
			}
			if state := d.found[0]; state.State == stateFail && state.Remedy == "" {
				t.Errorf("no remedy: %+v", state)
			}
		})
	}
}

func TestDoctorClock(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		ahead  time.Duration // of Moment's clock
		states string
		says   string
	}{
		{"right", 2 * time.Second, "ok", "2026-11-22T06:30:00+02:00 in Africa/Johannesburg, the last complete business date is 2026-11-21\n"},
		{"slow", 2 * time.Minute, "FAIL", "which is -2m0s off"},
		{"fast", -time.Hour, "FAIL", "which is 1h0m0s off"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := doctorWith(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" {
					t.Error("the key was sent for nothing")
				}
				w.Header().Set("Date", now.Add(tt.ahead).Format(http.TimeFormat))
				w.WriteHeader(http.StatusNotFound)
			})
			d.app.now = func() time.Time { return now }
			d.clock(t.Context())
			if text := doctorText(d.found); d.states() != tt.states || !strings.Contains(text, tt.says) {
				t.Errorf("want %s with %q:\n%s", tt.states, tt.says, text)
			}
		})
	}
	d := doctorWith(t, nil)
	if d.clock(t.Context()); d.states() != "ok" || !strings.Contains(d.found[0].Detail, "not compared") {
		t.Errorf("without an answer: %+v", d.found)
	}
}

func TestDoctorDirectory(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	for _, tt := range []struct{ dir, state, says string }{
		{own, stateOK, "MiB free"},
		{filepath.Join(own, "a", "b"), stateOK, "is not there yet and will be made"},
		{open, stateFail, "can be written by everybody"},
		{file, stateFail, "is no directory"},
		{filepath.Join(file, "sub"), stateFail, "not a directory"},
	} {
		d := doctorWith(t, nil)
		d.directory("data_dir", tt.dir)
		if s := d.found[0]; len(d.found) != 1 || s.State != tt.state || !strings.Contains(s.Detail, tt.says) || (s.State == stateFail) == (s.Remedy == "") {
			t.Errorf("%s: %+v", tt.dir, d.found)
		}
	}
	if entries, err := os.ReadDir(own); err != nil || len(entries) > 0 {
		t.Errorf("it left %v, %v", entries, err)
	}
}

func TestDoctorJournal(t *testing.T) {
	const head = `{"seq":7,"hash":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}`
	for _, tt := range []struct{ name, head, state, says string }{
		{"whole", head, stateOK, "1 segment, last number at least 7"},
		{"no head", "", stateFail, "without a HEAD"},
		{"garbled", head[:20], stateFail, "makes no sense"},
		{"something else", "{}", stateFail, "makes no sense"},
	} {
		d := doctorWith(t, nil)
		dir := filepath.Join(d.base.DataDir, "journal")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if d.journal(t.Context()); d.states() != stateOK || !strings.Contains(d.found[0].Detail, "none yet") {
			t.Errorf("an empty one: %+v", d.found)
		}
		files := map[string]string{"2026-11-22.jsonl": "{}\n", "HEAD": tt.head}
		for name, text := range files {
			if text == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d.found = nil
		if d.journal(t.Context()); d.states() != tt.state || !strings.Contains(d.found[0].Detail, tt.says) {
			t.Errorf("%s: %+v", tt.name, d.found)
		}
	}
}

func TestDoctorLedger(t *testing.T) {
	d := doctorWith(t, nil)
	l, err := ledger.Open(t.Context(), d.base.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if d.ledger(t.Context()); d.states() != stateOK {
		t.Errorf("a new one: %+v", d.found)
	}
	if err := l.StartRun(t.Context(), ledger.Run{ID: "r1", StartedAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	d.found = nil
	if d.ledger(t.Context()); d.states() != stateFail || !strings.Contains(d.found[0].Detail, "in the future") {
		t.Errorf("with a run in the future: %+v", d.found)
	}

	d = doctorWith(t, nil)
	if err := os.WriteFile(filepath.Join(d.base.DataDir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if d.ledger(t.Context()); d.states() != stateFail {
		t.Errorf("where there can be none: %+v", d.found)
	}

	d = doctorWith(t, nil) // it cannot be opened, and no backup helps against that
	if err := os.MkdirAll(filepath.Join(d.base.DataDir, ledger.FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	if d.ledger(t.Context()); d.states() != stateFail || !strings.Contains(d.found[0].Remedy, "the rights on it") {
		t.Errorf("a directory in its place: %+v", d.found)
	}
}

func TestDoctorReceiver(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.Listener.Addr().String()
	good, short := config.NewSecret("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "receiver.secrets[0]"), config.NewSecret("whsec_c2hvcnQ=", "receiver.secrets[1]")
	d := doctorWith(t, nil)
	d.base.Receiver.Listen, d.base.Receiver.Secrets = address, []config.Secret{good, short}
	d.whole[config.SectionReceiver] = d.base
	d.receiver(t.Context())
	if text := doctorText(d.found); d.states() != "FAIL ok ok" || !strings.Contains(text, "receiver.secrets[1]: ") || !strings.Contains(text, "1 secret can") || !strings.Contains(text, "somebody listens on "+address) {
		t.Errorf("%s", text)
	}
	server.Close()
	d.base.Receiver.Secrets, d.found = []config.Secret{good}, nil
	if d.receiver(t.Context()); d.states() != "ok note" {
		t.Errorf("with nobody there: %+v", d.found)
	}
}

// Nothing is tried any more once a person has lost patience.
func TestDoctorInterrupted(t *testing.T) {
	cfg := localConfig(t, "")
	a, stdout, _ := testApp()
	a.flags.config, a.logger = cfg.File(), slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := runDoctor(ctx, a); err == nil || stdout.Len() > 0 {
		t.Errorf("%v\n%s", err, stdout)
	}
}
