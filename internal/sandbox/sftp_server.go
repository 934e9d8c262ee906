package sandbox

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// handshakeTimeout bounds what an unknown caller can hold open.
const handshakeTimeout = 10 * time.Second

// sftpDirs are those of the written configuration.
func sftpDirs() []string {
	return []string{"outgoing", "outgoing/archive", "outgoing/rejected", "incoming/tallyman"}
}

// fileServer is the SFTP server: SSH with the sftp subsystem and nothing else.
type fileServer struct {
	config *ssh.ServerConfig
	host   ssh.Signer
	root   *os.Root
	faults *sftpFaultSource
	logger *slog.Logger

	listener net.Listener
	wg       sync.WaitGroup
	mu       sync.Mutex
	closed   bool
	conns    map[net.Conn]struct{}
}

// newFileServer prepares keys and directories; it serves once it has a listener.
func newFileServer(o Options) (*fileServer, error) {
	host, err := sshKey(filepath.Join(o.Dir, hostKeyFile), "sandbox host")
	if err != nil {
		return nil, err
	}
	user, err := sshKey(filepath.Join(o.Dir, userKeyFile), "sandbox user")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Dir, sftpDir)
	for _, d := range sftpDirs() {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("make SFTP directories: %w", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open SFTP directory: %w", err)
	}
	s := &fileServer{
		host: host, root: root, faults: &sftpFaultSource{}, logger: o.Logger, conns: map[net.Conn]struct{}{},
		config: sshConfig(o, host, user.PublicKey()),
	}
	s.faults.set(o.SFTPFaults)
	return s, nil
}

var errLogin = errors.New("wrong user, password or key")

func sshConfig(o Options, host ssh.Signer, user ssh.PublicKey) *ssh.ServerConfig {
	same := func(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
	algorithms := ssh.SupportedAlgorithms()
	config := &ssh.ServerConfig{
		Config: ssh.Config{KeyExchanges: algorithms.KeyExchanges, Ciphers: algorithms.Ciphers, MACs: algorithms.MACs},
		PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if c.User() == o.SFTPUser && same(password, []byte(o.SFTPPassword)) {
				return nil, nil
			}
			return nil, errLogin
		},
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if c.User() == o.SFTPUser && same(key.Marshal(), user.Marshal()) {
				return nil, nil
			}
			return nil, errLogin
		},
		ServerVersion: "SSH-2.0-tallyman-sandbox",
	}
	config.AddHostKey(host)
	return config
}

// serve accepts connections until close.
func (s *fileServer) serve(l net.Listener) {
	s.listener = l
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if s.enter(conn) {
				s.wg.Go(func() {
					defer s.leave(conn)
					s.handle(conn)
				})
			}
		}
	})
}

// enter registers a connection, unless the server is closing.
func (s *fileServer) enter(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.conns[conn] = struct{}{}
	return true
}

func (s *fileServer) leave(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// close ends every connection and waits for all goroutines.
func (s *fileServer) close() error {
	var err error
	if s.listener != nil {
		err = s.listener.Close()
	}
	s.mu.Lock()
	s.closed = true
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return errors.Join(err, s.root.Close())
}

// handle runs one connection.
func (s *fileServer) handle(conn net.Conn) {
	if err := conn.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return
	}
	server, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		s.logger.Info("SFTP login did not succeed", "error", err)
		return
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() { _ = server.Close() }()
	wg.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "only sessions are served here")
			continue
		}
		channel, inner, err := offered.Accept()
		if err != nil {
			return
		}
		wg.Go(func() { s.session(channel, inner, func() { _ = conn.Close() }) })
	}
}

// session waits for the request of the sftp subsystem, refuses all others, and
// serves it.
func (s *fileServer) session(channel ssh.Channel, requests <-chan *ssh.Request, hangUp func()) {
	defer func() { _ = channel.Close() }()
	for r := range requests {
		wanted := r.Type == "subsystem" && isSFTP(r.Payload)
		if r.WantReply {
			_ = r.Reply(wanted, nil)
		}
		if wanted {
			s.serveFiles(channel, requests, hangUp)
			return
		}
	}
}

func (s *fileServer) serveFiles(channel ssh.Channel, requests <-chan *ssh.Request, hangUp func()) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { ssh.DiscardRequests(requests) })
	share := &fileShare{root: s.root, faults: s.faults, hangUp: hangUp}
	server := sftp.NewRequestServer(channel, share.handlers())
	// The end of a session is no news, however it comes. OpenSSH's client takes a
	// missing exit status for a failure.
	_ = server.Serve()
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
	_ = server.Close()
}

func isSFTP(payload []byte) bool {
	var body struct{ Name string }
	return ssh.Unmarshal(payload, &body) == nil && body.Name == "sftp"
}
