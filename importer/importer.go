package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"tallyman/formats"
)

// Options configure an Importer.
type Options struct {
	Merchant    string // part of every idempotency key
	Mode        string // test or live; part of every idempotency key
	Existing    Policy
	Concurrency int              // records in work at once, at least 1
	DryRun      bool             // decide everything, send and record nothing
	Log         *slog.Logger     // for panics; nothing else is logged. A dry run needs none
	Now         func() time.Time // wall clock, for the age of keys and for records

	// Waits between attempts; the zero value means those of DefaultWaits.
	Waits Waits
	// Progress, if set, is called after each record that is finished, from several goroutines.
	Progress func(formats.Outcome)
}

// Waits are the pauses between attempts for one record. The pace of all requests is not theirs to keep.
type Waits struct {
	First time.Duration // after the first unanswered or failed attempt, doubled each time, with full jitter
	Most  time.Duration // at most
	Stale time.Duration // before a look-up that found nothing is believed: it is asked a second time
	Tries int           // attempts for one record within a run
}

// DefaultWaits returns the pauses that a real API deserves.
func DefaultWaits() Waits {
	return Waits{First: 250 * time.Millisecond, Most: 15 * time.Second, Stale: time.Second, Tries: 8}
}

// Importer imports customer files, one at a time.
type Importer struct {
	options Options
	api     API
}

// New returns an importer. api may be nil for a dry run.
func New(api API, options Options) *Importer {
	if options.Waits == (Waits{}) {
		options.Waits = DefaultWaits()
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	options.Concurrency = max(1, options.Concurrency)
	return &Importer{options: options, api: api}
}

// File is a customer file to import. It must be complete, unchanging and readable any number of times.
type File struct {
	Open    func() (io.ReadCloser, error)
	Customs formats.CustomerOptions
	Scratch string // directory for temporary files
	Ledger  Ledger // the records of this file
	// Look, if set, is shown each record by Survey, in file order. The record is its own until it returns; an error ends the
	// reading.
	Look func(*formats.CustomerRecord) error
	// Since, if set, is the beginning of the file's business date: payments from then on, of which the file could not have
	// known, are taken off its balances before they are sent.
	Since time.Time
	// First keeps Send to so many records at the beginning of the file; 0: all of them.
	First int
}

// StopError says why an import stopped before its end. Everything done so far is on record, and nothing is marked failed
// for it: run the same command again to go on.
type StopError struct {
	// Reason is a short fixed word: credentials_refused, api_gave_up, misconfigured, wrong_answer, interrupted, records_failed,
	// or internal_error for a fault of tallyman itself.
	Reason string
	Err    error
}

func (e *StopError) Error() string { return e.Reason + ": " + e.Err.Error() }

func (e *StopError) Unwrap() error { return e.Err }

// Survey is what one reading of a file shows, before anything is sent.
type Survey struct {
	Records        int
	Rejected       int // those that the file alone rejects: they have problems, or contradict others
	BlankLines     int
	UnknownColumns []string
	Delimiter      rune
	Proven         bool                   // a trailer proves that the file is whole
	repeats        map[int]formats.Repeat // by number
	stopped        string                 // why Send stopped at an answer of the API; empty: it did not
}

// Survey reads the whole file and finds its faults. A fault of the file is a *formats.FileError: nothing of it may be
// sent.
func (im *Importer) Survey(ctx context.Context, f File) (s *Survey, err error) {
	r, closer, err := f.open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	found := formats.NewRepeats(f.Scratch)
	defer func() { err = errors.Join(err, found.Close()) }()
	s = &Survey{UnknownColumns: r.UnknownColumns(), Delimiter: r.Delimiter()}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := found.Add(record); err != nil {
			return nil, err
		}
		if len(record.Problems) > 0 {
			s.Rejected++
		}
		if f.Look != nil {
			if err := f.Look(record); err != nil {
				return nil, err
			}
		}
		if s.Records++; s.Records%1024 == 0 && ctx.Err() != nil {
			return nil, &StopError{Reason: "interrupted", Err: ctx.Err()}
		}
	}
	s.BlankLines, s.Proven = r.BlankLines(), r.Proven()
	again, err := found.Find()
	s.repeats = make(map[int]formats.Repeat, len(again))
	for _, a := range again {
		s.repeats[a.Number] = a
		if a.Conflict && !a.Faulty {
			s.Rejected++
		}
	}
	return s, err
}

func (f File) open() (*formats.CustomerReader, io.Closer, error) {
	src, err := f.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("open customer file: %w", err)
	}
	r, err := formats.NewCustomerReader(src, f.Customs)
	if err != nil {
		return nil, nil, errors.Join(err, src.Close())
	}
	return r, opened{r, src}, nil
}

// opened is a file that is being read: what the reader has set going ends before its source does.
type opened struct {
	reader *formats.CustomerReader
	src    io.Closer
}

// Close ends the reading.
func (o opened) Close() error {
	o.reader.Close()
	return o.src.Close()
}
