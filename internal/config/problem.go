package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a configuration.
type Problem struct {
	// File is the configuration file as it was named to Load.
	File string `json:"file"`
	// Line and Column begin at 1; both are 0 if the file could not be read.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Key is dotted, such as "api.rate" or "receiver.secrets[0]"; empty if the
	// problem is with the file as such.
	Key string `json:"key,omitempty"`
	// Message says what is wrong, Remedy what to do about it. Neither holds a
	// secret.
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// String returns the problem on one line.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + " ")
	}
	b.WriteString(p.Message)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// Error is everything wrong with a configuration, in the order of the file.
type Error struct {
	Problems []Problem
	cause    error
}

// Error returns the problems, a line each.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns why the file could not be read, such as fs.ErrNotExist; nil if
// it could be.
func (e *Error) Unwrap() error { return e.cause }

// finding is a problem that may be none for a command that does not use the
// section it is in.
type finding struct {
	Problem
	only Section
}

// report collects findings while a file is read and checked.
type report struct {
	file     string
	findings []finding
}

func (r *report) add(at mark, only Section, key, message, remedy string) {
	r.findings = append(r.findings, finding{
		Problem: Problem{File: r.file, Line: at.line, Column: at.column, Key: key, Message: message, Remedy: remedy},
		only:    only,
	})
}

// err returns what matters to a command that needs these sections.
func (r *report) err(need Section) error {
	var list []Problem
	for _, f := range r.findings {
		if f.only == 0 || need.Has(f.only) {
			list = append(list, f.Problem)
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{Problems: list}
}
