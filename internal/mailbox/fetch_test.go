package mailbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tallyman/internal/sshdtest"
)

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func TestFetch(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{})
	contents := map[string][]byte{
		"empty.csv": {}, "small.csv": []byte("a,b\n"), "packet.csv": pattern(32 << 10), "large.csv": pattern(3<<20 + 17),
	}
	m := open(t, o)
	spool := t.TempDir()
	// What a crash may have left is no hindrance.
	if err := os.WriteFile(filepath.Join(spool, "small.csv.part"), []byte("torn and longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, content := range contents {
		leave(t, o, name, content)
		got, err := m.Fetch(testContext(t), find(t, m, name), spool)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Size != int64(len(content)) || got.SHA256 != sumOf(content) || got.Vanished || got.Path != filepath.Join(spool, name) {
			t.Errorf("%s: %+v", name, got)
		}
		if mustRead(t, got.Path) != string(content) {
			t.Errorf("%s: spooled bytes differ", name)
		}
		info, err := os.Stat(got.Path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if left := names(t, spool); len(left) != len(contents) {
		t.Errorf("spool holds %q", left)
	}
}

// The trap of the SFTP library: a short answer is taken for the end of the
// file, without an error.
func TestFetchFromAServerThatAnswersInPart(t *testing.T) {
	for _, most := range []int{1000, 16 << 10, 32<<10 - 1} {
		content := pattern(1 << 20)
		f := startFaulty(t, func(f *faulty) { f.shortRead = most })
		f.write("outgoing/a.csv", content)
		f.write("outgoing/b.csv", content)
		m := open(t, f.options())
		spool := t.TempDir()
		for _, name := range []string{"a.csv", "b.csv"} {
			got, err := m.Fetch(testContext(t), find(t, m, name), spool)
			if err != nil {
				t.Fatalf("answers of %d bytes: %v", most, err)
			}
			if got.SHA256 != sumOf(content) || mustRead(t, got.Path) != string(content) {
				t.Errorf("answers of %d bytes: spooled %d bytes of %d", most, got.Size, len(content))
			}
		}
		if n := f.connections.Load(); n != 2 {
			t.Errorf("%d connections, want 2: what was learnt is not kept", n)
		}
	}
}

// Where the truncation cannot be cured, nothing is kept: only the count shows
// that something is missing.
func TestFetchKeepsNothingShort(t *testing.T) {
	f := startFaulty(t, func(f *faulty) { f.endAt = 50 << 10 })
	f.write("outgoing/a.csv", pattern(100<<10))
	m := open(t, f.options())
	spool := t.TempDir()
	_, err := m.Fetch(testContext(t), find(t, m, "a.csv"), spool)
	var changed *ChangedError
	if !errors.As(err, &changed) || !strings.Contains(err.Error(), "51200 of the 102400 bytes") {
		t.Errorf("error %v, want *ChangedError", err)
	}
	if left := names(t, spool); len(left) > 0 {
		t.Errorf("kept %q", left)
	}
}

func TestFetchOverABrokenConnection(t *testing.T) {
	content := pattern(1 << 20)
	start := func(t *testing.T, drops int32) (*faulty, *Mailbox, Entry) {
		f := startFaulty(t, func(f *faulty) { f.dropAfter = 300 << 10; f.drops.Store(drops) })
		f.write("outgoing/a.csv", content)
		m := open(t, f.options())
		return f, m, find(t, m, "a.csv")
	}
	t.Run("twice", func(t *testing.T) {
		f, m, entry := start(t, 2)
		got, err := m.Fetch(testContext(t), entry, t.TempDir())
		if err != nil || mustRead(t, got.Path) != string(content) {
			t.Fatalf("%+v, %v", got, err)
		}
		if n := f.connections.Load(); n != 3 {
			t.Errorf("%d connections, want 3", n)
		}
	})
	t.Run("for ever", func(t *testing.T) {
		f, m, entry := start(t, 1000)
		spool := t.TempDir()
		_, err := m.Fetch(testContext(t), entry, spool)
		var operation *OperationError
		if !errors.As(err, &operation) || operation.Path != "/outgoing/a.csv" || !strings.Contains(err.Error(), "run again") {
			t.Errorf("error %v", err)
		}
		if n := f.connections.Load(); n != 3 {
			t.Errorf("%d connections, want 3", n)
		}
		if left := names(t, spool); len(left) > 0 {
			t.Errorf("kept %q", left)
		}
	})
}

// The same over OpenSSH, cut in the middle of the file: what had come is thrown away, and the file read from its beginning.
func TestFetchOverABrokenOpenSSH(t *testing.T) {
	server, o := sshd(t, sshdtest.Options{})
	content := pattern(3 << 20)
	leave(t, o, "a.csv", content)
	written := 0
	o.tune.spool = func(w io.Writer) io.Writer {
		return writerFunc(func(b []byte) (int, error) {
			if before := written; before < 1<<20 && before+len(b) >= 1<<20 {
				server.CutSessions()
			}
			written += len(b)
			return w.Write(b)
		})
	}
	m := open(t, o)
	spool := t.TempDir()
	got, err := m.Fetch(testContext(t), find(t, m, "a.csv"), spool)
	if err != nil || mustRead(t, got.Path) != string(content) || got.SHA256 != sumOf(content) {
		t.Fatalf("%+v, %v", got, err)
	}
	if written <= len(content) {
		t.Errorf("%d bytes were written: the connection was not cut in the middle", written)
	}
	if left := names(t, spool); len(left) != 1 {
		t.Errorf("the spool holds %q", left)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestFetchOfAFileThatChanges(t *testing.T) {
	path := func(f *faulty) string { return filepath.Join(f.dir, "outgoing", "a.csv") }
	tests := map[string]func(f *faulty) error{
		"grows": func(f *faulty) error {
			file, err := os.OpenFile(path(f), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = file.Write([]byte("more"))
			return errors.Join(err, file.Close())
		},
		"shrinks": func(f *faulty) error { return os.Truncate(path(f), 10) },
		"is replaced by one of the same size": func(f *faulty) error {
			if err := os.WriteFile(path(f)+".new", pattern(200<<10), 0o600); err != nil {
				return err
			}
			if err := os.Chtimes(path(f)+".new", time.Now(), time.Now().Add(time.Minute)); err != nil {
				return err
			}
			return os.Rename(path(f)+".new", path(f))
		},
	}
	for name, change := range tests {
		t.Run(name+" while it is read", func(t *testing.T) {
			var once atomic.Bool
			f := startFaulty(t, nil)
			f.onRead = func(string) {
				if once.CompareAndSwap(false, true) {
					if err := change(f); err != nil {
						t.Error(err)
					}
				}
			}
			f.write("outgoing/a.csv", pattern(200<<10))
			checkChanged(t, f, "/outgoing/a.csv changed while", func(Entry) {})
		})
		t.Run(name+" before it is read", func(t *testing.T) {
			f := startFaulty(t, nil)
			f.write("outgoing/a.csv", pattern(200<<10))
			checkChanged(t, f, "/outgoing/a.csv is no longer the file that was listed", func(Entry) {
				if err := change(f); err != nil {
					t.Error(err)
				}
			})
		})
	}
	t.Run("brings more than is announced", func(t *testing.T) {
		f := startFaulty(t, func(f *faulty) { f.lie.Store(50 << 10) })
		f.write("outgoing/a.csv", []byte("x"))
		o := f.options()
		m := open(t, o)
		entry := find(t, m, "a.csv")
		entry.Size = f.lie.Load()
		spool := t.TempDir()
		if _, err := m.Fetch(testContext(t), entry, spool); !errors.Is(err, ErrChanged) {
			t.Errorf("error %v, want ErrChanged", err)
		}
		if left := names(t, spool); len(left) > 0 {
			t.Errorf("kept %q", left)
		}
	})
	t.Run("becomes a symbolic link", func(t *testing.T) {
		_, o := sshd(t, sshdtest.Options{})
		leave(t, o, "a.csv", []byte("x"))
		m := open(t, o)
		entry := find(t, m, "a.csv")
		if err := os.Remove(filepath.Join(o.Path, "a.csv")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/etc/passwd", filepath.Join(o.Path, "a.csv")); err != nil {
			t.Fatal(err)
		}
		_, err := m.Fetch(testContext(t), entry, t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "a symbolic link") {
			t.Errorf("error %v", err)
		}
	})
}

func checkChanged(t *testing.T, f *faulty, text string, between func(Entry)) {
	t.Helper()
	m := open(t, f.options())
	entry := find(t, m, "a.csv")
	between(entry)
	spool := t.TempDir()
	_, err := m.Fetch(testContext(t), entry, spool)
	var changed *ChangedError
	if !errors.As(err, &changed) || !errors.Is(err, ErrChanged) || !strings.HasPrefix(err.Error(), text) {
		t.Errorf("error %v, want *ChangedError, %q", err, text)
	}
	if left := names(t, spool); len(left) > 0 {
		t.Errorf("kept %q", left)
	}
	if n := f.connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// A server that deletes what was read gives no second chance.
func TestFetchOfAFileThatVanishes(t *testing.T) {
	content := pattern(100 << 10)
	f := startFaulty(t, func(f *faulty) { f.deleteOnRead = true })
	f.write("outgoing/a.csv", content)
	m := open(t, f.options())
	got, err := m.Fetch(testContext(t), find(t, m, "a.csv"), t.TempDir())
	if err != nil || !got.Vanished || mustRead(t, got.Path) != string(content) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFetchOntoAFullDisk(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{})
	leave(t, o, "a.csv", pattern(100<<10))
	tests := map[string]func(*tuning){
		"told before":      func(u *tuning) { u.free = func(string) (uint64, error) { return 100<<10 + 15<<20, nil } },
		"no room at all":   func(u *tuning) { u.free = func(string) (uint64, error) { return 0, nil } },
		"told by the disk": func(u *tuning) { u.spool = func(w io.Writer) io.Writer { return &fullWriter{w: w, left: 50 << 10} } },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			o := o
			change(&o.tune)
			m := open(t, o)
			spool := t.TempDir()
			_, err := m.Fetch(testContext(t), find(t, m, "a.csv"), spool)
			var full *DiskFullError
			if !errors.As(err, &full) || full.Need != 100<<10 || !strings.Contains(err.Error(), spool) {
				t.Errorf("error %v, want *DiskFullError", err)
			}
			if left := names(t, spool); len(left) > 0 {
				t.Errorf("kept %q", left)
			}
			if left := names(t, o.Path); len(left) != 1 {
				t.Errorf("inbox holds %q", left)
			}
		})
	}
}

// fullWriter is a disk with so much room left.
type fullWriter struct {
	w    io.Writer
	left int
}

func (f *fullWriter) Write(b []byte) (int, error) {
	if len(b) <= f.left {
		f.left -= len(b)
		return f.w.Write(b)
	}
	n, _ := f.w.Write(b[:f.left])
	f.left = 0
	return n, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
}

func TestFetchRefusesBeforeItConnects(t *testing.T) {
	m := &Mailbox{opts: Options{Path: "/outgoing"}.withDefaults()}
	if _, err := m.Fetch(testContext(t), Entry{Name: "../a"}, t.TempDir()); err == nil {
		t.Error("hostile name accepted")
	}
	var large *TooLargeError
	if _, err := m.Fetch(testContext(t), Entry{Name: "a.csv", Size: 5 << 30}, t.TempDir()); !errors.As(err, &large) {
		t.Errorf("error %v, want *TooLargeError", err)
	}
}

func TestFetchStopsWhenToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(testContext(t))
	f := startFaulty(t, nil)
	f.write("outgoing/a.csv", pattern(500<<10))
	m := open(t, f.options())
	entry := find(t, m, "a.csv")
	f.hang.Store("Read")
	go func() {
		<-f.hung
		cancel()
	}()
	spool := t.TempDir()
	if _, err := m.Fetch(ctx, entry, spool); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if left := names(t, spool); len(left) > 0 {
		t.Errorf("kept %q", left)
	}
	// It is of use again afterwards.
	f.hang.Store("")
	if _, err := m.Fetch(testContext(t), entry, spool); err != nil {
		t.Error(err)
	}
}
