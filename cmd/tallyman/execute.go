package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
)

// execute runs one command line and returns the exit code.
func execute(a *app, root *cobra.Command, args []string) (code int) {
	defer func() {
		// The runtime would exit with 2, which is no code of ours.
		if cause := recover(); cause != nil {
			a.printError(fmt.Errorf("internal error, please report it: %v", cause), exitUnforeseen, "")
			_, _ = a.stderr.Write(debug.Stack())
			code = exitUnforeseen
		}
	}()
	ctx, release := withSignals(context.Background(), os.Exit)
	defer release()

	markStart(a, root)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	hint := ""
	if !a.started {
		// Nothing ran: it is the command line, and flags may not have been read.
		err = usage(err)
		hint = fmt.Sprintf("see %s --help", cmd.CommandPath())
		a.flags.json = a.flags.json || slices.Contains(args, "--json")
	}
	code = exitCode(ctx, err)
	a.printError(err, code, hint)
	return code
}

// markStart notes when a command's own code begins to run, which is after cobra
// has checked flags and arguments.
func markStart(a *app, cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.started = true
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		markStart(a, c)
	}
}

// withSignals returns a context that the first SIGINT or SIGTERM cancels, with
// an interruption as its cause. A second one calls exit at once: whoever asks
// twice does not want to wait. The release waits for its goroutine.
func withSignals(parent context.Context, exit func(code int)) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-signals:
			cancel(interruption{s.String()})
		case <-quit:
			return
		}
		select {
		case <-signals:
			exit(exitInterrupted)
		case <-quit:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(quit)
		<-done
		cancel(nil)
	}
}
