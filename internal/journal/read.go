package journal

import (
	"context"
	"crypto/sha256"

	"tallyman/formats"
)

// Line is one line of a journal. Raw and Record.Body are valid until the
// callback returns.
type Line struct {
	Path   string                // of the file, as it was opened
	File   string                // its name alone; of a segment the one it had before it was sealed
	Number int64                 // from 1
	Offset int64                 // of its first byte in the file, uncompressed
	Raw    []byte                // without the newline
	Record formats.JournalRecord // bare and the whole line if Err is set
	Err    error                 // meant as a record of a journal, and none

	Signature Verdict             // Unverified unless secrets were given
	Event     formats.EventFields // of the body, if a key was given

	whole bool              // it ended with a newline
	blank bool              // it holds no text
	cut   bool              // it is longer than maxLine: Raw is its beginning
	sum   [sha256.Size]byte // of Raw, if it is chained
}

// Ref returns file:line, the journal_ref of payments.csv.
func (l Line) Ref() string { return l.position().text() }

func (l Line) position() position { return position{l.File, l.Number, l.Offset} }

// FileSummary is what was read of one file.
type FileSummary struct {
	Path   string // as it was opened
	SHA256 string // of the bytes on disk that were there when it was read, in hex
	Lines  int64  // whole lines, blank ones included
}

// Summary is what was found on the way through a journal. It is complete only
// if it came without an error.
type Summary struct {
	Files       []FileSummary // in the order in which they were read
	Lines       int64         // handed to the callback
	Seq         int64         // number of the last line of the chain; 0 if there is none
	Hash        string        // its SHA-256 in hex; empty if there is none
	Torn        *Finding      // the torn tail; it is in Damage too
	Damage      []Finding     // in the order found, at most 1,000
	DamageCount int64         // of all
	Notices     []Finding     // nothing to fix
}

// Read hands every line of a journal to fn, in order: of a file, or of the
// *.jsonl, *.jsonl.gz and *.jsonl.zst of a directory by name. Lines without any
// text are passed over. It stops with the first error of fn, of ctx, or of
// reading a file that is not compressed. A path that does not exist is an error.
//
// The path is one chain. Lines that are chained are checked on the way, against
// HEAD too where the directory has one; damage does not stop the reading. A
// last line without a newline is a torn tail and is not handed out, unless it
// is a JSON object in a file without a chain: others leave the newline out.
func Read(ctx context.Context, path string, fn func(Line) error) (Summary, error) {
	s, err := newScan(path, fn)
	if err != nil {
		return Summary{}, err
	}
	return s.run(ctx)
}

// ReadBatches is Read for who takes lines by the batch.
func ReadBatches(ctx context.Context, path string, work Work) (Summary, error) {
	s, err := newScan(path, nil)
	if err != nil {
		return Summary{}, err
	}
	s.work, s.known = work, append(s.known, work.Known...)
	if work.Ours {
		s.wantHead()
	}
	return s.run(ctx)
}
