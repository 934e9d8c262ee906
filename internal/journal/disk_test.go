package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// faultyDisk is the real disk with a memory of what was synced: crash takes
// back everything else, as a loss of power does. It can hold a sync, and fail
// any call.
type faultyDisk struct {
	realDisk
	t testing.TB

	mu      sync.Mutex
	calls   int
	fail    func(call int, op string) error // nil error: go on
	space   uint64
	synced  map[string]int64  // bytes of each segment that are safe
	gone    map[string]int64  // from where on a failed sync has left bytes to the page cache alone
	born    map[string]bool   // files whose directory entry is not safe yet
	renamed map[string]string // new name to old, not safe yet
	removed map[string][]byte // what was removed, not safe yet
	oldHead map[string][]byte
	heads   chan int64

	hold chan struct{}
	held chan struct{}
}

func newFaultyDisk(t testing.TB) *faultyDisk {
	return &faultyDisk{
		t: t, space: 1 << 40, synced: make(map[string]int64), gone: make(map[string]int64), born: make(map[string]bool),
		renamed: make(map[string]string), removed: make(map[string][]byte), oldHead: make(map[string][]byte), heads: make(chan int64, 1<<16),
	}
}

// holdSync makes the next sync of a segment wait for releaseSync; held says
// that it does.
func (d *faultyDisk) holdSync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hold, d.held = make(chan struct{}), make(chan struct{})
}

func (d *faultyDisk) releaseSync() { close(d.hold) }

func (d *faultyDisk) setFree(n uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.space = n
}

func (d *faultyDisk) failWith(f func(call int, op string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls, d.fail = 0, f
}

// step counts a call and says whether it fails.
func (d *faultyDisk) step(op string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if d.fail == nil {
		return nil
	}
	if err := d.fail(d.calls, op); err != nil {
		return &os.PathError{Op: op, Path: "test", Err: err}
	}
	return nil
}

func (d *faultyDisk) free(string) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.space, nil
}

func (d *faultyDisk) create(path string) (segmentFile, error) {
	if err := d.step("create"); err != nil {
		return nil, err
	}
	f, err := d.realDisk.create(path)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.born[path], d.synced[path] = true, 0
	delete(d.gone, path)
	return &faultyFile{segmentFile: f, disk: d, path: path}, nil
}

func (d *faultyDisk) open(path string) (segmentFile, error) {
	f, err := d.realDisk.open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.synced[path]; !ok {
		d.synced[path] = info.Size()
	}
	return &faultyFile{segmentFile: f, disk: d, path: path}, nil
}

func (d *faultyDisk) rewrite(path string, offset int64) error {
	if err := d.realDisk.rewrite(path, offset); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if from, ok := d.gone[path]; ok && offset <= from {
		delete(d.gone, path)
	}
	return nil
}

func (d *faultyDisk) truncate(path string, size int64) error {
	if err := d.step("truncate"); err != nil {
		return err
	}
	if err := d.realDisk.truncate(path, size); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if safe, ok := d.synced[path]; ok {
		d.synced[path] = min(safe, size)
	}
	return nil
}

func (d *faultyDisk) rename(from, to string) error {
	if err := d.step("rename"); err != nil {
		return err
	}
	if err := d.realDisk.rename(from, to); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.renamed[to] = from
	d.synced[to] = d.synced[from]
	delete(d.synced, from)
	delete(d.born, from)
	return nil
}

func (d *faultyDisk) remove(path string) error {
	if err := d.step("remove"); err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := d.realDisk.remove(path); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.removed[path] = old
	delete(d.synced, path)
	return nil
}

func (d *faultyDisk) syncDir(path string) error {
	if err := d.step("syncdir"); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.born)
	clear(d.renamed)
	clear(d.removed)
	clear(d.oldHead)
	return d.realDisk.syncDir(path)
}

func (d *faultyDisk) writeHead(path string, text []byte) error {
	if err := d.step("head"); err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := d.realDisk.writeHead(path, text); err != nil {
		return err
	}
	var w Witness
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.oldHead[path]; !ok {
		d.oldHead[path] = old
	}
	d.heads <- w.Seq
	return nil
}

