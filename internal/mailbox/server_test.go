package mailbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"tallyman/internal/sshdtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// faulty is an SFTP server with faults: a true SSH server on a true socket,
// over a directory of the disk, that misbehaves as it is told to. Its fields
// may be set until the first client connects, the atomic ones at any time.
type faulty struct {
	t       *testing.T
	dir     string
	addr    string
	pin     string
	config  ssh.ServerConfig
	done    chan struct{} // closed at the end of the test
	serving sync.WaitGroup

	mu       sync.Mutex
	conns    []net.Conn
	channels []ssh.Channel

	connections atomic.Int32 // connections accepted
	refusals    atomic.Int32 // passwords refused
	logins      atomic.Int32 // logins that succeeded

	silentFromStart bool          // accept, and never say a word
	mute            atomic.Bool   // say nothing more on any connection
	shortRead       int           // answer reads with at most so many bytes
	dropAfter       int64         // close the connection after so many bytes of files
	drops           atomic.Int32  // on so many connections
	hang            atomic.Value  // string: method that is never answered
	hung            chan struct{} // receives whenever something begins to hang
	requests        chan string   // receives the types of global requests
	names           []string      // listed instead of what is there
	endless         bool          // a listing without end
	noPosixRename   bool
	clipWrites      atomic.Int64 // take no more bytes of a file, without saying so
	dropAfterRename atomic.Int32 // close the connection instead of answering so many renames
	deleteOnRead    bool
	endAt           int64             // report the end of each file there
	lie             atomic.Int64      // announce so many bytes, and bring them, and more
	onRead          func(path string) // before each answer to a read
}

// startFaulty starts a server with user "acme" and password "open sesame".
// prepare may change it before it starts to serve.
func startFaulty(t *testing.T, prepare func(*faulty)) *faulty {
	t.Helper()
	f := &faulty{t: t, dir: t.TempDir(), done: make(chan struct{}), hung: make(chan struct{}, 100), requests: make(chan string, 100)}
	f.hang.Store("")
	for _, d := range []string{"outgoing", "incoming"} {
		if err := os.Mkdir(filepath.Join(f.dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	private, public := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	signer, err := ssh.NewSignerFromSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	f.pin = ssh.FingerprintSHA256(public)
	f.config.AddHostKey(signer)
	f.config.PasswordCallback = func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if meta.User() == "acme" && string(password) == "open sesame" {
			return nil, nil
		}
		f.refusals.Add(1)
		return nil, errors.New("no")
	}
	if prepare != nil {
		prepare(f)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = listener.Addr().String()
	f.serving.Go(func() { f.accept(listener) })
	t.Cleanup(func() {
		_ = listener.Close()
		close(f.done)
		f.cutAll()
		f.serving.Wait()
	})
	return f
}

// options returns options that fit the server, with little patience.
func (f *faulty) options() Options {
	return Options{
		Address: f.addr, User: "acme", Password: "open sesame", HostKeys: []string{f.pin},
		Path: "/outgoing", Deliver: "/incoming/tallyman",
		Timeout: 20 * time.Second, Attempts: 3,
		Log:  testLog(f.t),
		tune: tuning{backoff: time.Millisecond},
	}
}

// write puts a file into the directory that the server serves.
func (f *faulty) write(name string, content []byte) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), content, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *faulty) cutAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.conns = nil
}

// endSFTP ends the SFTP sessions; the connections stand.
func (f *faulty) endSFTP() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.channels {
		_ = c.Close()
	}
	f.channels = nil
}

func (f *faulty) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		f.connections.Add(1)
		f.mu.Lock()
		f.conns = append(f.conns, conn)
		f.mu.Unlock()
		if !f.silentFromStart {
			f.serving.Go(func() { f.serve(&mutedConn{Conn: conn, f: f}) })
		}
	}
}

func (f *faulty) serve(conn net.Conn) {
	defer conn.Close()
	connection, channels, requests, err := ssh.NewServerConn(conn, &f.config)
	if err != nil {
		return
	}
	f.logins.Add(1)
	f.serving.Go(func() {
		for r := range requests {
			_ = r.Reply(false, nil) // as OpenSSH answers keepalives
			select {
			case f.requests <- r.Type:
			default:
			}
		}
	})
	for offered := range channels {
		channel, asked, err := offered.Accept()
		if err != nil {
			continue
		}
		f.mu.Lock()
		f.channels = append(f.channels, channel)
		f.mu.Unlock()
		f.serving.Go(func() {
			for r := range asked {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		})
		f.serving.Go(func() {
			h := &handlers{f: f}
			server := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
			_ = server.Serve()
			_ = server.Close()
		})
	}
	_ = connection.Wait()
}

// mutedConn swallows what the server says once it is muted.
type mutedConn struct {
	net.Conn
	f *faulty
}

func (c *mutedConn) Write(b []byte) (int, error) {
	if c.f.mute.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// handlers serve the directory to one session.
type handlers struct {
	f       *faulty
	served  atomic.Int64 // bytes of files
	dropped atomic.Bool
}

func (h *handlers) local(path string) string { return filepath.Join(h.f.dir, filepath.FromSlash(path)) }

// pause never returns, until the end of the test, for the method that hangs.
func (h *handlers) pause(method string) {
	if h.f.hang.Load() == method {
		h.f.hung <- struct{}{}
		<-h.f.done
	}
}

func (h *handlers) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	h.pause("Get")
	file, err := os.Open(h.local(r.Filepath))
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: file, f: h.f, session: h, path: r.Filepath}, nil
}

