package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tallyman/internal/config"
)

// testApp is an app without an environment whose output can be looked at.
func testApp() (a *app, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	a = newApp()
	a.stdout, a.stderr = stdout, stderr
	a.env.LookupEnv = func(string) (string, bool) { return "", false }
	return a, stdout, stderr
}

func TestExitCode(t *testing.T) {
	plain := t.Context()
	signalled, cancel := context.WithCancelCause(t.Context())
	cancel(interruption{"terminated"})
	cancelled, cancelPlain := context.WithCancel(t.Context())
	cancelPlain()
	wrongConfig := &config.Error{Problems: []config.Problem{{File: "f", Message: "m"}}}
	base := errors.New("base")

	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		want int
	}{
		{"nothing", plain, nil, 0},
		{"nothing, after a signal", signalled, nil, 0},
		{"anything", plain, base, 1},
		{"needs a person", plain, needsPerson(base), 3},
		{"needs a person, wrapped", plain, fmt.Errorf("run: %w", needsPerson(base)), 3},
		{"needs a person, after a signal", signalled, needsPerson(base), 3},
		{"stopped", plain, stopped(base), 4},
		{"stopped by a signal", signalled, stopped(context.Canceled), 130},
		{"usage", plain, usage(base), 5},
		{"configuration", plain, wrongConfig, 5},
		{"configuration, wrapped", plain, fmt.Errorf("load: %w", wrongConfig), 5},
		{"locked", plain, locked(base), 11},
		{"cancelled by a signal", signalled, fmt.Errorf("get: %w", context.Canceled), 130},
		{"failed, after a signal", signalled, base, 1},
		{"cancelled by ourselves", cancelled, context.Canceled, 1},
		{"joined", plain, errors.Join(base, stopped(base)), 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitCode(tt.ctx, tt.err); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
		})
	}
}

func TestPrintError(t *testing.T) {
	wrong := &config.Error{Problems: []config.Problem{
		{File: "tallyman.yaml", Line: 3, Column: 7, Key: "api.rate", Message: "is odd", Remedy: "even it"},
		{File: "tallyman.yaml", Line: 4, Column: 1, Message: "is odd"},
	}}
	for _, tt := range []struct {
		name string
		err  error
		code int
		want string
	}{
		{"plain", errors.New("read x: no such file"), 1, "tallyman: read x: no such file\n"},
		{"lines", errors.Join(errors.New("a"), errors.New("b")), 3, "tallyman: a\ntallyman: b\n"},
		{"configuration", wrong, 5, "tallyman: tallyman.yaml:3:7: api.rate is odd; even it\n" +
			"tallyman: tallyman.yaml:4:1: is odd\ntallyman: 2 problems in the configuration; nothing was done\n"},
		{"interrupted", context.Canceled, 130, "tallyman: context canceled\ntallyman: interrupted; run the same command again to go on\n"},
		{"hostile", errors.New("fetch \x1b[2Jname\u202e.csv\r"), 1, `tallyman: fetch \u001b[2Jname\u202e.csv\u000d` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, stdout, stderr := testApp()
			a.printError(tt.err, tt.code, "")
			if stderr.String() != tt.want || stdout.Len() > 0 {
				t.Errorf("stderr:\n%s\nstdout:\n%s\nwant on stderr:\n%s", stderr, stdout, tt.want)
			}
		})
	}
}

func TestPrintErrorJSON(t *testing.T) {
	a, stdout, _ := testApp()
	a.flags.json = true
	a.printError(usage(errors.New("a <b>")), 5, "hint")
	a.printError(errors.New("second"), 1, "")

	var got errorDocument
	decoder := json.NewDecoder(bytes.NewReader(stdout.Bytes()))
	if err := decoder.Decode(&got); err != nil || decoder.More() {
		t.Fatalf("stdout is not one JSON document: %v\n%s", err, stdout)
	}
	if got.Error.Exit != 5 || got.Error.Kind != "usage" || got.Error.Message != "a <b>" {
		t.Errorf("document %+v", got)
	}

	a, stdout, _ = testApp()
	a.flags.json = true
	if err := a.answer(map[string]int{"rows": 1}, "text"); err != nil {
		t.Fatal(err)
	}
	a.printError(needsPerson(errors.New("1 row rejected")), 3, "")
	if strings.Contains(stdout.String(), "error") || strings.Contains(stdout.String(), "text") {
		t.Errorf("a result and an error on stdout:\n%s", stdout)
	}
}

// The table in the help is the contract's: every code, and each kind its own.
func TestExitTable(t *testing.T) {
	kinds := map[string]bool{}
	for _, code := range []int{exitUnforeseen, exitNeedsPerson, exitStopped, exitUsage, exitLocked, exitInterrupted} {
		if !strings.Contains(exitTable, fmt.Sprintf("%5d  ", code)) {
			t.Errorf("the help lacks exit code %d", code)
		}
		kinds[kindOf(code)] = true
	}
	if len(kinds) != 6 {
		t.Errorf("kinds are not distinct: %v", kinds)
	}
}
