package nightly

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestReadHolder(t *testing.T) {
	dir := t.TempDir()
	h, err := ReadHolder(dir)
	if err != nil || h != (Holder{}) {
		t.Fatalf("before any run: %+v, %v", h, err)
	}
	if _, err := os.Stat(filepath.Join(dir, lockName)); err == nil {
		t.Fatal("looking made a lock file")
	}
	began := time.Date(2026, 11, 22, 4, 30, 0, 123456000, time.UTC)
	unlock, err := lock(t.Context(), dir, "run", began)
	if err != nil {
		t.Fatal(err)
	}
	h, err = ReadHolder(dir)
	if err != nil || !h.Held || !strings.HasPrefix(h.Text, "tallyman run, process ") {
		t.Errorf("while it is held: %+v, %v", h, err)
	}
	if !h.Began(began) || h.Began(began.Add(-time.Second)) {
		t.Errorf("%+v: which run it is cannot be told", h)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	h, err = ReadHolder(dir)
	if err != nil || h.Held || h.Began(began) {
		t.Errorf("after the run: %+v, %v", h, err)
	}
}

// Whoever only looks never keeps a run from beginning, and a second run is refused.
func TestLockAndReaders(t *testing.T) {
	dir := t.TempDir()
	first, err := lock(t.Context(), dir, "run", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var refused *LockedError
	if _, err := lock(t.Context(), dir, "import", time.Now()); !errors.As(err, &refused) || !strings.Contains(refused.Holder, "tallyman run") {
		t.Errorf("a second run: %v", err)
	}
	if err := first(); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := ReadHolder(dir); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for range 100 {
		unlock, err := lock(t.Context(), dir, "run", time.Now())
		if err != nil {
			t.Errorf("a reader was in the way: %v", err)
			break
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	readers.Wait()
}
