package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tallyman/formats"
)

func TestAppendWritesTheDocumentedFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "journal")
	w := openWriter(t, dir, Options{})
	s := testSecret(t, 0)
	first, second := signed(s, "msg_1", `{"id":"evt_1"}`), signed(s, "msg_2", "hello\n")
	if r := appendOne(t, w, first); r != (Result{Seq: 1}) {
		t.Errorf("first: %+v", r)
	}
	if r := appendOne(t, w, second); r != (Result{Seq: 2}) {
		t.Errorf("second: %+v", r)
	}
	closeWriter(t, w)

	line1 := fmt.Sprintf(`{"seq":1,"received_at":"2026-11-22T12:00:00.123456Z","webhook_id":"msg_1","webhook_timestamp":%d,`+
		`"webhook_signature":%q,"key":%q,"prev":"%064d","event":{"id":"evt_1"}}`, first.Timestamp, first.Signature, s.ID(), 0)
	line2 := fmt.Sprintf(`{"seq":2,"received_at":"2026-11-22T12:00:00.123456Z","webhook_id":"msg_2","webhook_timestamp":%d,`+
		`"webhook_signature":%q,"key":%q,"prev":"%x","body":"hello\n"}`, second.Timestamp, second.Signature, s.ID(), sha256.Sum256([]byte(line1)))
	if got := string(readBytes(t, dir, "2026-11-22.jsonl")); got != line1+"\n"+line2+"\n" {
		t.Errorf("segment\n got %s\nwant %s\n%s", got, line1, line2)
	}
	if got, want := string(readBytes(t, dir, "HEAD")), fmt.Sprintf("{\"seq\":2,\"hash\":\"%x\"}\n", sha256.Sum256([]byte(line2))); got != want {
		t.Errorf("head %s, want %s", got, want)
	}
	checkModes(t, dir)
	sound(t, dir, 2, s)
}

// checkModes fails if anybody else may look into the journal, or if anything
// is left in it that should not be.
func checkModes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has the mode %o", path, info.Mode().Perm())
		}
		if strings.HasPrefix(d.Name(), ".") {
			t.Errorf("%s is left", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDuplicates(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, Options{})
	s := testSecret(t, 0)
	appendOne(t, w, signed(s, "msg_1", "a"))
	again := signed(s, "msg_1", "a")
	again.Timestamp++ // re-signed by the sender
	if r := appendOne(t, w, again); r != (Result{Duplicate: true}) {
		t.Errorf("again: %+v", r)
	}
	if r := appendOne(t, w, signed(s, "msg_1", "b")); r != (Result{Seq: 2}) {
		t.Errorf("other body: %+v", r)
	}
	if r := appendOne(t, w, signed(s, "msg_2", "a")); r != (Result{Seq: 3}) {
		t.Errorf("other id: %+v", r)
	}
	closeWriter(t, w)

	w = openWriter(t, dir, Options{})
	for _, d := range []Delivery{signed(s, "msg_1", "a"), signed(s, "msg_1", "b"), signed(s, "msg_2", "a")} {
		if r := appendOne(t, w, d); !r.Duplicate {
			t.Errorf("%s %s is not remembered across a restart", d.WebhookID, d.Body)
		}
	}
	closeWriter(t, w)
	sound(t, dir, 3, s)
}

func TestDuplicateWaitsForTheFirst(t *testing.T) {
	dir := t.TempDir()
	d := newFaultyDisk(t)
	w := openWriter(t, dir, Options{disk: d})
	s := testSecret(t, 0)
	d.holdSync()
	const many = 50
	results := make(chan Result, many)
	var wg sync.WaitGroup
	for range many {
		wg.Go(func() {
			r, err := w.Append(context.Background(), signed(s, "msg_1", "a"))
			if err != nil {
				t.Error(err)
			}
			results <- r
		})
	}
	<-d.held // the first is in its sync, the others are behind it or with it
	select {
	case r := <-results:
		t.Errorf("answered before the sync: %+v", r)
	default:
	}
	d.releaseSync()
	wg.Wait()
	close(results)
	fresh := 0
	for r := range results {
		if !r.Duplicate {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d of %d equal deliveries got a line", fresh, many)
	}
	closeWriter(t, w)
	sound(t, dir, 1, s)
}

func TestDuplicateWithinOneCommit(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, Options{})
	s := testSecret(t, 0)
	var batch []*appending
	for _, id := range []string{"msg_1", "msg_1", "msg_2", "msg_1"} {
		d := signed(s, id, "a")
		batch = append(batch, &appending{delivery: d, pair: pairOf(d.WebhookID, d.Body), done: make(chan struct{})})
	}
	if err := w.appendBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for i, want := range []Result{{Seq: 1}, {Duplicate: true}, {Seq: 2}, {Duplicate: true}} {
		if batch[i].err != nil || batch[i].result != want {
			t.Errorf("delivery %d: %+v, %v", i, batch[i].result, batch[i].err)
		}
	}
	closeWriter(t, w)
	sound(t, dir, 2, s)
}

func TestConcurrentAppendsShareSyncs(t *testing.T) {
	dir := t.TempDir()
	d := newFaultyDisk(t)
	w := openWriter(t, dir, Options{disk: d})
	s := testSecret(t, 0)
	appendOne(t, w, signed(s, "msg_first", "x"))
	d.holdSync()
	const many = 64
	seqs := make(chan int64, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			r, err := w.Append(context.Background(), signed(s, fmt.Sprintf("msg_%d", i), "x"))
			if err != nil {
				t.Error(err)
			}
			seqs <- r.Seq
		})
	}
	<-d.held
	d.releaseSync()
	wg.Wait()
	close(seqs)
	seen := make(map[int64]bool)
	for n := range seqs {
		seen[n] = true
	}
	if len(seen) != many {
		t.Errorf("%d numbers for %d deliveries", len(seen), many)
	}
	closeWriter(t, w)
	sound(t, dir, many+1, s)
}

