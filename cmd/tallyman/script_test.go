package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"tallyman/internal/config"
	"tallyman/internal/syscalltest"
)

// clockVariable holds by how much tallyman's clock, in tests, is ahead of the real one.
const clockVariable = "TALLYMAN_TEST_CLOCK"

// clockFrom is a value of clockVariable with which it is now a certain time. The clock goes on from there for all
// processes alike: what runs later finds it later.
func clockFrom(now time.Time) string { return time.Until(now).String() }

// TestMain makes this binary stand for tallyman in the scripts; tallyman-test is
// tallyman with the commands of testCommands as well.
func TestMain(m *testing.M) {
	syscalltest.Main()
	testscript.Main(m, map[string]func(){
		"tallyman": func() {
			restrictFiles()
			a := newApp()
			if ahead, err := time.ParseDuration(os.Getenv(clockVariable)); err == nil {
				a.now = func() time.Time { return time.Now().Add(ahead) }
			}
			os.Exit(execute(a, newRoot(a), os.Args[1:]))
		},
		"tallyman-test": func() {
			a := newApp()
			root := newRoot(a)
			root.AddCommand(testCommands(a)...)
			os.Exit(execute(a, root, os.Args[1:]))
		},
		"answer-at-once": answerAtOnce,
		"send-bare":      sendBare,
	})
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUpScript,
		Cmds:                scriptCommands(),
	})
}

// A command of ours with the name of one of testscript's own would never be called, and stop ends a script right there, with
// success: what is left of it would be tested by nobody.
func TestScriptsRunToTheirEnd(t *testing.T) {
	for _, name := range []string{
		"cd", "chmod", "cmp", "cmpenv", "cp", "env", "exec", "exists", "grep", "kill", "mkdir", "mv", "rm", "skip", "stderr", "stdin", "stdout",
		"stop", "symlink", "ttyin", "ttyout", "unix2dos", "unquote", "wait",
	} {
		if _, ours := scriptCommands()[name]; ours {
			t.Errorf("%s is a command of testscript itself", name)
		}
	}
	files, err := filepath.Glob("../../testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		for i, line := range strings.Split(read(t, path), "\n") {
			if words := strings.Fields(line); len(words) > 0 && words[0] == "stop" {
				t.Errorf("%s:%d: stop ends the script: write halt to end the receiver", filepath.Base(path), i+1)
			}
		}
	}
}

// testCommands are what a command can meet with: a configuration, and signals.
func testCommands(a *app) []*cobra.Command {
	return []*cobra.Command{
		{
			Use: "load SECTION...",
			RunE: func(_ *cobra.Command, args []string) error {
				need := config.Section(0)
				for _, arg := range args {
					need |= map[string]config.Section{
						"merchant": config.SectionMerchant, "data_dir": config.SectionDataDir, "api": config.SectionAPI,
						"inbox": config.SectionInbox, "receiver": config.SectionReceiver,
					}[arg]
				}
				cfg, err := a.config(need)
				if err != nil {
					return err
				}
				return a.answer(cfg.Merchant, fmt.Sprintf("%s %s\n", cfg.Merchant, cfg.API.Key))
			},
		},
		{
			// Sends itself so many signals, waiting until each has arrived.
			Use:  "interrupt COUNT",
			Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				n, err := strconv.Atoi(args[0])
				if err != nil {
					return err
				}
				self, err := os.FindProcess(os.Getpid())
				if err != nil {
					return err
				}
				if err := self.Signal(syscall.SIGTERM); err != nil {
					return err
				}
				<-cmd.Context().Done()
				if n == 1 {
					return stopped(cmd.Context().Err())
				}
				if err := self.Signal(syscall.SIGINT); err != nil {
					return err
				}
				select {}
			},
		},
		{
			Use:  "end KIND",
			Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				err := errors.New("the end")
				return map[string]error{"person": needsPerson(err), "stopped": stopped(err), "locked": locked(err), "other": err}[args[0]]
			},
		},
	}
}
