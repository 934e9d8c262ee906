package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tallyman/internal/journal"
)

const receiveSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// receiving is a directory with a configuration of its own for `tallyman receive`, the real program as a process.
type receiving struct {
	t      *testing.T
	dir    string
	config string
	secret journal.Secret
	cmd    *exec.Cmd
	url    string
	stderr *watch
}

// newReceiving writes a configuration; more are further lines of its section receiver.
func newReceiving(t *testing.T, more ...string) *receiving {
	t.Helper()
	r := &receiving{t: t, dir: t.TempDir()}
	r.config = filepath.Join(r.dir, "tallyman.yaml")
	text := fmt.Sprintf("merchant: acme\ndata_dir: ./data\nreceiver:\n  listen: 127.0.0.1:0\n  secrets: [%q]\n  %s\n", receiveSecret, strings.Join(more, "\n  "))
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.secret, err = journal.ParseSecret(receiveSecret); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *receiving) journal() string { return filepath.Join(r.dir, "data", "journal") }

func (r *receiving) command(args ...string) *exec.Cmd {
	cmd := exec.Command("tallyman", args...)
	cmd.Env = append(os.Environ(), "TALLYMAN_CONFIG="+r.config)
	cmd.Dir = r.dir
	return cmd
}

// start starts the receiver and waits until it listens.
func (r *receiving) start() {
	r.t.Helper()
	r.stderr = newWatch("receiving webhooks")
	r.cmd = r.command("receive")
	r.cmd.Stderr = r.stderr
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	cmd := r.cmd
	r.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	address := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(r.stderr.wait(r.t))
	if address == nil {
		r.t.Fatal("no address in the log")
	}
	r.url = "http://" + address[1]
}

// stop ends the receiver as an operator does.
func (r *receiving) stop() {
	r.t.Helper()
	if err := errors.Join(r.cmd.Process.Signal(os.Interrupt), r.cmd.Wait()); err != nil {
		r.t.Fatal(err)
	}
}

// send delivers an event, signed now.
func (r *receiving) send(client *http.Client, id string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.url+"/webhooks/moment", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	request.Header = http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {r.secret.Sign(id, stamp, body)}}
	answer, err := client.Do(request)
	if err == nil {
		_ = answer.Body.Close()
	}
	return answer, err
}

// kill -9 under load, in rounds, through the real program over HTTP: what it answered with 2xx stands in the journal once,
// always, and the journal is whole.
func TestKillTheReceiverUnderLoad(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	r := newReceiving(t)
	random := rand.New(rand.NewPCG(5, 5))
	var mu sync.Mutex
	acknowledged := make(map[string]bool)
	for round := range rounds {
		r.start()
		var sent atomic.Int64
		var wg sync.WaitGroup
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
		for i := range 16 {
			wg.Go(func() {
				for n := 0; ; n++ {
					id := fmt.Sprintf("msg_%d_%d_%d", round, i, n)
					answer, err := r.send(client, id, []byte(`{"id":"evt_`+id+`","type":"t"}`))
					if err != nil {
						return
					}
					if answer.StatusCode == http.StatusNoContent {
						mu.Lock()
						acknowledged[id] = true
						mu.Unlock()
						sent.Add(1)
					}
				}
			})
		}
		enough := int64(20 + random.IntN(800))
		waitFor(t, func() bool { return sent.Load() >= enough || processEnded(r.cmd.Process.Pid) })
		if err := r.cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = r.cmd.Wait()
		wg.Wait()
		client.CloseIdleConnections()
	}
	r.start()
	r.stop()
	stored := make(map[string]int)
	if _, err := journal.Read(t.Context(), r.journal(), func(l journal.Line) error {
		stored[l.Record.WebhookID]++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id := range acknowledged {
		if stored[id] != 1 {
			t.Fatalf("%s was answered with 2xx and stands in the journal %d times", id, stored[id])
		}
	}
	if out, err := r.command("journal", "verify").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%d acknowledged, %d stored", len(acknowledged), len(stored))
}

// pythonBlock returns the check that docs/webhooks.md gives to an auditor.
func pythonBlock(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```python\n")
	block, _, whole := strings.Cut(rest, "```\n")
	if !found || !whole {
		t.Fatal("docs/webhooks.md has no check in Python")
	}
	if n := strings.Count(block, "\n"); n > 15 {
		t.Errorf("the check has %d lines, and 15 are promised", n)
	}
	return block
}

// The auditor's check of docs/webhooks.md, run by python3 on what the real receiver wrote: it passes a whole journal and
// finds a changed byte wherever it is.
func TestAuditInPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3 is needed for this test")
		}
		t.Skip("there is no python3")
	}
	r := newReceiving(t)
	r.start()
	bodies := []string{
		`{"id":"evt_1","type":"t","data":{"amount":500}}`, "{\n  \"id\": \"evt_2\"\n}", "no JSON", "\xff\xfe", "",
		`{"id":"evt_6","body":"x","event":"{\"event\":{}}"}`, `{"key":"ключ"}`,
	}
	for i, body := range bodies {
		answer, err := r.send(http.DefaultClient, fmt.Sprintf(`msg_%d,"event":{`, i), []byte(body))
		if err != nil || answer.StatusCode != http.StatusNoContent {
			t.Fatal(answer, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	r.stop()
	segments, err := journal.Segments(r.journal())
	if err != nil || len(segments) == 0 {
		t.Fatal(segments, err)
	}
	script := filepath.Join(t.TempDir(), "audit.py")
	if err := os.WriteFile(script, []byte(pythonBlock(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	audit := func() (string, error) {
		out, err := exec.Command(python, script, r.journal(), receiveSecret).CombinedOutput()
		return string(out), err
	}
	if out, err := audit(); err != nil || !strings.Contains(out, fmt.Sprintf("%d deliveries", len(bodies))) {
		t.Fatalf("%v\n%s", err, out)
	}
	path := segments[len(segments)-1].Path
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range 12 {
		changed := bytes.Clone(whole)
		changed[at*len(whole)/12] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := audit(); err == nil {
			t.Fatalf("a change of byte %d is not found:\n%s", at*len(whole)/12, out)
		}
	}
	cut := whole[:bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1]
	if err := os.WriteFile(path, cut, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := audit(); err == nil {
		t.Errorf("a lost last line is not found:\n%s", out)
	}
	other := "whsec_" + strings.Repeat("A", 32)
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(python, script, r.journal(), other).CombinedOutput(); err == nil {
		t.Errorf("another secret is accepted:\n%s", out)
	}
	var head journal.Witness
	if text, err := os.ReadFile(filepath.Join(r.journal(), "HEAD")); err != nil || json.Unmarshal(text, &head) != nil || head.Seq != int64(len(bodies)) {
		t.Errorf("HEAD %+v, %v", head, err)
	}
}
