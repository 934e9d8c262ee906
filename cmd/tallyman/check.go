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

type checkOptions struct {
	rejects string
	suggest bool
}

func newCheckCommand(a *app) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check [--rejects FILE | --suggest] FILE...",
		Short: "Validate customer files; contact nobody, change nothing",
		Long: `Reads customer files as an import does and says what is wrong with them: the first
20 problems of each with file, line and column, then how often each rule was
broken, a profile of the file to see whether it is the right one, and a line that
foots. Packed files (.gz, .zst, .zip, .pgp) are unpacked, checksums beside them
(.sha256, .md5) compared.

With --suggest it proposes the files section of the configuration for an unknown
file instead, guesses marked, and says how many rows could be read with it.

It needs no configuration; the files section of one that is there counts. Values
are not shown: they may be personal data.`,
		Example: "  tallyman check customers.csv",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("check needs a FILE")
			}
			switch {
			case o.rejects != "" && o.suggest:
				return errors.New("--rejects and --suggest do not go together")
			case o.rejects != "" && len(args) > 1:
				return errors.New("--rejects takes the records of one FILE: check them one by one")
			case o.suggest && len(args) > 1:
				return errors.New("--suggest looks at one FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.suggest {
				return runSuggest(cmd.Context(), a, args[0])
			}
			return runCheck(cmd.Context(), a, o, args)
		},
	}
	cmd.Flags().StringVar(&o.rejects, "rejects", "", "write the rejected records into `FILE`, as they came, with the reason")
	cmd.Flags().BoolVar(&o.suggest, "suggest", false, "propose the files section for an unknown file")
	return cmd
}

// checkAnswer is what `tallyman check --json` says.
type checkAnswer struct {
	Config string                 `json:"config"` // the configuration that counted; empty: the defaults
	Files  []*nightly.CheckResult `json:"files"`
}

func runCheck(ctx context.Context, a *app, o checkOptions, paths []string) error {
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
		result, err := nightly.Check(ctx, path, cfg.Files, nightly.CheckOptions{Problems: checkShown, Rejects: o.rejects})
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

// runSuggest prints a files section that can be pasted as it is; what else there is to say is in comments.
func runSuggest(ctx context.Context, a *app, path string) error {
	cfg, err := a.optionalConfig(config.SectionFiles)
	if err != nil {
		return err
	}
	r, err := nightly.Suggest(ctx, path, cfg.Files)
	if err != nil {
		return sorted(err)
	}
	text := fmt.Sprintf("# %s: with this, %d of %s could be read\n%s", printable(path), r.Good, count(r.Read, "row"), r.YAML)
	if r.Fault != "" {
		text = fmt.Sprintf("# %s: with this, the file would be rejected as it is: %s\n%s", printable(path), printable(r.Fault), r.YAML)
	}
	if err := a.answer(r, text); err != nil {
		return err
	}
	if r.Fault != "" {
		return needsPerson(fmt.Errorf("%s cannot be read with what can be told of it: complete the proposal", path))
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
	describeProfile(b, name, f.Profile)
	fmt.Fprintf(b, "%s: read %d = %d good + %d duplicate + %d rejected\n", name, f.Read, f.Good, f.Duplicate, f.Rejected)
}

// describeProfile tells what a person can see at a glance whether it is the right file by. Amounts are in major units: one
// that is a hundred times too large shows.
func describeProfile(b *strings.Builder, name string, p *nightly.Profile) {
	fmt.Fprintf(b, "%s: %s, separated by %q; of %s %s have a phone number, %s an e-mail address\n", name, p.Encoding, p.Delimiter,
		count(p.Records, "readable row"), share(p.WithPhone, p.Records), share(p.WithEmail, p.Records))
	for _, t := range p.Currencies {
		total, lowest, highest := t.Major()
		fmt.Fprintf(b, "%s: %s in %s: %s in all, from %s to %s\n", name, count(t.Balances, "balance"), t.Currency, total, lowest, highest)
	}
}

// share is a part in percent, rounded down.
func share(part, whole int) string {
	if whole == 0 {
		return "0%"
	}
	return fmt.Sprintf("%d%%", part*100/whole)
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
