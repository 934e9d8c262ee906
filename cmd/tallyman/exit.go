package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

// How this program ends, and how it speaks of errors. Both are interfaces:
// scripts read the first, people the second.
//
// A command returns an error of its own kind (needsPerson, stopped, usage,
// locked), a *config.Error, or any other, which nobody foresaw. Only this file
// turns errors into exit codes and prints them: to stderr, each line with
// "tallyman: " in front, lower case, no full stop, control characters escaped.
// With --json the error is the JSON document on stdout too, unless the command
// has written its result already.

// The exit codes of design.md section 4.
const (
	exitDone        = nightly.ExitDone
	exitUnforeseen  = nightly.ExitFailed
	exitNeedsPerson = nightly.ExitNeedsPerson
	exitStopped     = nightly.ExitStopped
	exitUsage       = 5
	exitLocked      = 11
	exitInterrupted = 130
)

const exitTable = `    0  done; nothing needs a person
    1  failed for a reason nobody foresaw
    3  done, and something needs a person: rejected or failed rows, a rejected or
       held file, a missing file, an unreachable mailbox, a break in a report,
       signed figures that have moved
    4  stopped early, everything done so far is on record; run the same command
       again to go on
    5  wrong usage or configuration; nothing was done
   11  another run holds the lock
  130  interrupted; as 4
More codes may be added: treat any other than 0 as a failure.
`

// exitError is an error that knows how the program should end.
type exitError struct {
	code int
	err  error
}

// Error returns the text of the error inside.
func (e *exitError) Error() string { return e.err.Error() }

// Unwrap returns the error inside.
func (e *exitError) Unwrap() error { return e.err }

// needsPerson says that the work was done and a person has something to do.
func needsPerson(err error) error { return &exitError{exitNeedsPerson, err} }

// stopped says that the work ended early and can be taken up by the same
// command.
func stopped(err error) error { return &exitError{exitStopped, err} }

// usage says that the command line or the configuration is wrong.
func usage(err error) error { return &exitError{exitUsage, err} }

// locked says that another run is at work.
func locked(err error) error { return &exitError{exitLocked, err} }

// interruption is why a context was cancelled by a signal.
type interruption struct{ name string }

// Error names the signal.
func (i interruption) Error() string { return "interrupted by " + i.name }

// exitCode returns how the program ends after err. A command that stops in good
// order when it is told to, as a server does, returns nil. Silence is no
// success otherwise: a command returns ctx.Err() when it was cut short.
func exitCode(ctx context.Context, err error) int {
	var known *exitError
	var wrongConfig *config.Error
	_, interrupted := errors.AsType[interruption](context.Cause(ctx))
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &known):
		if known.code == exitStopped && interrupted {
			return exitInterrupted
		}
		return known.code
	case errors.As(err, &wrongConfig):
		return exitUsage
	case interrupted && errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitUnforeseen
}

// kindOf names an exit code in JSON.
func kindOf(code int) string {
	switch code {
	case exitNeedsPerson:
		return "needs_person"
	case exitStopped:
		return "stopped"
	case exitUsage:
		return "usage"
	case exitLocked:
		return "locked"
	case exitInterrupted:
		return "interrupted"
	}
	return "unforeseen"
}

// errorDocument is an error in JSON.
type errorDocument struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Exit     int              `json:"exit"`
	Kind     string           `json:"kind"`
	Message  string           `json:"message"`
	Problems []config.Problem `json:"problems,omitempty"`
}

// runAgain is what to do about most that ends early. It is said once.
const runAgain = "run the same command again"

// printError tells people, and with --json programs, how it ended. The hint is
// a further line, or empty.
func (a *app) printError(err error, code int, hint string) {
	lines := strings.Split(err.Error(), "\n")
	body := errorBody{Exit: code, Kind: kindOf(code), Message: err.Error()}
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		body.Problems = wrong.Problems
		body.Message = fmt.Sprintf("%s in the configuration; nothing was done", count(len(wrong.Problems), "problem"))
		lines = append(lines, body.Message)
	}
	if code == exitInterrupted && !strings.Contains(body.Message, runAgain) {
		lines = append(lines, "interrupted; "+runAgain+" to go on")
	}
	if hint != "" {
		lines = append(lines, hint)
	}
	for _, line := range lines {
		_, _ = fmt.Fprintf(a.stderr, "tallyman: %s\n", printable(line))
	}
	if a.flags.json && !a.answered {
		a.answered = true
		// A broken stdout has nowhere to be told but the exit code, which is not
		// 0 already.
		_ = writeJSON(a.stdout, errorDocument{body})
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printable escapes what could steer a terminal: names in errors come from
// other people's servers.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
