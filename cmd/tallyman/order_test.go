package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"tallyman/internal/sandbox"
	"tallyman/internal/syscalltest"
)

// unsynced watches the calls of a process and knows what a power cut would take: the bytes of files that were written and not
// synced, and names that were made in directories that were not synced. A kill -9 takes nothing of that, so no other test sees
// it.
type unsynced struct {
	root   string
	before func(u *unsynced) string // says what must be safe when something leaves over a socket and is not

	mu     sync.Mutex
	bytes  map[string]bool            // by file
	names  map[string]map[string]bool // by directory
	faults []string
	seen   map[string]int // calls by name, those to sockets as "socket"
}

func newUnsynced(root string) *unsynced {
	return &unsynced{root: root, bytes: map[string]bool{}, names: map[string]map[string]bool{}, seen: map[string]int{}}
}

// decide notes a call and lets it happen.
func (u *unsynced) decide(c syscalltest.Call) syscalltest.Verdict {
	u.mu.Lock()
	defer u.mu.Unlock()
	if c.Socket() {
		if c.Name == "write" {
			u.seen["socket"]++
			if u.before != nil {
				u.fault(u.before(u))
			}
		}
		return syscalltest.Verdict{}
	}
	if !strings.HasPrefix(c.Path, u.root) {
		return syscalltest.Verdict{}
	}
	u.seen[c.Name]++
	switch c.Name {
	case "write", "pwrite64", "ftruncate":
		u.bytes[c.Path] = true
	case "fsync", "fdatasync":
		delete(u.bytes, c.Path)
		delete(u.names, c.Path)
	case "openat", "open":
		if _, err := os.Lstat(c.Path); c.Make && err != nil {
			u.named(c.Path)
		}
	case "renameat", "renameat2", "rename":
		if u.bytes[c.From] {
			u.fault(fmt.Sprintf("%s gets its name before its bytes are safe", u.short(c.Path)))
		}
		delete(u.names[filepath.Dir(c.From)], filepath.Base(c.From))
		u.named(c.Path)
	case "unlinkat", "unlink":
		delete(u.bytes, c.Path)
		delete(u.names[filepath.Dir(c.Path)], filepath.Base(c.Path))
	}
	return syscalltest.Verdict{}
}

func (u *unsynced) named(path string) {
	dir := filepath.Dir(path)
	if u.names[dir] == nil {
		u.names[dir] = map[string]bool{}
	}
	u.names[dir][filepath.Base(path)] = true
}

func (u *unsynced) fault(text string) {
	if text != "" {
		u.faults = append(u.faults, text)
	}
}

func (u *unsynced) short(path string) string { return strings.TrimPrefix(path, u.root+"/") }

// left names what is not safe among the files whose bytes must be, and among those whose names must be.
func (u *unsynced) left(bytesOf, namesOf func(name string) bool) string {
	for path := range u.bytes {
		if bytesOf(u.short(path)) {
			return fmt.Sprintf("the bytes of %s are not safe", u.short(path))
		}
	}
	for dir, names := range u.names {
		for name := range names {
			if path := u.short(filepath.Join(dir, name)); namesOf(path) {
				return fmt.Sprintf("the name of %s is not safe", path)
			}
		}
	}
	return ""
}

// The intent to send a request is safe before the request leaves, the bytes of every file before it gets its name, and
// every result before the night ends.
func TestNothingIsBuiltOnWhatAPowerCutTakes(t *testing.T) {
	t.Run("import", func(t *testing.T) {
		s := newStage(t, sandbox.Options{})
		for i, balance := range []string{"100", "200"} {
			path := s.leave(filepath.Join(s.dir, fmt.Sprint(i, ".csv")), "external_reference,name,currency,balance\nC-1,One,ZAR,"+balance+"\n")
			u := newUnsynced(s.dir)
			// One record has one request at a time, and whatever the ledger holds was committed for it.
			ledger := func(name string) bool {
				return strings.HasPrefix(name, "data/ledger.db") && !strings.HasSuffix(name, "-shm")
			}
			u.before = func(u *unsynced) string {
				return u.left(func(name string) bool { return ledger(name) || strings.HasPrefix(name, "data/spool/") }, ledger)
			}
			u.watch(t, s, "import", path)
			if u.seen["socket"] == 0 || u.seen["fsync"]+u.seen["fdatasync"] == 0 {
				t.Errorf("not all calls were seen: %v", u.seen)
			}
		}
	})
	t.Run("run", func(t *testing.T) {
		s := newStage(t, sandbox.Options{})
		s.leave("za_acme_dailyfile_2026-03-16.csv", firstDayFile)
		u := newUnsynced(s.dir)
		u.watch(t, s, "run", "--date", "2026-03-16")
		results := func(name string) bool {
			return strings.HasPrefix(name, "data/runs/") || strings.HasPrefix(name, "data/outbox/") || strings.HasPrefix(name, "reports/") ||
				strings.HasPrefix(name, "data/files/") || strings.HasPrefix(name, "data/ledger.db-wal")
		}
		if what := u.left(results, results); what != "" {
			t.Error("at the end of the night: " + what)
		}
		if u.seen["renameat"] < 5 {
			t.Errorf("not all calls were seen: %v", u.seen)
		}
	})
	t.Run("receive", receiveOnWhatIsSafe)
}

// watch runs the program to its end and fails for what was built on sand.
func (u *unsynced) watch(t *testing.T, s *stage, args ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	ended := syscalltest.Start(t, cmd, u.decide)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	ended()
	for _, f := range u.faults {
		t.Error(f)
	}
}

// receiveOnWhatIsSafe delivers events one by one: each stands in the journal, synced, and the journal in its directory,
// before the answer leaves.
func receiveOnWhatIsSafe(t *testing.T) {
	r := newReceiving(t)
	u := newUnsynced(r.dir)
	segments := func(name string) bool { return strings.HasSuffix(name, ".jsonl") }
	u.before = func(u *unsynced) string { return u.left(segments, segments) }
	r.stderr = newWatch("receiving webhooks")
	r.cmd = r.command("receive")
	r.cmd.Stderr = r.stderr
	ended := syscalltest.Start(t, r.cmd, u.decide)
	r.url = "http://" + regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(r.stderr.wait(t))[1]
	for i := range 5 {
		id := fmt.Sprint("msg_", i)
		answer, err := r.send(http.DefaultClient, id, []byte(`{"id":"evt_`+id+`","type":"t"}`))
		if err != nil || answer.StatusCode != http.StatusNoContent {
			t.Fatal(answer, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	r.stop()
	ended()
	for _, f := range u.faults {
		t.Error(f)
	}
	if u.seen["socket"] < 5 {
		t.Errorf("not all calls were seen: %v", u.seen)
	}
}
