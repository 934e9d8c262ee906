package sshdtest

import (
	"crypto"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"testing"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
)

// Options shape a Server. The zero value is a server with one Ed25519 host
// key that accepts the one key pair it made itself.
type Options struct {
	// HostKeys are the kinds of host keys, in the order sshd prefers them;
	// empty means one Ed25519 key.
	HostKeys []KeyType
	// HostCertificate lets the server present certificates for its host keys
	// too, signed by an authority of its own; see Server.AuthorityLine.
	HostCertificate bool
	// AuthorizedKeys may log in besides the pair in Server.KeyFile.
	AuthorizedKeys []ssh.PublicKey
	// UserAuthority, if set, may sign user certificates.
	UserAuthority ssh.PublicKey
	// Deny names SFTP requests that are answered with "permission denied",
	// in the words of sftp-server(8): "rename", "posix-rename", "open", ...
	// It works for root too, who no file mode would stop.
	Deny []string
	// Config lines are added to sshd_config as they are.
	Config []string
}

// HostKey is what a client may know of one of the server's host keys.
type HostKey struct {
	// Type is the SSH name, such as "ssh-ed25519".
	Type string
	// Fingerprint is the SHA-256 fingerprint as ssh-keygen prints it.
	Fingerprint string
	// KnownHostsLine is the key's line for a known_hosts file.
	KnownHostsLine string
}

// Server is a running sshd. It ends with the test that started it.
type Server struct {
	// Addr is host:port on loopback; it stays the same over ReplaceHostKey.
	Addr string
	// User is who may log in: the user who runs the test.
	User string
	// Dir is the directory in which SFTP sessions begin. Nothing jails them
	// there: absolute paths are those of this machine.
	Dir string
	// KeyFile is a private key without passphrase that may log in.
	KeyFile string
	// HostKeyFingerprint and KnownHostsLine are those of the first host key.
	HostKeyFingerprint string
	KnownHostsLine     string
	// HostKeys lists all host keys, in the order of Options.HostKeys.
	HostKeys []HostKey
	// AuthorityLine is the @cert-authority line for known_hosts; empty
	// without Options.HostCertificate.
	AuthorityLine string

	t         testing.TB
	options   Options
	binary    string
	state     string // directory of keys and configuration
	authority crypto.Signer
	process   *process
}

// Start runs sshd until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, options: o, binary: findServer(t), state: t.TempDir(), Dir: t.TempDir()}
	if len(s.options.HostKeys) == 0 {
		s.options.HostKeys = []KeyType{Ed25519}
	}
	current, err := user.Current()
	if err != nil {
		t.Fatalf("who runs this test: %v", err)
	}
	s.User = current.Username
	s.writeUserKeys()
	s.Addr = freeAddress(t)
	s.makeHostKeys()
	t.Cleanup(s.Stop)
	s.launch()
	return s
}

// ReplaceHostKey gives the server new host keys of the same kinds, as a
// reinstalled server or an impostor would have; the address stays. Open
// connections are cut.
func (s *Server) ReplaceHostKey() {
	s.t.Helper()
	s.Stop()
	s.makeHostKeys()
	s.launch()
}

// Stop ends the server and its sessions, and waits for them. More calls do
// nothing. Like CutSessions it reads /proc, so it works on Linux only.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	log := s.process.stop()
	s.process = nil
	if s.t.Failed() {
		s.t.Logf("sshd said:\n%s", log)
	}
}

// CutSessions kills the processes that serve the open connections; new ones
// are still accepted.
func (s *Server) CutSessions() {
	s.process.cut()
}

// makeHostKeys writes fresh host keys, and certificates where wanted.
func (s *Server) makeHostKeys() {
	s.t.Helper()
	s.HostKeys = nil
	if s.options.HostCertificate && s.authority == nil {
		private, public := GenerateKey(s.t, Ed25519)
		s.authority = private
		s.AuthorityLine = "@cert-authority " + knownhosts.Line([]string{s.Addr}, public)
	}
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, kind := range s.options.HostKeys {
		private, public := GenerateKey(s.t, kind)
		WriteKey(s.t, s.hostKeyFile(kind), private, "")
		if s.authority != nil {
			certificate := SignCertificate(s.t, s.authority, public, ssh.HostCert, host)
			writeFile(s.t, s.hostKeyFile(kind)+"-cert.pub", ssh.MarshalAuthorizedKey(certificate))
		}
		s.HostKeys = append(s.HostKeys, HostKey{
			Type:           public.Type(),
			Fingerprint:    ssh.FingerprintSHA256(public),
			KnownHostsLine: knownhosts.Line([]string{s.Addr}, public),
		})
	}
	s.HostKeyFingerprint = s.HostKeys[0].Fingerprint
	s.KnownHostsLine = s.HostKeys[0].KnownHostsLine
}

// writeUserKeys makes the pair that may log in, and the list of all who may.
func (s *Server) writeUserKeys() {
	s.t.Helper()
	private, public := GenerateKey(s.t, Ed25519)
	s.KeyFile = filepath.Join(s.state, "id_ed25519")
	WriteKey(s.t, s.KeyFile, private, "")
	authorized := ssh.MarshalAuthorizedKey(public)
	for _, key := range s.options.AuthorizedKeys {
		authorized = append(authorized, ssh.MarshalAuthorizedKey(key)...)
	}
	writeFile(s.t, s.path("authorized_keys"), authorized)
	if s.options.UserAuthority != nil {
		writeFile(s.t, s.path("user_ca.pub"), ssh.MarshalAuthorizedKey(s.options.UserAuthority))
	}
}

func (s *Server) path(name string) string { return filepath.Join(s.state, name) }

func (s *Server) hostKeyFile(kind KeyType) string { return s.path("host_" + string(kind)) }

// findServer returns the path of sshd, or skips; in CI it fails.
func findServer(t testing.TB) string {
	t.Helper()
	const path = "/usr/sbin/sshd" // sshd insists on an absolute path
	if _, err := os.Stat(path); err != nil {
		const text = "SKIPPED, NOT PROVEN: OpenSSH's server is missing (%v); install it: apt-get install openssh-server"
		if os.Getenv("CI") != "" {
			t.Fatalf(text, err)
		}
		t.Skipf(text, err)
	}
	if os.Geteuid() == 0 {
		// Run as root, sshd separates privileges and wants this directory.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatalf("directory for privilege separation: %v", err)
		}
	}
	return path
}

// freeAddress returns a loopback address that nobody listened on just now.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
