package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tallyman/internal/sandbox"
)

// Each field of a customer and of an event holds a word that stands nowhere else, and so do the secrets. None of these words
// may come out of a command but in the files that are for the biller and for finance.
const canaryFile = `external_reference,name,email,phone,currency,balance,metadata.note,due_date
CANARYREF1,CANARYNAME1,canarymail1@example.com,+27839990001,ZAR,77000101,CANARYNOTE1,2026-01-01
CANARYREF2,CANARYNAME2,canarymail2@example.com,+27839990002,ZAR,77000102,CANARYNOTE2,
CANARY REF3,CANARYNAME3,,,ZAR,1,,
CANARYREF4,CANARYNAME4,CANARYNOMAIL4,,ZAR,1,,
CANARYREF5,CANARYNAME5,,CANARYNOPHONE5,ZAR,1,,
CANARYREF6,CANARYNAME6,,,CANARYCURRENCY6,1,,
CANARYREF7,CANARYNAME7,,,ZAR,CANARYBALANCE7,,
CANARYREF8,CANARYNAME8,,,ZAR,1,,CANARYDATE8
CANARYREF9,CANARYNAME9,,,ZAR,1,,
CANARYREF9,CANARYNAME99,,,ZAR,2,,
bcus_CANARYREF10,CANARYNAME10,,,ZAR,1,,
`

var canary = regexp.MustCompile(`(?i)canary|2783999|7700010|sk_test_|whsec_`)

// clean fails if a text tells what it must not.
func clean(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if found := canary.FindString(line); found != "" {
			t.Errorf("%s tells %q: %s", what, found, line)
		}
	}
}

