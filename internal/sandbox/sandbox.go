package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/crypto/ssh"
)

// closeGrace is how long Close lets requests under way finish.
const closeGrace = 2 * time.Second

// Sandbox is a running stand-in. Its methods are safe for concurrent use.
type Sandbox struct {
	opt    Options
	keys   *keyring
	books  map[Mode]*book
	till   till
	log    *requestLog
	faults *faultSource
	sender *sender
	files  *fileServer
	apiURL string

	shutDown  func() error
	closeOnce sync.Once
	closeErr  error
}

// Start opens the books and both servers, which answer from the moment it
// returns until Close. ctx bounds the start alone.
//
// Every problem of the options is reported at once. A directory that another
// sandbox uses is an error.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	o = o.withDefaults()
	if err := errors.Join(o.check(), o.SFTPFaults.Check()); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make sandbox directory: %w", err)
	}
	lock := flock.New(filepath.Join(o.Dir, lockName), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock sandbox directory: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("sandbox directory %s is in use by another sandbox: end that one, or choose another directory", o.Dir)
	}
	s, err := open(o)
	if err == nil {
		err = s.listen(ctx, lock)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return s, nil
}

// open prepares everything that needs no socket.
func open(o Options) (*Sandbox, error) {
	o, err := o.withCredentials()
	if err != nil {
		return nil, err
	}
	stale := staleness{reads: o.StaleReads, span: o.StaleFor}
	s := &Sandbox{
		opt:    o,
		keys:   newKeyring(o.TestKey, o.LiveKey, o.InvalidKeyStatus),
		books:  map[Mode]*book{Test: newBook(stale, !o.UniqueOff), Live: newBook(stale, !o.UniqueOff)},
		log:    newRequestLog(o.ForgetRequests),
		faults: newFaultSource(o.Seed, o.Faults, o.FaultFunc),
	}
	if err := s.loadState(s.path(stateName)); err != nil {
		return nil, err
	}
	if s.sender, err = newSender(o); err != nil {
		return nil, err
	}
	s.files, err = newFileServer(o)
	return s, err
}

// listen opens the sockets and starts to serve.
func (s *Sandbox) listen(ctx context.Context, lock *flock.Flock) error {
	var config net.ListenConfig
	web, err := config.Listen(ctx, "tcp", s.opt.APIListen)
	if err != nil {
		return errors.Join(fmt.Errorf("open the API's port: %w", err), s.files.close())
	}
	files, err := config.Listen(ctx, "tcp", s.opt.SFTPListen)
	if err != nil {
		return errors.Join(fmt.Errorf("open the SFTP port: %w", err), web.Close(), s.files.close())
	}
	s.apiURL = "http://" + web.Addr().String()

	// Close ends what runs on, not the caller's context.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	server := &http.Server{
		Handler:           s.handler(running.Done()),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.opt.Logger.Handler(), slog.LevelWarn),
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Serve(web); !errors.Is(err, http.ErrServerClosed) {
			s.opt.Logger.Error("sandbox API stopped", "error", err)
		}
	})
	s.files.serve(files)
	s.sender.start(running)
	s.shutDown = func() error {
		stop()
		grace, cancel := context.WithTimeout(context.WithoutCancel(running), closeGrace)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close()
		}
		wg.Wait()
		s.sender.close()
		return errors.Join(s.files.close(), s.saveState(s.path(stateName)), lock.Unlock())
	}
	s.opt.Logger.Info("sandbox started: not Moment", "api", s.apiURL, "sftp", s.SFTPAddress())
	return nil
}

// handler serves the billing API, and the control surface beside it.
func (s *Sandbox) handler(stopping <-chan struct{}) http.Handler {
	billing := &api{
		opt: s.opt, keys: s.keys, books: s.books, log: s.log, faults: s.faults,
		limit: newLimiter(s.opt), stopping: stopping,
	}
	control := s.control()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, controlPath) {
			control.ServeHTTP(w, r)
			return
		}
		billing.ServeHTTP(w, r)
	})
}

// Close stops both servers, gives up events that are still undelivered, waits
// for everything that runs, and saves the books. Calling it again returns the
// first result.
func (s *Sandbox) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.shutDown() })
	return s.closeErr
}

func (s *Sandbox) path(name string) string { return filepath.Join(s.opt.Dir, name) }

// APIURL is the API's base address, http://127.0.0.1:port.
func (s *Sandbox) APIURL() string { return s.apiURL }

// SecretKey is the accepted bearer key of a mode; empty for any other mode.
func (s *Sandbox) SecretKey(m Mode) string {
	switch m {
	case Test:
		return s.opt.TestKey
	case Live:
		return s.opt.LiveKey
	}
	return ""
}

// WebhookSecret is what events are signed with: whsec_ and base64.
func (s *Sandbox) WebhookSecret() string { return s.opt.WebhookSecret }

// SFTPAddress is the SFTP server's host:port.
func (s *Sandbox) SFTPAddress() string { return s.files.listener.Addr().String() }

// SFTPUser and SFTPPassword log in; so does the key at ClientKeyPath.
func (s *Sandbox) SFTPUser() string { return s.opt.SFTPUser }

// SFTPPassword belongs to SFTPUser.
func (s *Sandbox) SFTPPassword() string { return s.opt.SFTPPassword }

// ClientKeyPath is the private key in OpenSSH's format that logs in as SFTPUser.
func (s *Sandbox) ClientKeyPath() string { return s.path(userKeyFile) }

// HostKeyFingerprint is the SFTP server's, as ssh-keygen -l prints it: SHA256:….
// It is the same at every start in one directory.
func (s *Sandbox) HostKeyFingerprint() string { return ssh.FingerprintSHA256(s.files.host.PublicKey()) }

// Dir is the sandbox's directory.
func (s *Sandbox) Dir() string { return s.opt.Dir }

// InboxDir is where customer files are left, on disk; over SFTP it is /outgoing.
func (s *Sandbox) InboxDir() string { return s.path(sftpDir + "/outgoing") }

// DeliverDir is where results arrive, on disk; over SFTP it is
// /incoming/tallyman.
func (s *Sandbox) DeliverDir() string { return s.path(sftpDir + "/incoming/tallyman") }
