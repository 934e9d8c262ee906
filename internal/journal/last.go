package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"tallyman/formats"
)

// Extent is how much a journal holds, without reading it.
type Extent struct {
	Segments int
	Bytes    int64     // on disk
	Seq      int64     // number of the last line; 0 if there is none, or if that cannot be told without unpacking
	LastAt   time.Time // when the last event was received; zero if that cannot be told without unpacking
}

// Measure looks at the journal in dir, which may be written to meanwhile. A journal that is not there is an empty one.
func Measure(dir string) (Extent, error) {
	var e Extent
	segments, err := Segments(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	e.Segments = len(segments)
	for _, s := range segments {
		e.Bytes += s.Bytes
	}
	for i := len(segments) - 1; i >= 0 && e.LastAt.IsZero() && !segments[i].Compressed; i-- {
		record, err := lastRecord(segments[i].Path)
		if err != nil {
			return e, err
		}
		e.Seq, e.LastAt = record.Seq, record.ReceivedAt
	}
	return e, nil
}

// lastRecord returns the last whole line of a segment; nothing if it has none that can be read.
func lastRecord(path string) (record formats.JournalRecord, err error) {
	f, err := os.Open(path)
	if err != nil {
		return record, fmt.Errorf("read the end of the journal: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return record, fmt.Errorf("read the end of the journal: %w", err)
	}
	for want := int64(64 << 10); ; want *= 4 {
		n := min(want, info.Size())
		tail := make([]byte, n)
		if _, err := f.ReadAt(tail, info.Size()-n); err != nil && !errors.Is(err, io.EOF) {
			return record, fmt.Errorf("read the end of the journal: %w", err)
		}
		whole := tail[:bytes.LastIndexByte(tail, '\n')+1]
		line := bytes.TrimSuffix(whole, []byte("\n"))
		begin := bytes.LastIndexByte(line, '\n')
		if begin < 0 && n < info.Size() {
			continue // the line began earlier; it is bounded by MaxBody
		}
		if record, err = formats.ParseJournalLine(line[begin+1:]); err != nil {
			return formats.JournalRecord{}, nil // damage is for Verify to name
		}
		return record, nil
	}
}
