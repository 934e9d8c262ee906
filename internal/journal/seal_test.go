package journal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// fillDays makes a journal of days segments with two lines each.
func fillDays(t *testing.T, dir string, days int) Secret {
	t.Helper()
	c := newClock()
	w := openWriter(t, dir, Options{Now: c.Now})
	s := testSecret(t, 0)
	for i := range 2 * days {
		c.set(noon.AddDate(0, 0, i/2))
		appendOne(t, w, signed(s, fmt.Sprint("msg_", i+1), fmt.Sprintf(`{"id":"evt_%d"}`, i+1)))
	}
	closeWriter(t, w)
	return s
}

func names(t *testing.T, dir string) string {
	t.Helper()
	segments, err := Segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range segments {
		all = append(all, strings.TrimPrefix(s.Name, "2026-11-"))
	}
	return strings.Join(all, " ")
}

func TestSeal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	old := noon.AddDate(0, 0, 2).Truncate(24 * time.Hour)
	s := fillDays(t, dir, 4) // the 22nd to the 25th
	before, plain := lines(t, dir)
	done, err := Seal(t.Context(), dir, old, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); got != "22.jsonl.zst 23.jsonl.zst 24.jsonl 25.jsonl" || len(done) != 2 {
		t.Errorf("segments %s, done %v", got, done)
	}
	for _, one := range done {
		if info, err := os.Stat(filepath.Join(dir, one.Name)); err != nil || info.Size() != one.Bytes || one.Plain == 0 {
			t.Errorf("%+v: %v, %v", one, info, err)
		}
	}
	sound(t, dir, 8, s)
	checkModes(t, dir)
	after, sealed := lines(t, dir)
	for i, l := range after {
		if l.Ref() != before[i].Ref() || !bytes.Equal(l.Raw, before[i].Raw) || l.Offset != before[i].Offset {
			t.Errorf("line %d: %s, was %s", i, l.Ref(), before[i].Ref())
		}
	}
	if sealed.Seq != plain.Seq || sealed.Hash != plain.Hash {
		t.Errorf("the journal ends with %d %s, did with %d %s", sealed.Seq, sealed.Hash, plain.Seq, plain.Hash)
	}
	if done, err := Seal(t.Context(), dir, old, testLog(t)); err != nil || len(done) != 0 {
		t.Errorf("again: %v, %v", done, err)
	}
}

func TestSealLeavesTheLastSegmentAlone(t *testing.T) {
	dir := t.TempDir()
	c := newClock()
	s := fillDays(t, dir, 2)
	c.set(noon.AddDate(1, 0, 0))
	w := openWriter(t, dir, Options{Now: c.Now}) // at work, and its last segment is a year old
	if _, err := Seal(t.Context(), dir, noon.AddDate(2, 0, 0), testLog(t)); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); got != "22.jsonl.zst 23.jsonl" {
		t.Errorf("segments %s", got)
	}
	appendOne(t, w, signed(s, "msg_5", "x"))
	if again := appendOne(t, w, signed(s, "msg_1", `{"id":"evt_1"}`)); again.Duplicate {
		t.Error("an event of last year is remembered: what is tested below would prove nothing")
	}
	closeWriter(t, w)
	sound(t, dir, 6, s)
}

func TestSealedDeliveriesAreRemembered(t *testing.T) {
	dir := t.TempDir()
	s := fillDays(t, dir, 2)
	if _, err := Seal(t.Context(), dir, noon.AddDate(0, 0, 1), testLog(t)); err != nil {
		t.Fatal(err)
	}
	c := newClock()
	for _, days := range []int{1, 5} { // senders try again for so long
		c.set(noon.AddDate(0, 0, days))
		w := openWriter(t, dir, Options{Now: c.Now})
		if got := appendOne(t, w, signed(s, "msg_1", `{"id":"evt_1"}`)); !got.Duplicate {
			t.Errorf("what stands in a sealed segment is not known any more after %d days", days)
		}
		closeWriter(t, w)
	}
}

// TestSealedDayIsNotBegunAgain sets the clock back to a day that is sealed.
func TestSealedDayIsNotBegunAgain(t *testing.T) {
	dir := t.TempDir()
	s := fillDays(t, dir, 2)
	sealAll(t, dir)
	c := newClock()
	w := openWriter(t, dir, Options{Now: c.Now})
	appendOne(t, w, signed(s, "msg_5", "x"))
	closeWriter(t, w)
	if got := names(t, dir); got != "22.jsonl.zst 23.jsonl.zst 23_02.jsonl" {
		t.Errorf("segments %s", got)
	}
	sound(t, dir, 5, s)
}

