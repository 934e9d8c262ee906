package proof

import (
	"fmt"
	"strings"
	"testing"
)

// mutant is one guard of ours and what the code is without it.
type mutant struct {
	name string   // what goes wrong without it, in words
	file string   // from the module's root
	old  string   // stands in the file exactly once
	new  string   // what stands there without the guard
	pkg  string   // whose tests must turn red
	run  string   // regular expression of those tests
	args []string // more arguments for them
}

// parseMutants reads a list of blocks:
//
//	# what goes wrong without it
//	file importer/run.go
//	red ./importer ^TestSimulation$ -seeds 300
//	---
//	old text, in any number of lines
//	+++
//	new text, or none
//	===
//
// Text between the blocks is explanation. The last line end of either text is no part of it.
func parseMutants(text string) ([]mutant, error) {
	var list []mutant
	var m *mutant
	var into *string
	for i, line := range strings.Split(text, "\n") {
		switch {
		case m == nil && strings.HasPrefix(line, "# "):
			m = &mutant{name: line[2:]}
		case m == nil:
		case line == "---":
			into = &m.old
		case line == "+++":
			into = &m.new
		case line == "===":
			m.old, m.new = strings.TrimSuffix(m.old, "\n"), strings.TrimSuffix(m.new, "\n")
			if m.file == "" || m.pkg == "" || m.old == "" || m.old == m.new {
				return nil, fmt.Errorf("line %d: the mutant %q is not complete", i+1, m.name)
			}
			list = append(list, *m)
			m, into = nil, nil
		case into != nil:
			*into += line + "\n"
		case strings.HasPrefix(line, "file "):
			m.file = line[len("file "):]
		case strings.HasPrefix(line, "red "):
			words := strings.Fields(line)
			if len(words) < 3 {
				return nil, fmt.Errorf("line %d: write: red PACKAGE TESTS", i+1)
			}
			m.pkg, m.run, m.args = words[1], words[2], words[3:]
		default:
			return nil, fmt.Errorf("line %d: %q stands in no part of a mutant", i+1, line)
		}
	}
	if m != nil {
		return nil, fmt.Errorf("the mutant %q does not end", m.name)
	}
	return list, nil
}

// apply returns the source without the guard.
func (m mutant) apply(source string) (string, error) {
	if n := strings.Count(source, m.old); n != 1 {
		return "", fmt.Errorf("%s: the text of the mutant %q stands there %d times: bring mutants.txt up to date", m.file, m.name, n)
	}
	return strings.Replace(source, m.old, m.new, 1), nil
}

func TestParseMutants(t *testing.T) {
	list, err := parseMutants("words\n\n# a guard\nfile a.go\nred ./a Test -seeds 3\n---\n\tif x {\n+++\n===\n")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	m := list[0]
	if got, err := m.apply("a\n\tif x {\nb\n"); err != nil || got != "a\n\nb\n" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := m.apply("a\nb\n"); err == nil {
		t.Error("text that is not there was replaced")
	}
	if _, err := m.apply(strings.Repeat("\tif x {\n", 2)); err == nil {
		t.Error("text that is there twice was replaced")
	}
	for _, bad := range []string{"# a\nfile a.go\n", "# a\nred ./a\n", "# a\nfile a.go\nred ./a T\n===\n", "# a\nwhat\n"} {
		if _, err := parseMutants(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