// whatever runs the real program, ends as it may, and requires that neither output tells anything.
func (s *stage) whatever(args ...string) result {
	s.t.Helper()
	var out, errs strings.Builder
	cmd := s.command(append(args, "--log-level", "debug")...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // some end with 3
	name := "tallyman " + strings.Join(args, " ")
	clean(s.t, name+": stdout", out.String())
	clean(s.t, name+": stderr", errs.String())
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// faulty makes the first attempts for each customer go wrong in another way each.
func faulty(_ *http.Request, n int) sandbox.Fault {
	kinds := []sandbox.FaultKind{sandbox.TooMany, sandbox.ErrorAfter, sandbox.DropAfter, sandbox.Garbled, sandbox.ErrorBefore, sandbox.DropBefore}
	if n > len(kinds) {
		return sandbox.Fault{}
	}
	return sandbox.Fault{Kind: kinds[n-1], RetryAfter: 1}
}

func TestNothingPrivateIsTold(t *testing.T) {
	s := newStage(t, sandbox.Options{FaultFunc: faulty})
	e := newEar(t)
	s.addNotify(e.URL + "/canary")
	s.addLines("metrics: {textfile: ./tallyman.prom}")
	wrong := map[string]string{
		"unclosed.csv":  "external_reference,name\nCANARYREF1,\"CANARYNAME\n",
		"doubled.csv":   "external_reference,name,name\nCANARYREF1,CANARYNAME,CANARYNAME\n",
		"encoding.csv":  "external_reference,name\nCANARYREF1,CANARYNAME\xff\n",
		"ragged.csv":    "external_reference,name\nCANARYREF1,CANARYNAME,CANARYMORE\n",
		"no-header.csv": "CANARYREF1,CANARYNAME,canarymail@example.com,CANARYNAME\n",
		"semicolon.csv": "external_reference;name,x\nCANARYREF1;CANARYNAME\n",
	}
	for _, format := range []string{"text", "json"} {
		s.leave("za_acme_dailyfile_2026-03-16.csv", canaryFile)
		s.whatever("check", s.leave(filepath.Join(s.dir, "customers.csv"), canaryFile))
		s.whatever("import", "--dry-run", filepath.Join(s.dir, "customers.csv"))
		r := s.whatever("run", "--date", "2026-03-16", "--log-format", format)
		if r.code != 3 || !strings.Contains(r.stdout, "2 ") {
			t.Errorf("exit %d: %s %s", r.code, r.stdout, r.stderr)
		}
		for name, text := range wrong {
			s.whatever("import", "--log-format", format, s.leave(filepath.Join(s.dir, name), text))
		}
		s.receiveCanaries(format)
		s.whatever("reconcile", "--date", "2026-03-16", "--log-format", format)
		s.whatever("run", "--date", "2026-03-17", "--log-format", format, "--json")
		s.whatever("status")
		s.whatever("doctor")
	}
	if len(s.customers()) < 2 {
		t.Error("the customers did not arrive: the test shows nothing")
	}
	_, text, hooks := e.heard()
	clean(t, "the ping", text)
	clean(t, "the webhook", strings.Join(hooks, "\n"))
	clean(t, "metrics", read(t, filepath.Join(s.dir, "tallyman.prom")))
	s.cleanRecords()
}

// receiveCanaries lets the receiver have events, good and bad.
func (s *stage) receiveCanaries(format string) {
	s.t.Helper()
	seen := newWatch("receiving webhooks")
	cmd := s.command("receive", "--log-level", "debug", "--log-format", format)
	cmd.Stderr = seen
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	address := regexp.MustCompile(`(127\.0\.0\.1:\d+)`).FindString(seen.wait(s.t))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, body := range []string{`{"id":"CANARYEVENT","data":{"name":"CANARYNAME"}}`, "CANARY"} {
		req, err := http.NewRequest(http.MethodPost, "http://"+address+"/webhooks/moment?x=CANARY", strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("webhook-id", "CANARYID")
		req.Header.Set("webhook-timestamp", "CANARYTIME")
		req.Header.Set("webhook-signature", "v1,CANARYSIGNATURE")
		resp, err := client.Do(req)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if err := s.api.SetWebhookURL("http://" + address + "/webhooks/moment"); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.api.Pay(sandbox.Payment{CustomerID: "CANARYREF1", Amount: 77000103}); err != nil {
		s.t.Fatal(err)
	}
	s.api.SendBody([]byte(`{"id":"CANARYEVENT","type":"CANARYTYPE","data":{"name":"CANARYNAME"}}`))
	s.api.SendBody([]byte(`CANARY`))
	if err := s.api.Flush(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
		s.t.Fatal(err)
	}
	clean(s.t, "receive: stderr", seen.written())
}

// cleanRecords looks at run.json of every run, which status and the notices are made from.
func (s *stage) cleanRecords() {
	s.t.Helper()
	found := 0
	err := filepath.WalkDir(filepath.Join(s.dir, "data", "runs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "run.json" {
			found++
			clean(s.t, "run.json", read(s.t, path))
		}
		return err
	})
	if err != nil || found == 0 {
		s.t.Errorf("%d records, %v", found, err)
	}
}

// Every line that a night logs says which run it belongs to, the same one.
func TestLogsOfARunHaveItsID(t *testing.T) {
	s := newStage(t, sandbox.Options{FaultFunc: faulty})
	e := newEar(t)
	e.gone.Store(true)
	s.addNotify(e.URL)
	s.addLines("metrics: {textfile: ./none/tallyman.prom}")
	s.leave("za_acme_dailyfile_2026-03-16.csv", canaryFile)
	r := s.run(3, "run", "--date", "2026-03-16", "--log-format", "json", "--log-level", "debug")
	id := regexp.MustCompile(`run (\S+) for`).FindStringSubmatch(r.stdout)[1]
	lines := 0
	for line := range strings.Lines(r.stderr) {
		if !strings.HasPrefix(line, "{") {
			continue // what is said at the end, for people
		}
		lines++
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry["run"] != id {
			t.Errorf("%v, run %v, want %s: %s", err, entry["run"], id, line)
		}
	}
	for _, want := range []string{"connected with mailbox", "notify.ping_url", "metrics could not be left"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the log does not say %q:\n%s", want, r.stderr)
		}
	}
	if lines < 4 {
		t.Errorf("%d lines only", lines)
	}
}