// waitHead waits until HEAD has been written with seq.
func (d *faultyDisk) waitHead(t testing.TB, seq int64) {
	t.Helper()
	for {
		select {
		case got := <-d.heads:
			if got == seq {
				return
			}
		case <-t.Context().Done():
			t.Fatal("HEAD never came")
		}
	}
}

// crash takes back what was not synced: the ends of segments up to a random
// byte, new names, and the last HEAD if its name was not safe.
func (d *faultyDisk) crash(r *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path, safe := range d.synced {
		if d.born[path] && r.IntN(2) == 0 {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				d.t.Error(err)
			}
			continue
		}
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			d.t.Error(err)
			continue
		}
		if lost := info.Size() - safe; lost > 0 {
			if err := os.Truncate(path, safe+r.Int64N(lost+1)); err != nil {
				d.t.Error(err)
			}
		}
	}
	for path, from := range d.gone {
		b, err := os.ReadFile(path)
		if err == nil && int64(len(b)) > from {
			clear(b[from:])
			err = os.WriteFile(path, b, 0o600)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			d.t.Error(err)
		}
	}
	for to, from := range d.renamed {
		if r.IntN(2) == 0 {
			if err := os.Rename(to, from); err != nil && !errors.Is(err, os.ErrNotExist) {
				d.t.Error(err)
			}
		}
	}
	for path, old := range d.removed {
		if r.IntN(2) == 0 {
			if err := os.WriteFile(path, old, 0o600); err != nil {
				d.t.Error(err)
			}
		}
	}
	for path, old := range d.oldHead {
		if old != nil && r.IntN(2) == 0 {
			if err := os.WriteFile(path, old, 0o600); err != nil {
				d.t.Error(err)
			}
		}
	}
}

// faultyFile is a segment on a faultyDisk.
type faultyFile struct {
	segmentFile
	disk *faultyDisk
	path string
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.step("write"); err != nil {
		half := p[:len(p)/2]
		n, _ := f.segmentFile.Write(half)
		return n, err
	}
	return f.segmentFile.Write(p)
}

