package sandbox

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// dial logs in over SSH; the host key must be the sandbox's.
func dial(s *Sandbox, user string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", s.SFTPAddress(), &ssh.ClientConfig{
		User: user, Auth: auth, Timeout: patience, HostKeyCallback: ssh.FixedHostKey(s.files.host.PublicKey()),
	})
}

// fileClient logs in with the client key and opens an SFTP session.
func fileClient(t *testing.T, s *Sandbox, o ...sftp.ClientOption) *sftp.Client {
	t.Helper()
	conn, err := dial(s, s.SFTPUser(), clientKey(t, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c, err := sftp.NewClient(conn, o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func clientKey(t *testing.T, s *Sandbox) ssh.AuthMethod {
	t.Helper()
	data, err := os.ReadFile(s.ClientKeyPath())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		t.Fatal(err)
	}
	return ssh.PublicKeys(signer)
}

func TestSFTPLogin(t *testing.T) {
	s := start(t, Options{SFTPUser: "acme", SFTPPassword: "correct"})
	other := start(t, Options{})
	for _, tc := range []struct {
		name, user string
		auth       ssh.AuthMethod
		ok         bool
	}{
		{"key", "acme", clientKey(t, s), true},
		{"password", "acme", ssh.Password("correct"), true},
		{"wrong password", "acme", ssh.Password("wrong"), false},
		{"no password", "acme", ssh.Password(""), false},
		{"wrong key", "acme", clientKey(t, other), false},
		{"wrong user, right key", "other", clientKey(t, s), false},
		{"wrong user, right password", "other", ssh.Password("correct"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := dial(s, tc.user, tc.auth)
			if (err == nil) != tc.ok {
				t.Fatalf("login: %v", err)
			}
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			session, err := conn.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			if session.Run("id") == nil {
				t.Error("a command was run")
			}
			if _, _, err := conn.OpenChannel("direct-tcpip", nil); err == nil {
				t.Error("a tunnel was opened")
			}
		})
	}
}

func TestSFTPFiles(t *testing.T) {
	s := start(t, Options{})
	c := fileClient(t, s)
	content := bytes.Repeat([]byte("reference,balance\n"), 20000)
	w, err := c.Create("/outgoing/day.csv.part")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ReadFrom(bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stamp := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	must(t, c.Chtimes("/outgoing/day.csv.part", stamp, stamp))
	must(t, c.Rename("/outgoing/day.csv.part", "/outgoing/day.csv"))
	if onDisk, err := os.ReadFile(filepath.Join(s.InboxDir(), "day.csv")); err != nil || !bytes.Equal(onDisk, content) {
		t.Errorf("on disk: %d bytes, %v", len(onDisk), err)
	}
	info, err := c.Stat("/outgoing/day.csv")
	if err != nil || info.Size() != int64(len(content)) || !info.ModTime().Equal(stamp) || info.Mode().Perm() != 0o600 {
		t.Errorf("stat %v %v", info, err)
	}
	if got := fetch(t, c, "/outgoing/day.csv"); !bytes.Equal(got, content) {
		t.Errorf("read %d bytes", len(got))
	}

	must(t, c.Mkdir("/outgoing/new"))
	must(t, c.Chmod("/outgoing/day.csv", 0o640))
	must(t, c.Truncate("/outgoing/day.csv", 5))
	if info, err := c.Lstat("outgoing/day.csv"); err != nil || info.Size() != 5 || info.Mode().Perm() != 0o640 {
		t.Errorf("stat %v %v", info, err)
	}
	if diff := cmp.Diff([]string{"archive/", "day.csv", "new/", "rejected/"}, names(t, c, "/outgoing")); diff != "" {
		t.Errorf("listing:\n%s", diff)
	}
	must(t, c.Remove("/outgoing/day.csv"))
	must(t, c.RemoveDirectory("/outgoing/new"))
	if diff := cmp.Diff([]string{"incoming/", "outgoing/"}, names(t, c, "/")); diff != "" {
		t.Errorf("listing:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tallyman/"}, names(t, c, "/incoming")); diff != "" {
		t.Errorf("listing:\n%s", diff)
	}
	for name, err := range map[string]error{
		"stat":   second(c.Stat("/outgoing/day.csv")),
		"open":   second(c.Open("/outgoing/day.csv")),
		"list":   second(c.ReadDir("/nowhere")),
		"remove": c.Remove("/outgoing/day.csv"),
		"rename": c.Rename("/outgoing/day.csv", "/outgoing/x"),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of a missing file: %v", name, err)
		}
	}
}

func TestSFTPRenames(t *testing.T) {
	s := start(t, Options{})
	c := fileClient(t, s)
	put := func(name string) {
		must(t, os.WriteFile(filepath.Join(s.InboxDir(), name), []byte(name), 0o600))
	}
	put("a")
	put("b")
	if c.Rename("/outgoing/a", "/outgoing/b") == nil {
		t.Error("a plain rename replaced its target")
	}
	if got := fetch(t, c, "/outgoing/b"); string(got) != "b" {
		t.Errorf("b holds %q", got)
	}
	if _, ok := c.HasExtension("posix-rename@openssh.com"); !ok {
		t.Error("posix-rename is not announced")
	}
	must(t, c.PosixRename("/outgoing/a", "/outgoing/b"))
	if got := fetch(t, c, "/outgoing/b"); string(got) != "a" {
		t.Errorf("b holds %q", got)
	}
	must(t, c.Mkdir("/outgoing/d"))
	must(t, c.Rename("/outgoing/d", "/outgoing/e"))
	if c.Rename("/outgoing/e", "/outgoing/archive") == nil {
		t.Error("a directory replaced another")
	}
	f, err := c.OpenFile("/outgoing/b", os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err == nil {
		_ = f.Close()
		t.Error("an exclusive create opened what was there")
	}
	if c.RemoveDirectory("/outgoing/b") == nil {
		t.Error("a file was removed as a directory")
	}
}

// Nothing outside the directory can be reached, whatever the path or a link says.
func TestSFTPJail(t *testing.T) {
	s := start(t, Options{})
	c := fileClient(t, s)
	must(t, os.Symlink(s.Dir(), filepath.Join(s.InboxDir(), "out")))
	must(t, os.Symlink("../../api.key", filepath.Join(s.InboxDir(), "key")))
	must(t, os.Symlink("archive", filepath.Join(s.InboxDir(), "in")))
	for _, name := range []string{"/../api.key", "/outgoing/../../api.key", "/outgoing/out/api.key", "/outgoing/key", s.Dir() + "/api.key"} {
		if f, err := c.Open(name); err == nil {
			_ = f.Close()
			t.Errorf("%s can be read", name)
		}
		if f, err := c.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC); err == nil {
			_ = f.Close()
			// Paths above the root are cut off there, so this may be a file inside.
			if _, err := os.Lstat(filepath.Join(s.Dir(), sftpDir, "api.key")); err != nil {
				t.Errorf("%s can be written", name)
			}
			must(t, c.Remove(name))
		}
	}
	if key, err := os.ReadFile(filepath.Join(s.Dir(), testKeyFile)); err != nil || !bytes.HasPrefix(key, []byte("sk_test_")) {
		t.Errorf("the key file was touched: %s %v", key, err)
	}
	if c.Rename("/outgoing/key", "/outgoing/out/moved") == nil {
		t.Error("a file was moved out")
	}
	if info, err := c.Lstat("/outgoing/out"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("a link is not shown as one: %v %v", info, err)
	}
	if info, err := c.Stat("/outgoing/in"); err != nil || !info.IsDir() {
		t.Errorf("a link inside is not followed: %v %v", info, err)
	}
	if c.Symlink("/etc/passwd", "/outgoing/new") == nil {
		t.Error("a link was made")
	}
	if c.Remove("/") == nil || c.RemoveDirectory("/") == nil {
		t.Error("the root was removed")
	}
}

func TestShortReads(t *testing.T) {
	s := start(t, Options{})
	content := randomFile(t, s, 1<<20)
	must(t, s.SetSFTPFaults(SFTPFaults{ShortRead: 16 << 10}))
	careful := fileClient(t, s, sftp.UseConcurrentReads(false))
	if got := fetch(t, careful, "/outgoing/day.csv"); !bytes.Equal(got, content) {
		t.Errorf("a careful client read %d of %d bytes", len(got), len(content))
	}
	// The fault bites: one read, half of what was asked for, and no error.
	file, err := os.Open(filepath.Join(s.InboxDir(), "day.csv"))
	must(t, err)
	one := &transfer{file: file, faults: s.files.faults}
	if n, err := one.ReadAt(make([]byte, 32<<10), 0); n != 16<<10 || err != nil {
		t.Errorf("one read gave %d bytes, %v", n, err)
	}
	must(t, one.Close())
}

func TestDropDuringTransfer(t *testing.T) {
	s := start(t, Options{})
	content := randomFile(t, s, 1<<20)
	must(t, s.SetSFTPFaults(SFTPFaults{DropAfter: 300 << 10, Drops: 2}))

	f, err := fileClient(t, s).Open("/outgoing/day.csv")
	must(t, err)
	if n, err := io.Copy(io.Discard, f); err == nil || n > 1<<20 {
		t.Errorf("read %d bytes, %v", n, err)
	}
	w, err := fileClient(t, s).Create("/incoming/tallyman/out.csv")
	must(t, err)
	if _, err := w.ReadFrom(bytes.NewReader(content)); err == nil {
		t.Error("the upload went through")
	}
	// Two drops were ordered; the third transfer is whole.
	if got := fetch(t, fileClient(t, s), "/outgoing/day.csv"); !bytes.Equal(got, content) {
		t.Errorf("read %d bytes", len(got))
	}
	must(t, s.SetSFTPFaults(SFTPFaults{DropAfter: 1}))
	f, err = fileClient(t, s).Open("/outgoing/day.csv")
	must(t, err)
	if _, err := io.Copy(io.Discard, f); err == nil {
		t.Error("without a number, drops end")
	}
	if s.SetSFTPFaults(SFTPFaults{ShortRead: -1}) == nil {
		t.Error("bad faults were set")
	}
}

// Close ends open sessions too.
func TestCloseEndsSessions(t *testing.T) {
	s := start(t, Options{})
	c := fileClient(t, s)
	f, err := c.Create("/outgoing/open.csv")
	must(t, err)
	must(t, s.Close())
	if _, err := f.Write([]byte("x")); err == nil {
		t.Error("the session goes on")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

func fetch(t *testing.T, c *sftp.Client, name string) []byte {
	t.Helper()
	f, err := c.Open(name)
	must(t, err)
	var b bytes.Buffer
	_, err = io.Copy(&b, f)
	must(t, err)
	must(t, f.Close())
	return b.Bytes()
}

// names lists a directory, sorted, directories with a slash.
func names(t *testing.T, c *sftp.Client, dir string) (out []string) {
	t.Helper()
	infos, err := c.ReadDir(dir)
	must(t, err)
	for _, i := range infos {
		name := i.Name()
		if i.IsDir() {
			name += "/"
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func randomFile(t *testing.T, s *Sandbox, size int) []byte {
	t.Helper()
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	must(t, os.WriteFile(filepath.Join(s.InboxDir(), "day.csv"), content, 0o600))
	return content
}
