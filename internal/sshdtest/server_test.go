package sshdtest_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/pkg/sftp"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"tallyman/internal/sshdtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServerServesItsDirectory(t *testing.T) {
	server := sshdtest.Start(t, sshdtest.Options{})
	if err := os.WriteFile(filepath.Join(server.Dir, "hello.txt"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	client := dial(t, server)
	file, err := client.Open("hello.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil || string(content) != "hello" {
		t.Fatalf("read %q, %v", content, err)
	}
}

func TestReplaceHostKey(t *testing.T) {
	server := sshdtest.Start(t, sshdtest.Options{HostKeys: []sshdtest.KeyType{sshdtest.ECDSA, sshdtest.Ed25519}})
	addr, before := server.Addr, server.HostKeys
	server.ReplaceHostKey()
	if server.Addr != addr {
		t.Fatalf("address moved from %s to %s", addr, server.Addr)
	}
	for i, key := range server.HostKeys {
		if key.Type != before[i].Type || key.Fingerprint == before[i].Fingerprint {
			t.Errorf("host key %d: was %+v, is %+v", i, before[i], key)
		}
	}
	dial(t, server)
}

func TestDeniedRequest(t *testing.T) {
	server := sshdtest.Start(t, sshdtest.Options{Deny: []string{"mkdir"}})
	if err := dial(t, server).Mkdir("x"); !os.IsPermission(err) {
		t.Fatalf("mkdir: %v, want permission denied", err)
	}
}

func TestCutSessions(t *testing.T) {
	server := sshdtest.Start(t, sshdtest.Options{})
	client := dial(t, server)
	server.CutSessions()
	if err := client.Wait(); err == nil {
		t.Fatal("session ended without an error")
	}
	dial(t, server)
}

// dial logs in with the server's own key, and accepts only its host keys.
func dial(t *testing.T, server *sshdtest.Server) *sftp.Client {
	t.Helper()
	pem, err := os.ReadFile(server.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	_, _, hostKey, _, _, err := ssh.ParseKnownHosts([]byte(server.KnownHostsLine))
	if err != nil {
		t.Fatal(err)
	}
	connection, err := ssh.Dial("tcp", server.Addr, &ssh.ClientConfig{
		User:              server.User,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   ssh.FixedHostKey(hostKey),
		HostKeyAlgorithms: []string{hostKey.Type()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	client, err := sftp.NewClient(connection)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}
