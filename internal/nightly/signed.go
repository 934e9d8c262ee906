package nightly

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tallyman/formats"
	"tallyman/internal/ledger"
	"tallyman/internal/overview"
)

// period is what reports are compared by; empty for one that has no period.
func period(s formats.Summary) string {
	if s.From == "" && s.To == "" {
		return ""
	}
	return s.From + "/" + s.To
}

// signedFigures are what a person signs for: the control totals of each currency, the breaks, and each customer's position.
func signedFigures(o *overview.Overview) []ledger.Figure {
	var list []ledger.Figure
	for _, t := range o.Summary.RollForward {
		list = append(list,
			ledger.Figure{Name: t.Currency + " opening", Value: t.Opening}, ledger.Figure{Name: t.Currency + " billed", Value: t.Billed},
			ledger.Figure{Name: t.Currency + " paid", Value: t.Paid}, ledger.Figure{Name: t.Currency + " closing", Value: t.Closing})
	}
	var breaks int64
	for _, g := range o.Summary.Exceptions {
		if g.Severity == formats.SeverityBreak {
			breaks += g.Count
		}
	}
	return append(list, ledger.Figure{Name: "breaks", Value: fmt.Sprint(breaks)}, ledger.Figure{Name: positions, Value: o.Positions})
}

// positions is the name of the figure that is a hash.
const positions = "positions of single customers"

// Moved compares what was signed with what is now. That single customers' positions moved is told only where no total
// did: it would say the same twice.
func Moved(signed, now []ledger.Figure) []overview.Moved {
	moved := []overview.Moved{}
	old := map[string]string{}
	for _, f := range signed {
		old[f.Name] = f.Value
	}
	differ := func(name, was, is string) {
		if was == is || (name == positions && len(moved) > 0) {
			return
		}
		if name == positions {
			was, is = "as signed", "other figures"
		}
		moved = append(moved, overview.Moved{Figure: name, Signed: was, Now: is})
	}
	seen := map[string]bool{}
	for _, f := range now {
		seen[f.Name] = true
		if was, known := old[f.Name]; known {
			differ(f.Name, was, f.Value)
		} else {
			differ(f.Name, "nothing", f.Value)
		}
	}
	for _, f := range signed {
		if !seen[f.Name] {
			differ(f.Name, f.Value, "nothing")
		}
	}
	return moved
}

// signed returns the last signature for the report's period, and what has moved since; nil if nobody has signed.
func (r *Reporter) signed(ctx context.Context, o *overview.Overview) (*overview.Signed, error) {
	p := period(o.Summary)
	if r.Ledger == nil || p == "" {
		return nil, nil
	}
	found, err := r.Ledger.Signatures(ctx, p)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return SignedStory(found[0], signedFigures(o)), nil
}

// SignedStory tells a signature, and what has moved since.
func SignedStory(s ledger.Signature, now []ledger.Figure) *overview.Signed {
	return &overview.Signed{By: s.By, Note: s.Note, At: s.SignedAt, Run: s.Report.Name, Moved: Moved(s.Report.Figures, now)}
}

// record puts the report on record with its files' hashes, so that it can be signed. A report without a ledger, or without
// a period, cannot.
func (r *Reporter) record(ctx context.Context, report *Report, o *overview.Overview) error {
	if r.Ledger == nil || r.Rendering.Written == nil || period(o.Summary) == "" {
		return nil
	}
	files, err := hashFiles(report.Dir, report.Files)
	if err != nil {
		return err
	}
	name, err := filepath.Abs(report.Dir)
	if err != nil {
		return fmt.Errorf("record report: %w", err)
	}
	return r.Ledger.RecordReport(ctx, ledger.WrittenReport{
		Name: filepath.Base(name), BusinessDate: o.Summary.BusinessDate, Period: period(o.Summary), Files: files, Figures: signedFigures(o),
		WrittenAt: r.Rendering.Written(),
	})
}

// hashFiles returns the SHA-256 of files in a directory.
func hashFiles(dir string, names []string) ([]ledger.ReportFile, error) {
	var list []ledger.ReportFile
	for _, name := range names {
		sum, err := sha256Of(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		list = append(list, ledger.ReportFile{Name: name, SHA256: sum})
	}
	return list, nil
}

func sha256Of(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hash file: %w", err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("hash file: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// FindWritten returns the report on record that a directory holds. One that this ledger does not know, and one whose files
// are no longer as they were written, is an *InputError that says which and what to do.
func FindWritten(ctx context.Context, l *ledger.Ledger, dir string) (ledger.WrittenReport, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return ledger.WrittenReport{}, &InputError{err}
	}
	if _, err := os.Stat(filepath.Join(abs, "summary.json")); err != nil {
		return ledger.WrittenReport{}, &InputError{fmt.Errorf("%s is no report: %w: name the directory that holds summary.json", dir, err)}
	}
	known, err := l.ReportsNamed(ctx, filepath.Base(abs))
	if err != nil {
		return ledger.WrittenReport{}, err
	}
	var first []string
	for _, r := range known {
		changed, err := differing(abs, r.Files)
		if err != nil {
			return r, err
		}
		if len(changed) == 0 {
			return r, nil
		}
		if first == nil {
			first = changed
		}
	}
	if first == nil {
		return ledger.WrittenReport{}, &InputError{fmt.Errorf("%s was not written from this ledger, so nobody can tell whether it is as it was: sign a report that tallyman run or tallyman reconcile --date has written", dir)}
	}
	return ledger.WrittenReport{}, &InputError{fmt.Errorf("%s is not as it was written: %s: write the report anew with tallyman reconcile --date, which takes over owners and comments, and sign that one", dir, strings.Join(first, ", "))}
}

// differing names the files that are not as they were written.
func differing(dir string, files []ledger.ReportFile) ([]string, error) {
	var list []string
	for _, f := range files {
		sum, err := sha256Of(filepath.Join(dir, f.Name))
		switch {
		case errors.Is(err, os.ErrNotExist):
			list = append(list, f.Name+" is missing")
		case err != nil:
			return nil, err
		case sum != f.SHA256:
			list = append(list, f.Name+" was changed")
		}
	}
	return list, nil
}

// NeedsPerson lists, in words, what of a report needs one: breaks, and figures that are no longer those that were signed.
func (report *Report) NeedsPerson() []string {
	var needs []string
	switch report.Breaks {
	case 0:
	case 1:
		needs = append(needs, fmt.Sprintf("the report has 1 break: see %s", filepath.Join(report.Dir, "exceptions.csv")))
	default:
		needs = append(needs, fmt.Sprintf("the report has %d breaks: see %s", report.Breaks, filepath.Join(report.Dir, "exceptions.csv")))
	}
	if s := report.Signed; s != nil && len(s.Moved) > 0 {
		needs = append(needs, fmt.Sprintf("the figures for %s have moved since %s signed them (%s): look at what changed, then tallyman sign --report %s --by NAME",
			report.Summary.BusinessDate, s.By, s.Story(), report.Dir))
	}
	return needs
}