func (h *handlers) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	file, err := os.OpenFile(h.local(r.Filepath), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: file, f: h.f, session: h, path: r.Filepath}, nil
}

func (h *handlers) Filecmd(r *sftp.Request) error {
	h.pause(r.Method)
	switch r.Method {
	case "Rename":
		if _, err := os.Lstat(h.local(r.Target)); err == nil {
			return sftp.ErrSSHFxFailure // version 3 refuses an existing target
		}
		return h.rename(r)
	case "Remove":
		return os.Remove(h.local(r.Filepath))
	case "Rmdir":
		return os.Remove(h.local(r.Filepath))
	case "Mkdir":
		return os.Mkdir(h.local(r.Filepath), 0o700)
	}
	return sftp.ErrSSHFxOpUnsupported
}

func (h *handlers) PosixRename(r *sftp.Request) error {
	if h.f.noPosixRename {
		return sftp.ErrSSHFxOpUnsupported
	}
	return h.rename(r)
}

func (h *handlers) rename(r *sftp.Request) error {
	err := os.Rename(h.local(r.Filepath), h.local(r.Target))
	if h.f.dropAfterRename.Add(-1) >= 0 {
		h.f.cutAll()
	}
	return err
}

func (h *handlers) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	h.pause("Stat")
	info, err := os.Lstat(h.local(r.Filepath))
	if err != nil {
		return nil, err
	}
	if size := h.f.lie.Load(); size > 0 && info.Mode().IsRegular() {
		info = fakeInfo{FileInfo: info, size: size}
	}
	return listing{info}, nil
}

func (h *handlers) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	h.pause(r.Method)
	if r.Method == "Stat" {
		return h.Lstat(r)
	}
	if h.f.endless {
		return endless{}, nil
	}
	var infos listing
	for _, name := range h.f.names {
		infos = append(infos, fakeInfo{name: name, mode: 0o600})
	}
	entries, err := os.ReadDir(h.local(r.Filepath))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

var (
	_ sftp.PosixRenameFileCmder = (*handlers)(nil)
	_ sftp.LstatFileLister      = (*handlers)(nil)
)

// faultyFile reads and writes with the faults that were asked for.
type faultyFile struct {
	*os.File
	f       *faulty
	session *handlers
	path    string
}

func (file *faultyFile) ReadAt(b []byte, off int64) (int, error) {
	f := file.f
	file.session.pause("Read")
	if f.onRead != nil {
		f.onRead(file.path)
	}
	if f.shortRead > 0 && len(b) > f.shortRead {
		b = b[:f.shortRead]
	}
	if f.lie.Load() > 0 {
		return len(b), nil
	}
	if f.endAt > 0 && off >= f.endAt {
		return 0, io.EOF
	}
	if f.endAt > 0 {
		b = b[:min(int64(len(b)), f.endAt-off)]
	}
	n, err := file.File.ReadAt(b, off)
	if f.dropAfter > 0 && file.session.served.Add(int64(n)) > f.dropAfter && file.session.dropped.CompareAndSwap(false, true) && f.drops.Add(-1) >= 0 {
		f.cutAll()
	}
	return n, err
}

func (file *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if limit := file.f.clipWrites.Load(); limit > 0 && off+int64(len(b)) > limit {
		kept := max(0, limit-off)
		if _, err := file.File.WriteAt(b[:kept], off); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	return file.File.WriteAt(b, off)
}

func (file *faultyFile) Close() error {
	if file.f.deleteOnRead {
		_ = os.Remove(file.Name())
	}
	return file.File.Close()
}

type listing []fs.FileInfo

func (l listing) ListAt(to []fs.FileInfo, off int64) (int, error) {
	if off >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[off:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

type endless struct{}

func (endless) ListAt(to []fs.FileInfo, off int64) (int, error) {
	for i := range to {
		to[i] = fakeInfo{name: strings.Repeat("x", 100) + time.Duration(off+int64(i)).String(), mode: 0o600}
	}
	return len(to), nil
}

// fakeInfo stands for a file that is not there, or not so.
type fakeInfo struct {
	fs.FileInfo
	name string
	mode fs.FileMode
	size int64
}

func (i fakeInfo) Size() int64 { return i.size }

func (i fakeInfo) Name() string {
	if i.FileInfo != nil {
		return i.FileInfo.Name()
	}
	return i.name
}

func (i fakeInfo) Mode() fs.FileMode {
	if i.FileInfo != nil {
		return i.FileInfo.Mode()
	}
	return i.mode
}

func (i fakeInfo) ModTime() time.Time {
	if i.FileInfo != nil {
		return i.FileInfo.ModTime()
	}
	return time.Unix(0, 0)
}
func (i fakeInfo) IsDir() bool { return i.Mode().IsDir() }
func (i fakeInfo) Sys() any    { return nil }

// open dials, and closes at the end of the test.
func open(t *testing.T, o Options) *Mailbox {
	t.Helper()
	m, err := Dial(testContext(t), o)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return m
}

// testContext ends long after any test here should have.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// testLog logs to the test, so that a failure shows what happened before.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// pattern returns n bytes that repeat nowhere near.
func pattern(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		b.WriteString(time.Duration(int64(i) * 7919).String())
		b.WriteByte('\n')
	}
	return b.Bytes()[:n]
}
