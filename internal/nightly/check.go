package nightly

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/config"
)

// CheckResult is what an import would find wrong with a customer file before it sends anything.
type CheckResult struct {
	File      string         `json:"file"`            // as it was named
	Fault     *CheckProblem  `json:"fault,omitempty"` // of the whole file: none of its records would be imported
	Read      int            `json:"read"`
	Good      int            `json:"good"`
	Duplicate int            `json:"duplicate"`
	Rejected  int            `json:"rejected"`
	Problems  []CheckProblem `json:"problems"` // the first ones, in file order
	Rules     []RuleCount    `json:"rules"`    // every problem, the most frequent rule first
	Notes     []string       `json:"notes,omitempty"`
}

// CheckProblem is one thing that is wrong. It never holds the value in the file, which may be personal data.
type CheckProblem struct {
	Line   int    `json:"line,omitempty"`   // physical, the header being 1; 0 for the file as such
	Column string `json:"column,omitempty"` // empty for the whole record
	Rule   string `json:"rule"`
	Remedy string `json:"remedy"`
}

// RuleCount says how often a rule was broken. A record may break several.
type RuleCount struct {
	Rule  string `json:"rule"`
	Count int    `json:"count"`
}

// Clean reports whether every record would be imported.
func (r *CheckResult) Clean() bool { return r.Fault == nil && r.Rejected == 0 }

// Check reads a customer file as an import does and decides by the same code, but knows no records and speaks to nobody.
// It keeps up to limit problems. A file that cannot be opened, or is no regular file, is an *InputError.
func Check(ctx context.Context, path string, files config.Files, limit int) (*CheckResult, error) {
	before, err := regular(path)
	if err != nil {
		return nil, &InputError{err}
	}
	result := &CheckResult{File: path, Problems: []CheckProblem{}, Rules: []RuleCount{}}
	file := importer.File{
		Open: func() (io.ReadCloser, error) { return os.Open(path) }, Customs: customerOptions(files), Ledger: noRecords{},
	}
	im := importer.New(nil, importer.Options{Existing: importer.Update, DryRun: true, Now: time.Now})
	survey, err := im.Survey(ctx, file)
	var fault *formats.FileError
	switch {
	case errors.As(err, &fault):
		result.Fault = &CheckProblem{Line: fault.Line, Column: fault.Column, Rule: fault.Rule, Remedy: fault.Remedy}
		return result, nil
	case errors.Is(err, os.ErrPermission):
		return nil, &InputError{err}
	case err != nil:
		return nil, fmt.Errorf("check %s: %w", path, err)
	}
	err = result.collect(ctx, im, file, survey, limit)
	if after, statErr := regular(path); statErr != nil || after != before {
		return nil, fmt.Errorf("%s changed while it was being checked: check it again when it stands still", path)
	}
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", path, err)
	}
	result.Notes = notes(survey)
	return result, nil
}

// stamp tells whether a file was written to.
type stamp struct {
	size int64
	time time.Time
}

func regular(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, fmt.Errorf("open customer file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return stamp{}, fmt.Errorf("open customer file: %s is no regular file: name the files themselves", path)
	}
	return stamp{info.Size(), info.ModTime()}, nil
}

// collect walks the records beside the outcomes that a dry run gives them.
func (r *CheckResult) collect(ctx context.Context, im *importer.Importer, file importer.File, survey *importer.Survey, limit int) error {
	pipe, outcomes := io.Pipe()
	g, ctx := errgroup.WithContext(ctx)
	var account *importer.Account
	g.Go(func() (err error) {
		account, err = im.Account(ctx, file, survey, outcomes, io.Discard)
		outcomes.CloseWithError(err)
		return err
	})
	g.Go(func() error {
		err := r.problems(file, csv.NewReader(pipe), limit)
		pipe.CloseWithError(err)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	r.Read, r.Duplicate, r.Rejected = account.Read, account.Counts[formats.Duplicate], account.Counts[formats.Rejected]
	r.Good = r.Read - r.Duplicate - r.Rejected
	slices.SortFunc(r.Rules, func(a, b RuleCount) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Rule, b.Rule)
	})
	return nil
}

// problems reads the records once more, each with its row of the outcome file.
func (r *CheckResult) problems(file importer.File, outcomes *csv.Reader, limit int) (err error) {
	src, err := file.Open()
	if err != nil {
		return fmt.Errorf("open customer file: %w", err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	records, err := formats.NewCustomerReader(src, file.Customs)
	if err != nil {
		return err
	}
	outcomes.ReuseRecord = true
	header, err := outcomes.Read()
	if err != nil {
		return fmt.Errorf("read outcomes: %w", err)
	}
	line, outcome, reason, detail := slices.Index(header, "line"), slices.Index(header, "outcome"), slices.Index(header, "reason"), slices.Index(header, "detail")
	if min(line, outcome, reason, detail) < 0 {
		return fmt.Errorf("read outcomes: the header %q lacks a column", header)
	}
	for {
		row, err := outcomes.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read outcomes: %w", err)
		}
		record, err := records.Next()
		if err != nil {
			return err
		}
		if at := strconv.Itoa(record.Line); row[line] != at {
			return fmt.Errorf("the outcome of line %s stands in the place of line %s", row[line], at)
		}
		for _, p := range record.Problems {
			r.add(CheckProblem{Line: p.Line, Column: p.Column, Rule: p.Rule, Remedy: p.Remedy}, limit)
		}
		if len(record.Problems) == 0 && row[outcome] == string(formats.Rejected) {
			r.add(ofRecord(record.Line, row[reason], row[detail]), limit)
		}
	}
}

// ofRecord is the problem of a record that is fine by itself: the others of its file rule it out.
func ofRecord(line int, rule, detail string) CheckProblem {
	p := CheckProblem{Line: line, Rule: rule, Remedy: detail}
	if column, rest, ok := strings.Cut(detail, ": "); ok && column == "external_reference" {
		p.Column, p.Remedy = column, rest
	}
	return p
}

func (r *CheckResult) add(p CheckProblem, limit int) {
	if len(r.Problems) < limit {
		r.Problems = append(r.Problems, p)
	}
	i := slices.IndexFunc(r.Rules, func(c RuleCount) bool { return c.Rule == p.Rule })
	if i < 0 {
		r.Rules = append(r.Rules, RuleCount{Rule: p.Rule})
		i = len(r.Rules) - 1
	}
	r.Rules[i].Count++
}
