package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

// ear hears what is told of nightly passes.
type ear struct {
	*httptest.Server
	gone  atomic.Bool // nobody is there any more
	mu    sync.Mutex
	pings []string
	texts []string
	hooks []string
}

func newEar(t *testing.T) *ear {
	t.Helper()
	e := &ear{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.gone.Load() {
			w.WriteHeader(http.StatusGone)
			return
		}
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/ping") {
			e.pings = append(e.pings, r.URL.Path)
			e.texts = append(e.texts, string(body))
			return
		}
		e.hooks = append(e.hooks, string(body))
	}))
	t.Cleanup(e.Close)
	return e
}

// heard returns what was told since it was last asked: the paths of the pings, the text of the last one, the documents.
func (e *ear) heard() (pings []string, text string, hooks []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	pings, hooks = e.pings, e.hooks
	if len(e.texts) > 0 {
		text = e.texts[len(e.texts)-1]
	}
	e.pings, e.texts, e.hooks = nil, nil, nil
	return pings, text, hooks
}

// goodDay is a day file with the customers of nightFile that are right.
const goodDay = "external_reference,name,currency,balance\nC-1,Zoë,ZAR,24000\nC-2,Thabo,ZAR,-500\nC-5,No Balance,,\nC-6,Twice,ZAR,100\nC-8,Payer,ZAR,7000\n"

// addNotify adds the section to the configuration.
func (s *stage) addNotify(base string) {
	s.t.Helper()
	s.addLines(fmt.Sprintf("notify: {ping_url: %s/ping/secret-uuid, webhook_url: %s/hook/secret-hook}", base, base))
}

// addLines adds to the configuration.
func (s *stage) addLines(lines string) {
	s.t.Helper()
	if err := os.WriteFile(s.config, []byte(read(s.t, s.config)+lines+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func TestPassesAreTold(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	e := newEar(t)
	s.addNotify(e.URL)
	const start, success, fail = "/ping/secret-uuid/start", "/ping/secret-uuid", "/ping/secret-uuid/fail"

	s.leave("za_acme_dailyfile_2026-03-16.csv", nightFile)
	s.run(3, "run", "--date", "2026-03-16", "--dry-run")
	if pings, _, hooks := e.heard(); len(pings)+len(hooks) > 0 {
		t.Errorf("a dry run was told: %q %q", pings, hooks)
	}

	r := s.run(3, "run", "--date", "2026-03-16")
	pings, text, hooks := e.heard()
	if !slices.Equal(pings, []string{start, fail}) || len(hooks) != 1 {
		t.Fatalf("pings %q, documents %q", pings, hooks)
	}
	var notice nightly.Notice
	if err := json.Unmarshal([]byte(hooks[0]), &notice); err != nil {
		t.Fatal(err)
	}
	if notice.ExitCode != 3 || notice.Status != "needs_person" || notice.Read != 10 || notice.Outcomes["created"] != 5 || len(notice.Files) != 1 ||
		len(notice.RollForward) != 1 || notice.RollForward[0].Billed == "0.00" {
		t.Errorf("document %s", hooks[0])
	}
	for _, want := range []string{"exit code 3: needs person", "read 10 = 5 created + 1 duplicate + 4 rejected", "4 rejected of 10", "tallyman status " + notice.RunID} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	for _, told := range []string{text, hooks[0]} {
		for _, private := range []string{"Zoë", "zoe@", "27821234567", "C-1", "bcus_", "notmail"} {
			if strings.Contains(told, private) {
				t.Errorf("it tells %q:\n%s", private, told)
			}
		}
	}
	if strings.Contains(r.stdout+r.stderr, "secret-") {
		t.Errorf("an address was shown:\n%s", r.stderr)
	}

	s.leave("za_acme_dailyfile_2026-03-17.csv", strings.Replace(goodDay, "7000", "7001", 1))
	s.run(0, "run", "--date", "2026-03-17")
	if pings, _, _ := e.heard(); !slices.Equal(pings, []string{start, success}) {
		t.Errorf("a good night: %q", pings)
	}

	// Refused credentials: the night ends early, and says why.
	s.api.RevokeKey(sandbox.Test)
	s.leave("za_acme_dailyfile_2026-03-18.csv", goodDay+"C-9,New,ZAR,1\n")
	s.run(4, "run", "--date", "2026-03-18")
	if pings, text, _ := e.heard(); !slices.Equal(pings, []string{start, fail}) || !strings.Contains(text, "stopped early: credentials refused") {
		t.Errorf("a night that stopped: %q\n%s", pings, text)
	}

	// That nobody can be told is no fault of the night.
	e.gone.Store(true)
	r = s.run(4, "run", "--date", "2026-03-18")
	if !strings.Contains(r.stderr, "notify.ping_url") || strings.Contains(r.stderr, "secret-") {
		t.Errorf("stderr:\n%s", r.stderr)
	}
}

// A pass that could not begin is told as a failure, unless another one is under way.
func TestPassThatCannotBegin(t *testing.T) {
	s := newStage(t, sandbox.Options{})
	e := newEar(t)
	s.addNotify(e.URL)
	s.run(3, "run", "--date", "2026-03-16") // the day file is missing
	e.heard()
	text := strings.Replace(read(t, s.config), "merchant: acme", "merchant: other", 1)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(5, "run", "--date", "2026-03-16")
	pings, body, hooks := e.heard()
	if !slices.Equal(pings, []string{"/ping/secret-uuid/fail"}) || len(hooks) != 1 || !strings.Contains(body, "exit code 5: failed") {
		t.Errorf("%q %q %q", pings, body, hooks)
	}
}
