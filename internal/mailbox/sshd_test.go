package mailbox

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"tallyman/internal/sshdtest"
)

// sshd starts OpenSSH's server with the usual directories, and returns options
// that fit it.
func sshd(t *testing.T, o sshdtest.Options) (*sshdtest.Server, Options) {
	t.Helper()
	server := sshdtest.Start(t, o)
	for _, d := range []string{"outgoing", "incoming"} {
		if err := os.Mkdir(filepath.Join(server.Dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return server, Options{
		Address: server.Addr, User: server.User, KeyFile: server.KeyFile,
		HostKeys: []string{server.HostKeyFingerprint},
		Path:     filepath.Join(server.Dir, "outgoing"), Deliver: filepath.Join(server.Dir, "incoming", "tallyman"),
		Timeout: 20 * time.Second, Attempts: 3,
		Log:  testLog(t),
		tune: tuning{backoff: time.Millisecond},
	}
}

// leave puts a file into the inbox of o, which must be on this machine.
func leave(t *testing.T, o Options, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(o.Path, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// find returns one entry of the inbox.
func find(t *testing.T, m *Mailbox, name string) Entry {
	t.Helper()
	entries, _, err := m.List(testContext(t))
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	for _, e := range entries {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("%s is not listed among %v", name, entries)
	return Entry{}
}

// mustRead returns the content of a local file.
func mustRead(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// names returns what stands in a local directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}
