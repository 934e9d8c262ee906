package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Copies that are made while events come in are whole, and hold what was acknowledged before they began.
func TestCopyWhileWriting(t *testing.T) {
	dir, copies := filepath.Join(t.TempDir(), "journal"), t.TempDir()
	s := testSecret(t, 0)
	clock := newClock()
	w := openWriter(t, dir, Options{Now: clock.Now})
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	var mu sync.Mutex
	acknowledged := int64(0)
	first := make(chan struct{})
	writing.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			if _, err := w.Append(ctx, signed(s, fmt.Sprintf("msg_%d", n), fmt.Sprintf(`{"n":%d}`, n))); err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
			mu.Lock()
			acknowledged++
			mu.Unlock()
			switch n {
			case 5:
				close(first)
			case 50:
				clock.set(noon.Add(24 * time.Hour))
			}
		}
	})
	<-first
	for n := range 10 {
		mu.Lock()
		before := acknowledged
		mu.Unlock()
		to := filepath.Join(copies, fmt.Sprint(n))
		if err := Copy(t.Context(), dir, to); err != nil {
			t.Fatal(err)
		}
		report := verify(t, to, s)
		if report.DamageCount > 0 || report.Verified < before || report.Seq != report.Lines {
			t.Fatalf("copy %d of %d events: %d lines, %d verified, damage %v", n, before, report.Lines, report.Verified, report.Damage)
		}
	}
	stop()
	writing.Wait()
	closeWriter(t, w)
}

// Damage shows in the copy as it does in the journal.
func TestCopyHidesNoDamage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	s := fill(t, dir, 10)
	segment := lastSegment(t, dir)
	writeBytes(t, []byte("tail"), segment+".torn-20261122T000000.000000Z")
	text := readBytes(t, segment)
	end, err := wholeLines(mustOpen(t, segment), int64(len(text))-1)
	if err != nil {
		t.Fatal(err)
	}
	writeBytes(t, text[:end], segment) // the last line is lost, and HEAD knows
	to := filepath.Join(t.TempDir(), "copy")
	if err := Copy(t.Context(), dir, to); err != nil {
		t.Fatal(err)
	}
	if report := verify(t, to, s); report.DamageCount == 0 {
		t.Error("the lost line does not show in the copy")
	}
	if got := string(readBytes(t, to, filepath.Base(segment)+".torn-20261122T000000.000000Z")); got != "tail" {
		t.Errorf("the torn tail was copied as %q", got)
	}
	if err := Copy(t.Context(), dir, to); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another copy: %v", err)
	}
}

func TestCopyLeavesTheTornTail(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	s := fill(t, dir, 3)
	segment := lastSegment(t, dir)
	writeBytes(t, append(readBytes(t, segment), make([]byte, 100<<10)...), segment)
	to := filepath.Join(t.TempDir(), "copy")
	if err := Copy(t.Context(), dir, to); err != nil {
		t.Fatal(err)
	}
	sound(t, to, 3, s)
	checkModes(t, to)
}

func TestCopyOfNothing(t *testing.T) {
	to := filepath.Join(t.TempDir(), "copy")
	if err := Copy(t.Context(), filepath.Join(t.TempDir(), "none"), to); err != nil {
		t.Fatal(err)
	}
	w := openWriter(t, to, Options{})
	closeWriter(t, w)
}

func lastSegment(t *testing.T, dir string) string {
	t.Helper()
	segments, err := Segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	return segments[len(segments)-1].Path
}

func mustOpen(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