func TestSegmentsFollowTheDayOfReceipt(t *testing.T) {
	dir := t.TempDir()
	c := newClock()
	w := openWriter(t, dir, Options{Now: c.Now})
	s := testSecret(t, 0)
	for i, now := range []time.Time{
		noon,
		noon.Truncate(24*time.Hour).AddDate(0, 0, 1).Add(-time.Nanosecond),
		noon.Truncate(24*time.Hour).AddDate(0, 0, 1),
		noon, // a clock that jumps back does not reopen a day
		noon.AddDate(0, 0, 9),
	} {
		c.set(now)
		appendOne(t, w, signed(s, fmt.Sprint("msg_", i), "x"))
	}
	closeWriter(t, w)
	segments, err := Segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, seg := range segments {
		got = append(got, fmt.Sprint(seg.Name, strings.Count(string(readBytes(t, seg.Path)), "\n")))
	}
	if want := "2026-11-22.jsonl2 2026-11-23.jsonl2 2026-12-01.jsonl1"; strings.Join(got, " ") != want {
		t.Errorf("segments %v, want %s", got, want)
	}
	sound(t, dir, 5, s)

	c.set(noon) // and neither does a restart
	w = openWriter(t, dir, Options{Now: c.Now})
	appendOne(t, w, signed(s, "msg_late", "x"))
	closeWriter(t, w)
	sound(t, dir, 6, s)
}

func TestOneWriterAtATime(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, Options{})
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second writer: %v", err)
	}
	if _, err := Repair(t.Context(), dir, noon, testLog(t)); !errors.Is(err, ErrLocked) {
		t.Errorf("repair beside a writer: %v", err)
	}
	closeWriter(t, w)
	closeWriter(t, openWriter(t, dir, Options{}))
	if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
		t.Error("the lock file must stay:", err)
	}
}

func TestOpenRefusesADirectoryOpenToAll(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("error %v", err)
	}
}

