package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tallyman/formats"
)

// ImportedName is the directory, inside a journal's own, of the events that
// other receivers logged. It is a journal too, with segments by the day of the
// import, a chain and a HEAD of its own, so that nothing in it can pass for
// something that was received here.
const ImportedName = "imported"

// ErrOwnJournal: a journal was to be imported into itself.
var ErrOwnJournal = errors.New("these are the journal's own lines, and need no import")

// ImportOptions of Import.
type ImportOptions struct {
	Secrets Secrets          // prove what carries its headers; without any nothing is proved
	Log     *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // nil: time.Now
}

// Imported says what Import has done.
type Imported struct {
	Lines      int64     // read; each is in exactly one of the next three
	Added      int64     // new here, and synced
	Known      int64     // here already, the same webhook-id and body
	Refused    []Finding // no events, the first 1,000; not added
	RefusedAll int64
	Verified   int64     // of Added: a secret at hand made the signature
	Damage     []Finding // of the files, if they are a chained journal; what could be read was added
	DamageAll  int64
}

// Kinds of what Import refuses.
const (
	NoEvent Kind = "no_event" // no JSON object, or a record that says nothing clear
	Forged  Kind = "forged"   // the record names a secret at hand, and that one did not make the signature
)

// Import takes events that another receiver logged into the journal in dir,
// under ImportedName: files, or directories of them, as Read takes them, with a
// bare event or a record of a journal in each line. What a record tells of its
// receipt is kept; what it does not tell, a bare event above all, is left empty,
// and the time of receipt zero.
//
// A line is unverified unless its headers are there and a secret at hand made
// the signature. An event that was imported before, by webhook-id and body, is
// not added again, so a file can be imported as often as one likes. Everything
// added is synced when Import returns, also with an error: killed anywhere,
// import the same files again. It returns ErrLocked while another import is at
// work, ErrFull, ErrBroken, or the error of reading. A receiver may be running.
func Import(ctx context.Context, dir string, paths []string, opt ImportOptions) (_ Imported, err error) {
	for _, path := range paths {
		if err := outside(dir, path); err != nil {
			return Imported{}, err
		}
	}
	dir = filepath.Join(dir, ImportedName)
	w, err := Open(ctx, dir, Options{Log: opt.Log, Now: opt.Now, Remember: 1})
	if err != nil {
		return Imported{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	m := &importing{to: w, secrets: opt.Secrets, known: make(map[pair]struct{})}
	if _, err := Read(ctx, dir, func(l Line) error {
		m.known[pairOf(l.Record.WebhookID, l.Record.Body)] = struct{}{}
		return nil
	}); err != nil {
		return Imported{}, err
	}
	for _, path := range paths {
		if err = m.read(ctx, path); err != nil {
			break
		}
	}
	// What was taken in before the error stands there for good.
	err = errors.Join(err, m.flush(context.WithoutCancel(ctx)))
	m.done.Refused, m.done.RefusedAll = m.refused.list, m.refused.count
	m.done.Damage, m.done.DamageAll = m.damage.list, m.damage.count
	return m.done, err
}

// outside makes sure that path is no part of the journal in dir.
func outside(dir, path string) error {
	at, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("import journal: %w", err)
	}
	own, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("import journal: %w", err)
	}
	in, err := os.Stat(own)
	if err != nil {
		return fmt.Errorf("import journal: %w", err)
	}
	for {
		if here, err := os.Stat(at); err == nil && os.SameFile(here, in) {
			return fmt.Errorf("import journal %s: %w", path, ErrOwnJournal)
		}
		up := filepath.Dir(at)
		if up == at || up == "." {
			return nil
		}
		at = up
	}
}

// importing is one import under way.
type importing struct {
	to      *Writer
	secrets Secrets
	known   map[pair]struct{}
	batch   []*appending
	bytes   int
	done    Imported
	refused findings
	damage  findings
}

func (m *importing) read(ctx context.Context, path string) error {
	found, err := Read(ctx, path, func(l Line) error { return m.line(ctx, l) })
	if err != nil {
		return err
	}
	for _, f := range found.Damage {
		if f.Kind != Unparsable { // refused already
			m.damage.add(f.Kind, position{f.File, f.Line, f.Offset}, "%s", f.Detail)
		}
	}
	return nil
}

// line takes one line in, or refuses it.
func (m *importing) line(ctx context.Context, l Line) error {
	m.done.Lines++
	r := l.Record
	if r.Bare {
		r.Body = bytes.TrimSpace(r.Body)
	}
	if kind, why := m.refuses(r, l.Err); why != "" {
		m.refused.add(kind, l.position(), "%s", why)
		return nil
	}
	p := pairOf(r.WebhookID, r.Body)
	if _, ok := m.known[p]; ok {
		m.done.Known++
		return nil
	}
	m.known[p] = struct{}{}
	if key, ok := m.proof(r); ok {
		r.Key = key
		m.done.Verified++
	}
	m.batch = append(m.batch, &appending{
		delivery: Delivery{
			WebhookID: r.WebhookID, Timestamp: r.WebhookTimestamp, Signature: r.WebhookSignature, Key: r.Key,
			Body: bytes.Clone(r.Body),
		},
		pair: p, received: &r.ReceivedAt, done: make(chan struct{}),
	})
	if m.bytes += len(r.Body); len(m.batch) < maxBatch && m.bytes < maxBatchBytes {
		return nil
	}
	return m.flush(ctx)
}

// refuses says why r is no event that the journal takes; the reason is empty if
// it is one.
func (m *importing) refuses(r formats.JournalRecord, err error) (kind Kind, why string) {
	switch {
	case err != nil:
		return NoEvent, err.Error()
	case r.Bare && !isObject(r.Body):
		return NoEvent, "the line is no JSON object"
	case len(r.Body) > MaxBody, len(r.WebhookID)+len(r.WebhookSignature)+len(r.Key) > maxHeaders:
		return NoEvent, "the body or the headers are too long"
	}
	if _, ok := m.proof(r); !ok && m.secrets.Check(r) == Failed {
		return Forged, fmt.Sprintf("the secret %s did not make the signature: the line was changed since it was received", r.Key)
	}
	return "", ""
}

// proof returns the secret at hand that made the signature of r.
func (m *importing) proof(r formats.JournalRecord) (key string, ok bool) {
	return m.secrets.Verify(r.WebhookID, strconv.FormatInt(r.WebhookTimestamp, 10), r.WebhookSignature, r.Body)
}

func isObject(body []byte) bool {
	return bytes.HasPrefix(body, []byte("{")) && json.Valid(body)
}

// flush writes and syncs what was gathered.
func (m *importing) flush(ctx context.Context) error {
	if len(m.batch) == 0 {
		return nil
	}
	batch := m.batch
	m.batch, m.bytes = nil, 0
	if err := m.to.appendBatch(ctx, batch); err != nil {
		return err
	}
	for _, a := range batch {
		if a.err != nil {
			return fmt.Errorf("import journal: %w", a.err)
		}
		m.done.Added++
	}
	return nil
}
