package mailbox

import (
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tallyman/internal/sshdtest"
)

// BenchmarkDownload fetches a file of 500 MB in turn with OpenSSH's own sftp and with Fetch, which hashes and syncs as well,
// from the same sshd. What counts is the ratio.
func BenchmarkDownload(b *testing.B) {
	const size = 500 << 20
	client, err := exec.LookPath("sftp")
	if err != nil {
		b.Skip("there is no sftp here")
	}
	server := sshdtest.Start(b, sshdtest.Options{})
	remote := filepath.Join(server.Dir, "large.csv")
	if err := os.WriteFile(remote, pattern(size), 0o600); err != nil {
		b.Fatal(err)
	}
	host, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		b.Fatal(err)
	}
	m, err := Dial(b.Context(), Options{
		Address: server.Addr, User: server.User, KeyFile: server.KeyFile, HostKeys: []string{server.HostKeyFingerprint},
		Path: server.Dir, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	entries, _, err := m.List(b.Context())
	if err != nil || len(entries) == 0 {
		b.Fatalf("%v %v", entries, err)
	}
	known := filepath.Join(b.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(server.KnownHostsLine+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	var theirs, ours time.Duration
	b.SetBytes(size)
	for b.Loop() {
		dir := b.TempDir()
		begin := time.Now()
		out, err := exec.Command(client, "-q", "-i", server.KeyFile, "-o", "UserKnownHostsFile="+known, "-o", "BatchMode=yes", "-P", port,
			server.User+"@"+host+":"+remote, filepath.Join(dir, "theirs")).CombinedOutput()
		if err != nil {
			b.Fatalf("sftp: %v\n%s", err, out)
		}
		theirs += time.Since(begin)
		begin = time.Now()
		if _, err := m.Fetch(b.Context(), entries[0], dir); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(begin)
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ours/theirs")
}
