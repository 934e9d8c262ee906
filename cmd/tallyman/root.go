package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// constructors is every command, in the order of design.md section 4;
// completion and help are cobra's.
func constructors() []func(*app) *cobra.Command {
	return []func(*app) *cobra.Command{
		newDemoCommand,
		newInitCommand,
		newDoctorCommand,
		newCheckCommand,
		newImportCommand,
		newRunCommand,
		newScheduleCommand,
		newReceiveCommand,
		newReconcileCommand,
		newJournalCommand,
		newDecideCommand,
		newSignCommand,
		newApproveCommand,
		newStatusCommand,
		newBackupCommand,
		newSweepCommand,
		newSandboxCommand,
		newVersionCommand,
	}
}

const rootLong = `tallyman keeps the tally of who owes what, and goes round to see it paid.

Every night it reads the customer files that a biller leaves on an SFTP server,
creates or updates those customers in Moment's Billing API, keeps the signed
events of their payments in a journal, and by morning proves what was owed, what
was paid and what is left.

Results go to stdout, everything else to stderr.

EXIT STATUS
` + exitTable

// newRoot returns the command line with all its commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "tallyman",
		Short:         "Bulk import of customers into Moment, and reconciliation of their payments",
		Long:          rootLong,
		Example:       "  tallyman init\n  tallyman import --dry-run customers.csv",
		SilenceUsage:  true,
		SilenceErrors: true,
		// Without Args, cobra would judge unknown commands by itself.
		Args: cobra.ArbitraryArgs,
		RunE: runGroup,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			logger, err := newLogger(a.stderr, a.flags)
			a.logger = logger
			return err
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.flags.config, "config", "", "configuration `FILE` (else $TALLYMAN_CONFIG, else ./"+configName+")")
	flags.BoolVar(&a.flags.json, "json", false, "write the result as one JSON document to stdout")
	flags.StringVar(&a.flags.logFormat, "log-format", "text", "form of the log: text or json")
	flags.StringVar(&a.flags.logLevel, "log-level", "info", "least to log: debug, info, warn or error")
	flags.BoolVar(&a.flags.quiet, "quiet", false, "no progress, and only warnings and errors in the log")
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetHelpCommand(newHelpCommand())
	for _, construct := range constructors() {
		root.AddCommand(construct(a))
	}
	return root
}

// runGroup is the RunE of a command that only holds others: alone it is wrong
// usage, as is an unknown name after it. Such a command has Args:
// cobra.ArbitraryArgs.
func runGroup(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		var names []string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				names = append(names, c.Name())
			}
		}
		return usage(fmt.Errorf("%s needs one of: %s; see %[1]s --help", cmd.CommandPath(), strings.Join(names, ", ")))
	}
	if cmd.SuggestionsMinimumDistance == 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	err := fmt.Errorf("%q is not a command of %s", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		slices.Sort(near)
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return usage(err)
}

// newHelpCommand differs from cobra's in that an unknown topic is an error.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return runGroup(cmd.Root(), args)
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
	}
}