func TestAppendAfterClose(t *testing.T) {
	w := openWriter(t, t.TempDir(), Options{})
	closeWriter(t, w)
	closeWriter(t, w)
	if _, err := w.Append(t.Context(), signed(testSecret(t, 0), "msg_1", "x")); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
	if err := w.Health(); !errors.Is(err, ErrClosed) {
		t.Errorf("health %v", err)
	}
}

func TestAppendRefusesWhatNoLineCanHold(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, Options{})
	for _, d := range []Delivery{
		{WebhookID: "", Body: []byte("x")},
		{WebhookID: "a\xff", Body: []byte("x")},
		{WebhookID: "a", Signature: "\xff"},
		{WebhookID: strings.Repeat("a", maxHeaders+1)},
		{WebhookID: "a", Body: make([]byte, MaxBody+1)},
	} {
		if _, err := w.Append(t.Context(), d); !errors.Is(err, ErrInvalid) {
			t.Errorf("%.20q: %v", d.WebhookID, err)
		}
	}
	largest := Delivery{WebhookID: "a", Body: make([]byte, MaxBody)} // NULs: six bytes each in the line
	appendOne(t, w, largest)
	closeWriter(t, w)
	all, sum := lines(t, dir)
	if len(all) != 1 || len(all[0].Record.Body) != MaxBody || sum.DamageCount != 0 {
		t.Errorf("the largest body is not read back: %d lines, %v", len(all), sum.Damage)
	}
}

func TestAppendWaitsNoLongerThanItsContext(t *testing.T) {
	d := newFaultyDisk(t)
	w := openWriter(t, t.TempDir(), Options{disk: d})
	s := testSecret(t, 0)
	d.holdSync()
	first := make(chan error)
	go func() {
		_, err := w.Append(context.Background(), signed(s, "msg_1", "x"))
		first <- err
	}()
	<-d.held
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Append(ctx, signed(s, "msg_2", "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	d.releaseSync()
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	d := newFaultyDisk(t)
	w := openWriter(t, dir, Options{disk: d})
	s := testSecret(t, 0)
	appendOne(t, w, signed(s, "msg_1", "x"))
	d.setFree(defaultReserve - 1)
	if _, err := w.Append(t.Context(), signed(s, "msg_2", "x")); !errors.Is(err, ErrFull) {
		t.Errorf("error %v", err)
	}
	if err := w.Health(); !errors.Is(err, ErrFull) {
		t.Errorf("health %v", err)
	}
	if r := appendOne(t, w, signed(s, "msg_1", "x")); !r.Duplicate {
		t.Error("what is on disk needs no room")
	}
	d.setFree(defaultReserve)
	appendOne(t, w, signed(s, "msg_2", "x"))
	if err := w.Health(); err != nil {
		t.Errorf("health %v", err)
	}
	closeWriter(t, w)
	sound(t, dir, 2, s)
}

func TestHeadFollowsAndNeverLeads(t *testing.T) {
	dir := t.TempDir()
	s := testSecret(t, 0)
	d := newFaultyDisk(t)
	w := openWriter(t, dir, Options{disk: d})
	if got := string(readBytes(t, dir, "HEAD")); !strings.Contains(got, `"seq":0,"hash":"`+formats.JournalGenesis) {
		t.Errorf("an empty journal has the head %s", got)
	}
	for i := range 20 {
		appendOne(t, w, signed(s, fmt.Sprint("msg_", i), "x"))
		head, err := readHead(filepath.Join(dir, headName))
		if err != nil {
			t.Fatal(err)
		}
		if head.Seq > int64(i+1) {
			t.Fatalf("head %d, lines %d", head.Seq, i+1)
		}
	}
	d.waitHead(t, 20)
	closeWriter(t, w)
	all, sum := lines(t, dir)
	hash := sha256.Sum256(all[19].Raw)
	if sum.Seq != 20 || sum.Hash != hex.EncodeToString(hash[:]) {
		t.Errorf("end %d %s", sum.Seq, sum.Hash)
	}
}
