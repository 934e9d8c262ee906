package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Errors of Open and Append.
var (
	// ErrLocked: another receiver, or a repair, holds the journal.
	ErrLocked = errors.New("the journal is in use by another process: stop that one first")
	// ErrClosed: the writer is closed.
	ErrClosed = errors.New("the journal is closed")
	// ErrBroken: a write or sync failed. Nothing is acknowledged until a new
	// segment has proved to hold what is written to it.
	ErrBroken = errors.New("the journal cannot be written")
	// ErrFull: less than the reserve is left on the file system.
	ErrFull = errors.New("the disk of the journal is full: make room")
	// ErrInvalid: the delivery can stand in no journal: no webhook-id, a header
	// that is not UTF-8, a body over MaxBody.
	ErrInvalid = errors.New("not a delivery that a journal can hold")
)

// Options of a Writer. The zero value is ready for use.
type Options struct {
	Log      *slog.Logger     // nil: nothing is logged
	Now      func() time.Time // time of receipt; nil: time.Now
	Reserve  int64            // bytes to leave free on the file system; 0: 16 MiB
	Remember int              // deliveries to know again, the last so many, at 20 bytes each; 0: 2,097,152

	disk disk
}

const (
	defaultReserve  = 16 << 20
	defaultRemember = 2 << 20 // 419,430 a day over rememberDays; 40 MiB

	// headEvery is how far HEAD may lag behind the last line while the writer
	// runs.
	headEvery = 200 * time.Millisecond

	// proveEvery is how long a broken writer waits before it tries a new segment.
	proveEvery = 5 * time.Second
)

// Writer appends to the journal of one directory, which it holds alone. Its
// methods may be used from several goroutines.
type Writer struct {
	dir   string
	opt   Options
	log   *slog.Logger
	lock  *flock.Flock
	queue chan *appending
	bulk  chan []*appending
	stop  chan struct{} // closed by Close
	done  chan struct{} // closed when the committer has ended
	once  sync.Once
	end   error // of Close

	// The rest belongs to the committer, the only goroutine that writes.
	memory  *memory
	seq     int64
	hash    [sha256.Size]byte // of the last line
	segment segmentFile       // nil: the next line opens a new one
	path    string            // of the segment
	day     time.Time         // of the segment, or of the last one
	size    int64             // bytes of the segment that are synced
	head    int64             // the number that HEAD holds
	headAt  time.Time         // when it was written
	buffer  []byte
	fresh   []*appending

	health  sync.Mutex
	trouble error // why the writer is broken
	proveAt time.Time
	stats   Stats
}

// Stats says how far a writer is.
type Stats struct {
	Seq   int64     // number of the last synced line; 0 if there is none
	Bytes int64     // lines synced since Open
	Last  time.Time // when the last line was received; zero if there is none
}

// Stats returns how far the journal is.
func (w *Writer) Stats() Stats {
	w.health.Lock()
	defer w.health.Unlock()
	return w.stats
}

// Open takes the journal in dir, which it creates if need be, for writing. It
// moves a torn tail aside, goes on with the number and the hash of the last
// line, and remembers the deliveries of the last five days. Damage is logged
// and left as it is: no event is turned away because an old line was changed.
// Where HEAD knows more lines than there are, the chain goes on behind those,
// so that the gap stays in sight and a backup closes it.
//
// It returns ErrLocked if another process has the journal. The context bounds
// the opening only. Close the writer to release the journal.
func Open(ctx context.Context, dir string, opt Options) (*Writer, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Reserve == 0 {
		opt.Reserve = defaultReserve
	}
	if opt.Remember <= 0 {
		opt.Remember = defaultRemember
	}
	if opt.disk == nil {
		opt.disk = realDisk{}
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	lock, err := takeLock(ctx, dir)
	if err != nil {
		return nil, err
	}
	w := &Writer{
		dir: dir, opt: opt, log: opt.Log, lock: lock, memory: newMemory(opt.Remember),
		queue: make(chan *appending), bulk: make(chan []*appending), stop: make(chan struct{}), done: make(chan struct{}),
	}
	if err := w.resume(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal %s: %w", dir, err), lock.Close())
	}
	go w.run()
	return w, nil
}

// position returns number and hash, in hex, of the last line. It is for the
// committer alone.
func (w *Writer) position() (int64, string) { return w.seq, hex.EncodeToString(w.hash[:]) }

// Health returns nil if the journal takes events, and else why it does not.
func (w *Writer) Health() error {
	select {
	case <-w.stop:
		return ErrClosed
	default:
	}
	if err := w.brokenBy(); err != nil {
		return err
	}
	return w.room()
}

func (w *Writer) brokenBy() error {
	w.health.Lock()
	defer w.health.Unlock()
	return w.trouble
}

// room returns ErrFull if less than the reserve is free.
func (w *Writer) room() error {
	if w.opt.Reserve < 0 {
		return nil
	}
	free, err := w.opt.disk.free(w.dir)
	if err != nil {
		return fmt.Errorf("%w: free space of %s: %w", ErrBroken, w.dir, err)
	}
	if free < uint64(w.opt.Reserve) {
		return fmt.Errorf("%w (%s has %d bytes left, %d are kept free)", ErrFull, w.dir, free, w.opt.Reserve)
	}
	return nil
}

// Close finishes what was handed to Append, brings HEAD up to the last line and
// releases the journal. It may be called twice.
func (w *Writer) Close() error {
	w.once.Do(func() {
		close(w.stop)
		<-w.done
		w.end = errors.Join(w.endSegment(), w.writeHead(), w.lock.Close())
		if w.end != nil {
			w.end = fmt.Errorf("close journal %s: %w", w.dir, w.end)
		}
	})
	return w.end
}

// endSegment closes the segment, whose lines are synced.
func (w *Writer) endSegment() error {
	if w.segment == nil {
		return nil
	}
	err := w.segment.Close()
	w.segment = nil
	return err
}

// writeHead replaces HEAD if it is behind.
func (w *Writer) writeHead() error {
	if w.head == w.seq {
		return nil
	}
	seq, hash := w.position()
	w.headAt = time.Now()
	if err := w.opt.disk.writeHead(filepath.Join(w.dir, headName), Witness{Seq: seq, Hash: hash}.text()); err != nil {
		return fmt.Errorf("write journal head: %w", err)
	}
	w.head = seq
	return nil
}
