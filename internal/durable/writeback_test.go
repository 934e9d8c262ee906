package durable

import (
	"bytes"
	"errors"
	"sync"
	"testing"
)

// slowDisk is a file whose syncs take until they are let go.
type slowDisk struct {
	bytes.Buffer
	begun, finish chan struct{}
	once          sync.Once
	err           error
}

func (d *slowDisk) Sync() error {
	d.begun <- struct{}{}
	<-d.finish
	var err error
	d.once.Do(func() { err = d.err })
	return err
}

// A large file is synced while it is written, once at a time, and a sync that fails is told at the end, though the next
// one succeeds.
func TestWriteBack(t *testing.T) {
	broken := errors.New("broken")
	disk := &slowDisk{begun: make(chan struct{}, 8), finish: make(chan struct{}), err: broken}
	b := newWriteBack(disk, 10)
	write := func() {
		t.Helper()
		if _, err := b.Write(make([]byte, 6)); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if len(disk.begun) != 0 {
		t.Error("a few bytes were synced")
	}
	write()
	<-disk.begun
	for range 4 {
		write() // beside the sync, and without another one
	}
	if len(disk.begun) != 0 {
		t.Error("two syncs at a time")
	}
	close(disk.finish)
	b.group.Wait()
	write()
	<-disk.begun
	if err := b.end(); !errors.Is(err, broken) || disk.Len() != 42 {
		t.Errorf("%v, %d bytes", err, disk.Len())
	}
}
