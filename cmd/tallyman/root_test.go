package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command of the contract explains itself: what it does, and how to call
// it.
func TestCommandsExplainThemselves(t *testing.T) {
	a, _, _ := testApp()
	root := newRoot(a)
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short text %q", c.CommandPath(), c.Short)
		}
		if c.RunE == nil || c.Run != nil {
			t.Errorf("%s does not return its errors", c.CommandPath())
		}
		if c.Name() != "help" && (c.Example == "" || !strings.Contains(c.Example, c.CommandPath())) {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

func TestPanicIsExitCode1(t *testing.T) {
	a, _, stderr := testApp()
	root := newRoot(a)
	root.AddCommand(&cobra.Command{Use: "burst", RunE: func(*cobra.Command, []string) error { panic("oh") }})
	if code := execute(a, root, []string{"burst"}); code != exitUnforeseen {
		t.Errorf("exit code %d", code)
	}
	if !strings.HasPrefix(stderr.String(), "tallyman: internal error, please report it: oh\n") {
		t.Errorf("stderr:\n%s", stderr)
	}
}

func TestConfigPath(t *testing.T) {
	a, _, _ := testApp()
	if got := a.configPath(); got != "tallyman.yaml" {
		t.Errorf("default %q", got)
	}
	a.env.LookupEnv = func(name string) (string, bool) { return "from-env.yaml", name == "TALLYMAN_CONFIG" }
	if got := a.configPath(); got != "from-env.yaml" {
		t.Errorf("with the variable %q", got)
	}
	a.flags.config = "flag.yaml"
	if got := a.configPath(); got != "flag.yaml" {
		t.Errorf("with the flag %q", got)
	}
}

func TestLogFlags(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string // what one line of every level leaves on stderr, shortened
	}{
		{nil, "INFO WARN ERROR"},
		{[]string{"--log-level", "debug"}, "DEBUG INFO WARN ERROR"},
		{[]string{"--log-level", "error"}, "ERROR"},
		{[]string{"--quiet"}, "WARN ERROR"},
		{[]string{"--quiet", "--log-level", "error"}, "ERROR"},
		{[]string{"--log-format", "json"}, `"INFO" "WARN" "ERROR"`},
	} {
		a, _, stderr := testApp()
		root := newRoot(a)
		root.AddCommand(&cobra.Command{Use: "talk", RunE: func(*cobra.Command, []string) error {
			a.logger.Debug("m")
			a.logger.Info("m")
			a.logger.Warn("m")
			a.logger.Error("m")
			return nil
		}})
		if code := execute(a, root, append([]string{"talk"}, tt.args...)); code != 0 {
			t.Fatalf("%q: exit code %d\n%s", tt.args, code, stderr)
		}
		levels := regexp.MustCompile(`"?\b(DEBUG|INFO|WARN|ERROR)\b"?`).FindAllString(stderr.String(), -1)
		if got := strings.Join(levels, " "); got != tt.want {
			t.Errorf("%q: levels %s, want %s", tt.args, got, tt.want)
		}
	}
	for _, args := range [][]string{{"version", "--log-level", "loud"}, {"version", "--log-format", "xml"}} {
		a, _, _ := testApp()
		if code := execute(a, newRoot(a), args); code != exitUsage {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
}