// sealAll compresses every segment, the last one too, as somebody might by hand.
func sealAll(t *testing.T, dir string) {
	t.Helper()
	segments, err := Segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segments {
		if _, err := sealOne(t.Context(), realDisk{}, s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSealKilledAnywhere fails each call to the disk in turn, as the last one
// before the power goes, takes back what was not synced, and expects a whole
// journal, before and after the next seal.
func TestSealKilledAnywhere(t *testing.T) {
	for _, cause := range []error{nil, syscall.EIO, syscall.ENOSPC} {
		for seed := range uint64(4) {
			for nth := 1; ; nth++ {
				dir := t.TempDir()
				s := fillDays(t, dir, 3)
				d := newFaultyDisk(t)
				d.failWith(func(call int, _ string) error {
					if call == nth && cause != nil || call >= nth && cause == nil {
						return errors.Join(cause, syscall.EIO)
					}
					return nil
				})
				_, err := sealSegments(t.Context(), d, dir, noon.AddDate(0, 0, 9), testLog(t))
				calls := d.calls
				d.crash(rand.New(rand.NewPCG(uint64(nth), seed)))
				sound(t, dir, 6, s)
				if _, err := Seal(t.Context(), dir, noon.AddDate(0, 0, 9), testLog(t)); err != nil {
					t.Fatal(err)
				}
				sound(t, dir, 6, s)
				if got := names(t, dir); got != "22.jsonl.zst 23.jsonl.zst 24.jsonl" {
					t.Fatalf("call %d: segments %s", nth, got)
				}
				if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
					t.Fatalf("call %d: %v is left behind", nth, left)
				}
				if nth > calls {
					if err != nil {
						t.Fatal(err)
					}
					break
				}
			}
		}
	}
}

// TestSealReadsBack writes something else than it was told to.
func TestSealReadsBack(t *testing.T) {
	dir := t.TempDir()
	s := fillDays(t, dir, 2)
	if _, err := sealSegments(t.Context(), &lyingDisk{}, dir, noon.AddDate(0, 0, 9), testLog(t)); err == nil {
		t.Fatal("a wrong copy is taken for the segment")
	}
	if got := names(t, dir); got != "22.jsonl 23.jsonl" {
		t.Errorf("segments %s", got)
	}
	sound(t, dir, 4, s)
}

// lyingDisk keeps one byte of a sealed segment wrong.
type lyingDisk struct{ realDisk }

func (d *lyingDisk) create(path string) (segmentFile, error) {
	f, err := d.realDisk.create(path)
	return &lyingFile{f}, err
}

type lyingFile struct{ segmentFile }

func (f *lyingFile) Write(p []byte) (int, error) {
	p = slices.Clone(p)
	p[len(p)/2] ^= 1
	return f.segmentFile.Write(p)
}

func TestSealLeavesTheReserve(t *testing.T) {
	dir := t.TempDir()
	fillDays(t, dir, 2)
	d := newFaultyDisk(t)
	d.setFree(defaultReserve + 100)
	if _, err := sealSegments(t.Context(), d, dir, noon.AddDate(0, 0, 9), testLog(t)); !errors.Is(err, ErrFull) {
		t.Errorf("error %v", err)
	}
	if got := names(t, dir); got != "22.jsonl 23.jsonl" {
		t.Errorf("segments %s", got)
	}
}

// TestSealReadsBackEveryByte has a copy that is sound in itself, and as long.
func TestSealReadsBackEveryByte(t *testing.T) {
	part := filepath.Join(t.TempDir(), ".2026-11-22.jsonl.part.zst")
	writeBytes(t, zstandard(t, []byte("two\n")), part)
	if err := readBack(t.Context(), part, sha256.Sum256([]byte("two\n")), 4); err != nil {
		t.Error(err)
	}
	if err := readBack(t.Context(), part, sha256.Sum256([]byte("one\n")), 4); err == nil {
		t.Error("other bytes of the same length are taken for the segment")
	}
}

func TestSealOneAtATime(t *testing.T) {
	dir := t.TempDir()
	fillDays(t, dir, 2)
	lock := flock.New(filepath.Join(dir, sealLockName))
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := Seal(t.Context(), dir, noon, testLog(t)); !errors.Is(err, ErrSealing) {
		t.Errorf("error %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestReadWhileSealing seals one segment after the other while others read, and
// expects every reader to see every line once.
func TestReadWhileSealing(t *testing.T) {
	dir := t.TempDir()
	const days = 40
	s := fillDays(t, dir, days)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := Verify(t.Context(), dir, Secrets{s})
				if err != nil || r.DamageCount != 0 || r.Lines != 2*days {
					t.Errorf("%d lines, damage %v, error %v", r.Lines, r.Damage, err)
					return
				}
			}
		})
	}
	for day := range days {
		if _, err := Seal(t.Context(), dir, noon.AddDate(0, 0, day), testLog(t)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	sound(t, dir, 2*days, s)
}
