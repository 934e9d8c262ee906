package durable

import (
	"errors"
	"io"
	"sync"
)

// writeBackBytes is how much of a file may be written before it is begun to be synced.
const writeBackBytes = 32 << 20

// syncFile is what a write-back needs of a file.
type syncFile interface {
	io.Writer
	Sync() error
}

// writeBack has a large file synced while it is still being written, so that its end need not wait for all of it.
type writeBack struct {
	file     syncFile
	every    int // bytes
	unsynced int
	busy     chan struct{} // holds something while a sync is on
	group    sync.WaitGroup

	mutex sync.Mutex
	err   error
}

func newWriteBack(file syncFile, every int) *writeBack {
	return &writeBack{file: file, every: every, busy: make(chan struct{}, 1)}
}

func (b *writeBack) Write(p []byte) (int, error) {
	n, err := b.file.Write(p)
	if b.unsynced += n; b.unsynced < b.every || err != nil {
		return n, err
	}
	select {
	case b.busy <- struct{}{}:
		b.unsynced = 0
		b.group.Go(func() {
			b.note(b.file.Sync())
			<-b.busy
		})
	default: // the disk is slower than we are; what is left is synced at the end
	}
	return n, nil
}

// note keeps an error: a system tells the failure of a write only once, to whoever syncs next.
func (b *writeBack) note(err error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.err = errors.Join(b.err, err)
}

// end waits until no sync is on. It returns what went wrong with those there were.
func (b *writeBack) end() error {
	b.group.Wait()
	return b.err
}
