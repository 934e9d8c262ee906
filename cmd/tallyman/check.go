package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

// checkShown is how many problems of a file are told one by one; the counts tell of all.
const checkShown = 20

func newCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Validate customer files; contact nobody, change nothing",
		Long: `Reads customer files as an import does and says what is wrong with them: the first
20 problems of each with file, line and column, then how often each rule was
broken, and a line that foots.

It needs no configuration; the files section of one that is there counts. Values
are not shown: they may be personal data.`,
		Example: "  tallyman check customers.csv",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCheck(cmd.Context(), a, args)
		},
	}
}

// checkAnswer is what `tallyman check --json` says.
type checkAnswer struct {
	Config string                 `json:"config"` // the configuration that counted; empty: the defaults
	Files  []*nightly.CheckResult `json:"files"`
}

func runCheck(ctx context.Context, a *app, paths []string) error {
	cfg, err := a.optionalConfig(config.SectionFiles)
	if err != nil {
		return err
	}
	if err := supported(cfg); err != nil {
		return err
	}
	answer := checkAnswer{Config: cfg.File()}
	wrong := 0
	var unusable []error
	for _, path := range paths {
		result, err := nightly.Check(ctx, path, cfg.Files, checkShown)
		if _, ok := errors.AsType[*nightly.InputError](err); ok {
			unusable = append(unusable, err)
			continue
		}
		if err != nil {
			return sorted(err)
		}
		if !result.Clean() {
			wrong++
		}
		answer.Files = append(answer.Files, result)
	}
	if len(unusable) > 0 {
		return usage(errors.Join(unusable...))
	}
	if err := a.answer(answer, checkText(answer)); err != nil {
		return err
	}
	if wrong > 0 {
		return needsPerson(fmt.Errorf("%d of %s would not be imported in full: correct the rows above, or import as it is and correct the rejects file", wrong, count(len(paths), "file")))
	}
	return nil
}

// optionalConfig loads the configuration for a command that can do without: with none in the usual place it returns the
// defaults, whose File is empty. One that was asked for by name must be there.
func (a *app) optionalConfig(need config.Section) (*config.Config, error) {
	cfg, err := a.config(need)
	if errors.Is(err, fs.ErrNotExist) && a.configPath() == configName {
		return config.Default(), nil
	}
	return cfg, err
}

// checkText is what a person sees: the problems as a compiler tells them, and what they add up to.
func checkText(answer checkAnswer) string {
	var b strings.Builder
	if answer.Config == "" {
		b.WriteString("no " + configName + " here: checked with the defaults\n")
	}
	for _, f := range answer.Files {
		describeCheck(&b, f)
	}
	return b.String()
}

func describeCheck(b *strings.Builder, f *nightly.CheckResult) {
	name := printable(f.File)
	if f.Fault != nil {
		b.WriteString(problemLine(name, *f.Fault))
		fmt.Fprintf(b, "%s: the whole file would be rejected\n", name)
		return
	}
	problems := 0
	for _, p := range f.Problems {
		b.WriteString(problemLine(name, p))
	}
	var rules []string
	for _, r := range f.Rules {
		problems += r.Count
		rules = append(rules, fmt.Sprintf("%d %s", r.Count, r.Rule))
	}
	if more := problems - len(f.Problems); more > 0 {
		fmt.Fprintf(b, "%s: and %d more\n", name, more)
	}
	for _, note := range f.Notes {
		fmt.Fprintf(b, "%s: note: %s\n", name, printable(note))
	}
	if problems > 0 {
		fmt.Fprintf(b, "%s: %s: %s\n", name, count(problems, "problem"), strings.Join(rules, ", "))
	}
	fmt.Fprintf(b, "%s: read %d = %d good + %d duplicate + %d rejected\n", name, f.Read, f.Good, f.Duplicate, f.Rejected)
}

// problemLine is one problem in a form that editors know: file:line: what, why, what to do.
func problemLine(name string, p nightly.CheckProblem) string {
	place := name
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d", name, p.Line)
	}
	if p.Column != "" {
		place += ": " + printable(p.Column)
	}
	return fmt.Sprintf("%s: %s: %s\n", place, p.Rule, printable(p.Remedy))
}