func (f *faultyFile) Sync() error {
	f.disk.mu.Lock()
	hold, held := f.disk.hold, f.disk.held
	f.disk.mu.Unlock()
	if hold != nil {
		select {
		case <-held:
		default:
			close(held)
		}
		<-hold
	}
	if err := f.disk.step("sync"); err != nil {
		// The kernel takes the pages for clean from now on, as Linux does.
		f.disk.mu.Lock()
		defer f.disk.mu.Unlock()
		f.disk.gone[f.path] = f.disk.synced[f.path]
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.synced[f.path] = info.Size()
	return nil
}

// failOn fails the calls of one kind from the n-th on, times times.
func failOn(op string, n, times int, err error) func(int, string) error {
	seen := 0
	return func(_ int, got string) error {
		if got == op {
			if seen++; seen >= n && seen < n+times {
				return err
			}
		}
		return nil
	}
}

func TestCommitErrors(t *testing.T) {
	for _, op := range []string{"write", "sync", "create", "syncdir"} {
		for _, cause := range []error{syscall.EIO, syscall.ENOSPC} {
			t.Run(fmt.Sprint(op, cause), func(t *testing.T) {
				dir := t.TempDir()
				d := newFaultyDisk(t)
				w := openWriter(t, dir, Options{disk: d})
				s := testSecret(t, 0)
				if op == "write" || op == "sync" {
					appendOne(t, w, signed(s, "msg_0", "x"))
				}
				d.failWith(failOn(op, 1, 1, cause))
				if _, err := w.Append(t.Context(), signed(s, "msg_1", "x")); !errors.Is(err, ErrBroken) || !errors.Is(err, cause) {
					t.Fatalf("error %v", err)
				}
				if err := w.Health(); !errors.Is(err, ErrBroken) {
					t.Errorf("health %v", err)
				}
				if _, err := w.Append(t.Context(), signed(s, "msg_1", "x")); !errors.Is(err, ErrBroken) {
					t.Errorf("tried again at once: %v", err)
				}
				proveNow(w)
				appendOne(t, w, signed(s, "msg_1", "x"))
				appendOne(t, w, signed(s, "msg_2", "x"))
				if err := w.Health(); err != nil {
					t.Errorf("health %v", err)
				}
				closeWriter(t, w)
				r := verify(t, dir, s)
				if r.DamageCount != 0 || r.Lines < 2 {
					t.Errorf("%d lines, damage %v", r.Lines, r.Damage)
				}
			})
		}
	}
}

// proveNow lets a broken writer try a new segment at once.
func proveNow(w *Writer) {
	w.health.Lock()
	defer w.health.Unlock()
	w.proveAt = w.proveAt.Add(-2 * proveEvery)
}

func TestNewSegmentAfterASyncError(t *testing.T) {
	dir := t.TempDir()
	d := newFaultyDisk(t)
	w := openWriter(t, dir, Options{disk: d})
	s := testSecret(t, 0)
	appendOne(t, w, signed(s, "msg_1", "x"))
	syncs := 0 // of the segment, of what is moved aside, of the new segment
	d.failWith(func(_ int, op string) error {
		if op == "sync" {
			if syncs++; syncs == 1 || syncs == 3 {
				return syscall.EIO
			}
		}
		return nil
	})
	if _, err := w.Append(t.Context(), signed(s, "msg_2", "x")); !errors.Is(err, ErrBroken) {
		t.Fatalf("error %v", err)
	}
	proveNow(w)
	if _, err := w.Append(t.Context(), signed(s, "msg_3", "x")); !errors.Is(err, ErrBroken) {
		t.Fatalf("the new segment is not proved yet: %v", err)
	}
	proveNow(w)
	appendOne(t, w, signed(s, "msg_3", "x"))
	if r := appendOne(t, w, signed(s, "msg_1", "x")); !r.Duplicate {
		t.Error("the first is forgotten")
	}
	closeWriter(t, w)
	sound(t, dir, 2, s)
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	// HEAD, two segments, the lock, and what was not acknowledged in either.
	if len(names) != 6 || names[0] != "2026-11-22.jsonl" || names[2] != "2026-11-22_02.jsonl" {
		t.Errorf("files %v", names)
	}

	w = openWriter(t, dir, Options{})
	appendOne(t, w, signed(s, "msg_4", "x"))
	closeWriter(t, w)
	sound(t, dir, 3, s)
	if lines := readBytes(t, dir, "2026-11-22_02.jsonl"); len(lines) == 0 {
		t.Error("the day did not go on in its last segment")
	}
}

// TestTornTailSurvivesBeingMovedAside lets the power go at each call while a
// tail is moved aside, and looks for its bytes: in the segment still, or in the
// copy.
func TestTornTailSurvivesBeingMovedAside(t *testing.T) {
	const tail = `{"seq":3,"received_at":"2026`
	for seed := range uint64(8) {
		for nth := 1; ; nth++ {
			dir := t.TempDir()
			fill(t, dir, 2)
			addTail(t, dir, tail)
			d := newFaultyDisk(t)
			d.failWith(func(call int, _ string) error {
				if call >= nth {
					return syscall.EIO
				}
				return nil
			})
			path := filepath.Join(dir, pages[1])
			_, err := moveAside(d, path, int64(len(readBytes(t, path))-len(tail)), noon)
			d.crash(rand.New(rand.NewPCG(uint64(nth), seed)))
			asides, _ := filepath.Glob(path + ".torn-*")
			found := bytes.HasSuffix(readBytes(t, path), []byte(tail))
			for _, aside := range asides {
				found = found || string(readBytes(t, aside)) == tail
			}
			if !found {
				t.Fatalf("call %d, seed %d: the tail is lost (error %v)", nth, seed, err)
			}
			if err == nil {
				break
			}
		}
	}
}

// TestLinesOfAFailedSyncAreWrittenAgain ends a writer after a failed sync, when
// its lines can be read and are not on the disk, and starts another: what that
// one builds on them must survive the power going.
func TestLinesOfAFailedSyncAreWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	d := newFaultyDisk(t)
	s := testSecret(t, 0)
	w := openWriter(t, dir, Options{disk: d})
	appendOne(t, w, signed(s, "msg_1", "x"))
	d.failWith(failOn("sync", 1, 1, syscall.EIO))
	if _, err := w.Append(t.Context(), signed(s, "msg_2", "x")); !errors.Is(err, ErrBroken) {
		t.Fatalf("error %v", err)
	}
	closeWriter(t, w)
	w = openWriter(t, dir, Options{disk: d})
	if r := appendOne(t, w, signed(s, "msg_2", "x")); !r.Duplicate {
		t.Error("the line is there, and is not known")
	}
	appendOne(t, w, signed(s, "msg_3", "x"))
	closeWriter(t, w)
	d.crash(rand.New(rand.NewPCG(1, 1)))
	sound(t, dir, 3, s)
}

