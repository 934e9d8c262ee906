package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tallyman/internal/sandbox"
	"tallyman/internal/sshdtest"
)

// stage is a biller's surroundings: OpenSSH's sshd, the stand-in for Moment, and a configuration for both.
type stage struct {
	t       *testing.T
	dir     string
	config  string
	inbox   string
	deliver string
	sshd    *sshdtest.Server
	api     *sandbox.Sandbox
}

// newStage makes one. Lines are added to the api section of the configuration.
func newStage(t *testing.T, o sandbox.Options, apiLines ...string) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir(), sshd: sshdtest.Start(t, sshdtest.Options{})}
	s.startAPI(o)
	s.inbox, s.deliver = filepath.Join(s.sshd.Dir, "outgoing"), filepath.Join(s.sshd.Dir, "incoming")
	for _, dir := range []string{s.inbox, s.deliver} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.config = filepath.Join(s.dir, "tallyman.yaml")
	s.writeConfig(s.sshd.HostKeyFingerprint, apiLines...)
	return s
}

// startAPI starts the stand-in for Moment in its own directory. It ends with the test.
func (s *stage) startAPI(o sandbox.Options) {
	s.t.Helper()
	o.Dir = filepath.Join(s.dir, "moment")
	api, err := sandbox.Start(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := api.Close(); err != nil {
			s.t.Error(err)
		}
	})
	s.api = api
}

func (s *stage) writeConfig(fingerprint string, apiLines ...string) {
	s.t.Helper()
	text := fmt.Sprintf(`merchant: acme
data_dir: ./data
api:
  base_url: %s
  key: %s
  mode: test
  rate: 2000
  concurrency: 8
  timeout: 5s
%s
inbox:
  address: %s
  user: %s
  key_file: %s
  host_keys: ["%s"]
  path: %s
  deliver: %s
  pattern: "za_acme_dailyfile_{date}.csv"
  settle: 0s
files: {currency: ZAR}
receiver:
  listen: 127.0.0.1:0
  secrets: ["%s"]
reconcile: {timezone: Africa/Johannesburg, live: none}
`, s.api.APIURL(), s.api.SecretKey(sandbox.Test), strings.Join(apiLines, "\n"), s.sshd.Addr, s.sshd.User, s.sshd.KeyFile, fingerprint,
		s.inbox, s.deliver, s.api.WebhookSecret())
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// leave puts a file into the inbox, or a local one if the name has a slash, and returns its path.
func (s *stage) leave(name, text string) string {
	s.t.Helper()
	path := name
	if !strings.Contains(name, "/") {
		path = filepath.Join(s.inbox, name)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// result is what one run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// command prepares a run of the real program.
func (s *stage) command(args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := exec.Command("tallyman", args...)
	cmd.Env = append(os.Environ(), "TALLYMAN_CONFIG="+s.config)
	cmd.Dir = s.dir
	return cmd
}

// run runs the real program and requires an exit code.
func (s *stage) run(code int, args ...string) result {
	s.t.Helper()
	var out, errs bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	r := result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	if r.code != code {
		s.t.Fatalf("tallyman %s: exit %d, want %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

// runJSON runs the real program with --json and decodes its answer.
func (s *stage) runJSON(code int, into any, args ...string) {
	s.t.Helper()
	r := s.run(code, append(args, "--json")...)
	if err := json.Unmarshal([]byte(r.stdout), into); err != nil {
		s.t.Fatalf("%v in %s", err, r.stdout)
	}
}

// table reads a CSV file into maps by column name.
func table(t *testing.T, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// customers returns what stands at the stand-in, by reference, and fails if a reference stands there twice.
func (s *stage) customers() map[string]sandbox.Customer {
	s.t.Helper()
	there := map[string]sandbox.Customer{}
	for _, c := range s.api.Customers(sandbox.Test) {
		if _, twice := there[c.ExternalReference]; twice {
			s.t.Errorf("%s stands there twice", c.ExternalReference)
		}
		there[c.ExternalReference] = c
	}
	return there
}

// noViolations fails if one key was used for two bodies.
func (s *stage) noViolations() {
	s.t.Helper()
	for _, v := range s.api.Violations() {
		s.t.Errorf("violation: %+v", v)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
