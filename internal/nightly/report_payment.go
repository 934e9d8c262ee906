package nightly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"tallyman/formats"
	"tallyman/internal/journal"
	"tallyman/reconciler"
)

// inputNames are the names by which a report calls its journal files: the base name, so that a report is the same
// wherever the files stand, or the whole path of a file whose base name another one has already.
type inputNames map[string]string

func (n inputNames) of(path string) string {
	base := usualName(path)
	if first, taken := n[base]; taken && first != path {
		return path
	}
	n[base] = path
	return base
}

// usualName is the name of a file whose base name no other one has.
func usualName(path string) string {
	base := filepath.Base(path)
	if filepath.Base(filepath.Dir(path)) == journal.ImportedName {
		return journal.ImportedName + "/" + base
	}
	return base
}

// file returns what stands before the number of the line in a journal_ref. A segment keeps the name it had before it was
// sealed, so that a reference stays true.
func (n inputNames) file(line *journal.Line) string { return fileIn(n.of(line.Path), line) }

// usualFile is what that is nearly always.
func usualFile(line *journal.Line) string { return fileIn(usualName(line.Path), line) }

func fileIn(name string, line *journal.Line) string {
	return strings.TrimSuffix(name, filepath.Base(name)) + line.File
}

// journalRead is what was found on the way through the journals.
type journalRead struct {
	inputs        []formats.SummaryInput
	seq           int64
	hash          string
	damaged, torn bool
}

// paths returns the journals that are read, in order: what was received counts before what was imported.
func (q ReportRequest) paths() []string {
	if !q.Optional {
		return q.Journals
	}
	var paths []string
	for _, path := range q.Journals {
		paths = append(paths, path, filepath.Join(path, journal.ImportedName))
	}
	return paths
}

// payments gives the engine every line of the journals, and writes payments.csv on the way.
func (r *Reporter) payments(ctx context.Context, engine *reconciler.Reconciler, q ReportRequest) (read journalRead, err error) {
	err = q.fileWriter()(filepath.Join(q.Out, "payments.csv"), func(w io.Writer) error {
		rows, err := formats.NewPaymentWriter(w)
		if err != nil {
			return err
		}
		if err := rows.Flush(); err != nil { // the header; the rows are put together elsewhere
			return err
		}
		way := newWay(q.paths())
		for _, path := range q.paths() {
			work := q.reading(path)
			summary, err := r.place(ctx, engine, path, work, way, w)
			if q.Optional && errors.Is(err, fs.ErrNotExist) {
				summary, err = gone(work.Known), nil
			}
			if err != nil {
				return err
			}
			if len(summary.Files) == 0 && !q.Optional {
				return &InputError{fmt.Errorf("%s holds no journal: it needs files named *.jsonl, *.jsonl.gz or *.jsonl.zst", path)}
			}
			if err := read.add(engine, path, summary, way.names); err != nil {
				return err
			}
		}
		return nil
	})
	return read, err
}

// add takes over what one journal says of itself.
func (read *journalRead) add(engine *reconciler.Reconciler, path string, s journal.Summary, names inputNames) error {
	imported := filepath.Base(path) == journal.ImportedName
	for _, f := range s.Files {
		read.inputs = append(read.inputs, formats.SummaryInput{Path: names.of(f.Path), SHA256: f.SHA256, Lines: f.Lines})
	}
	if s.Hash != "" && !imported { // the chain of what was received is the one that the next report goes on from
		read.seq, read.hash = s.Seq, s.Hash
	}
	reasons := map[journal.Kind]string{journal.TornTail: formats.ReasonTornTail, journal.StartsLate: formats.ReasonStartsLate}
	for _, f := range slices.Concat(s.Damage, s.Notices) {
		reason, ok := reasons[f.Kind]
		switch {
		case ok:
			read.torn = read.torn || f.Kind == journal.TornTail
		case f.Kind == journal.BeingWritten, f.Kind == journal.ForeignFile:
			continue
		default:
			reason, read.damaged = formats.ReasonJournalDamaged, true
		}
		identity := fmt.Sprintf("%s %s:%d", f.Kind, f.File, f.Line)
		if imported {
			f.File = journal.ImportedName + "/" + f.File
			identity = journal.ImportedName + " " + identity
		}
		if err := engine.Find(reconciler.Finding{Reason: reason, Identity: identity, Detail: f.String()}); err != nil {
			return err
		}
	}
	return nil
}
