package nightly

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	Profile   *Profile       `json:"profile,omitempty"` // not of a file with a fault
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

// CheckOptions say how much a check tells.
type CheckOptions struct {
	Problems int    // how many problems are kept one by one; all are counted
	Rejects  string // path of a file for the rejected records, as an import writes it; empty: none
}

// Check reads a customer file as an import does and says what is wrong with it, but knows no records and speaks to nobody.
// A file that cannot be opened, or is no regular file, is an *InputError.
func Check(ctx context.Context, path string, files config.Files, o CheckOptions) (result *CheckResult, err error) {
	before, err := regular(path)
	if err != nil {
		return nil, &InputError{err}
	}
	scratch, err := os.MkdirTemp("", "tallyman-check-")
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	result = &CheckResult{File: path, Problems: []CheckProblem{}, Rules: []RuleCount{}}
	err = result.read(ctx, files, o, scratch)
	if fault, ok := errors.AsType[*formats.FileError](err); ok {
		*result = CheckResult{File: path, Problems: []CheckProblem{}, Rules: []RuleCount{}}
		result.Fault = &CheckProblem{Line: fault.Line, Column: fault.Column, Rule: fault.Rule, Remedy: fault.Remedy}
		return result, nil
	}
	if wrong, ok := errors.AsType[*InputError](err); ok {
		return nil, wrong
	}
	if errors.Is(err, os.ErrPermission) {
		return nil, &InputError{err}
	}
	if after, statErr := regular(path); err == nil && (statErr != nil || after != before) {
		return nil, fmt.Errorf("%s changed while it was being checked: check it again when it stands still", path)
	}
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", path, err)
	}
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

// read unpacks the file, reads it once, and sums up.
func (r *CheckResult) read(ctx context.Context, files config.Files, o CheckOptions, scratch string) error {
	keys, err := pgpKeys(files)
	if err != nil {
		return err
	}
	f := customerFile{name: filepath.Base(r.File), path: r.File}
	if err := f.vouch(ctx, r.File); err != nil {
		return err
	}
	if f.fault != nil {
		return f.fault
	}
	plain, err := unpackFile(ctx, f.path, f.name, scratch, keys)
	if err != nil {
		return err
	}
	c := &check{result: r, limit: o.Problems, repeats: formats.NewRepeats(scratch)}
	defer func() { _ = c.repeats.Close() }()
	err = withRecords(plain, customerOptions(files), func(records *formats.CustomerReader) error { return c.records(ctx, records) })
	if err != nil {
		return err
	}
	if err := c.judge(); err != nil {
		return err
	}
	r.Notes = append(f.notes(plain, c.proven), c.notes...)
	if o.Rejects == "" {
		return nil
	}
	return writeFile(o.Rejects, func(w io.Writer) error {
		return withRecords(plain, customerOptions(files), func(records *formats.CustomerReader) error { return c.writeRejects(ctx, records, w) })
	})
}

// check gathers what a reading shows.
type check struct {
	result    *CheckResult
	limit     int
	repeats   *formats.Repeats
	conflicts []formats.Repeat // records that are fine by themselves and ruled out by others, in file order
	notes     []string
	proven    bool // a trailer counted the records
}

// withRecords opens the file for f, and closes it.
func withRecords(plain plainFile, options formats.CustomerOptions, f func(*formats.CustomerReader) error) (err error) {
	src, err := plain.open()
	if err != nil {
		return fmt.Errorf("open customer file: %w", err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	records, err := formats.NewCustomerReader(src, options)
	if err != nil {
		return err
	}
	defer records.Close()
	return f(records)
}

// records reads the file once.
func (c *check) records(ctx context.Context, records *formats.CustomerReader) error {
	r, profile := c.result, &Profile{Encoding: string(records.Encoding()), Delimiter: string(records.Delimiter()), Currencies: []CurrencyTotal{}}
	for {
		record, err := records.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if r.Read++; r.Read%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := c.repeats.Add(record); err != nil {
			return err
		}
		if len(record.Problems) == 0 {
			profile.add(&record.Customer)
			continue
		}
		r.Rejected++
		for _, p := range record.Problems {
			r.add(CheckProblem{Line: p.Line, Column: p.Column, Rule: p.Rule, Remedy: p.Remedy}, c.limit)
		}
	}
	profile.finish()
	r.Profile, c.proven = profile, records.Proven()
	c.notes = notes(&importer.Survey{Records: r.Read, UnknownColumns: records.UnknownColumns(), BlankLines: records.BlankLines()})
	return nil
}

// judge settles what only the whole file shows: records that repeat each other.
func (c *check) judge() error {
	found, err := c.repeats.Find()
	if err != nil {
		return err
	}
	r := c.result
	for _, again := range found {
		switch {
		case again.Faulty:
		case again.Conflict:
			r.Rejected++
			c.conflicts = append(c.conflicts, again)
			r.count(formats.ConflictingRows)
		default:
			r.Duplicate++
		}
	}
	r.Good = r.Read - r.Duplicate - r.Rejected
	for _, again := range c.conflicts[:min(len(c.conflicts), c.limit)] {
		r.Problems = append(r.Problems, CheckProblem{Line: again.Line, Column: "external_reference", Rule: formats.ConflictingRows, Remedy: again.Remedy()})
	}
	slices.SortStableFunc(r.Problems, func(a, b CheckProblem) int { return a.Line - b.Line })
	r.Problems = r.Problems[:min(len(r.Problems), c.limit)]
	slices.SortFunc(r.Rules, func(a, b RuleCount) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Rule, b.Rule))
	})
	return nil
}

func (r *CheckResult) add(p CheckProblem, limit int) {
	if len(r.Problems) < limit {
		r.Problems = append(r.Problems, p)
	}
	r.count(p.Rule)
}

func (r *CheckResult) count(rule string) {
	i := slices.IndexFunc(r.Rules, func(c RuleCount) bool { return c.Rule == rule })
	if i < 0 {
		i = len(r.Rules)
		r.Rules = append(r.Rules, RuleCount{Rule: rule})
	}
	r.Rules[i].Count++
}