func TestSegmentReplacedUnderTheWriter(t *testing.T) {
	for name, touch := range map[string]func(string) error{
		"appended to": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("x")
			return errors.Join(err, f.Close())
		},
		"replaced": func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.Remove(path), os.WriteFile(path, b, 0o600))
		},
		"cut": func(path string) error { return os.Truncate(path, 5) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := openWriter(t, dir, Options{})
			s := testSecret(t, 0)
			appendOne(t, w, signed(s, "msg_1", "x"))
			if err := touch(filepath.Join(dir, "2026-11-22.jsonl")); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := w.Append(t.Context(), signed(s, "msg_2", "x")); !errors.Is(err, ErrBroken) {
					t.Errorf("error %v", err)
				}
				proveNow(w)
			}
		})
	}
}

// TestNothingAcknowledgedIsEverLost fails each call to the disk in turn, takes
// back what was not synced, starts again, and looks for every event that was
// acknowledged.
func TestNothingAcknowledgedIsEverLost(t *testing.T) {
	s := testSecret(t, 0)
	crashes := 0
	t.Cleanup(func() { t.Logf("proof: a journal on a disk that forgets what was not synced: %d crashes", crashes) })
	for _, cause := range []error{nil, syscall.EIO} {
		for nth := 1; ; nth++ {
			crashes++
			dir := t.TempDir()
			r := rand.New(rand.NewPCG(uint64(nth), 1))
			acknowledged, calls := stormyNight(t, dir, s, nth, cause, r)
			if t.Failed() {
				t.Fatalf("call %d, error %v", nth, cause)
			}
			report := verify(t, dir, s)
			if report.DamageCount != 0 || report.Failed != 0 {
				t.Fatalf("call %d, error %v: damage %v", nth, cause, report.Damage)
			}
			all, _ := lines(t, dir)
			stored := make(map[string]int)
			for _, l := range all {
				stored[l.Record.WebhookID]++
			}
			for _, id := range acknowledged {
				if stored[id] != 1 {
					t.Fatalf("call %d, error %v: %s stands in the journal %d times", nth, cause, id, stored[id])
				}
			}
			if nth > calls {
				break
			}
		}
	}
}

// stormyNight appends to the journal in dir while the nth call to the disk
// fails, or is the last before the power goes, and then starts it once more. It
// returns what was acknowledged.
func stormyNight(t *testing.T, dir string, s Secret, nth int, cause error, r *rand.Rand) (acknowledged []string, calls int) {
	c := newClock()
	quiet := Options{Now: c.Now}
	d := newFaultyDisk(t)
	quiet.disk = d
	w, err := Open(t.Context(), dir, quiet)
	if err != nil {
		t.Error(err)
		return nil, 0
	}
	dead := false
	d.failWith(func(call int, _ string) error {
		switch {
		case cause == nil && call >= nth:
			dead = true
			return syscall.EIO
		case call == nth:
			return cause
		}
		return nil
	})
	for i := range 12 {
		if i == 6 {
			c.set(noon.AddDate(0, 0, 1))
		}
		id := fmt.Sprint("msg_", i)
		_, err := w.Append(t.Context(), signed(s, id, id))
		if errors.Is(err, ErrBroken) && !dead {
			proveNow(w)
			_, err = w.Append(t.Context(), signed(s, id, id))
		}
		if err == nil {
			acknowledged = append(acknowledged, id)
		}
	}
	calls = d.calls
	_ = w.Close()
	d.crash(r)
	d.failWith(nil)
	w = openWriter(t, dir, quiet)
	for _, id := range acknowledged {
		if got := appendOne(t, w, signed(s, id, id)); !got.Duplicate {
			t.Errorf("%s is not known any more", id)
		}
	}
	appendOne(t, w, signed(s, "msg_after", "x"))
	closeWriter(t, w)
	return append(acknowledged, "msg_after"), calls
}
