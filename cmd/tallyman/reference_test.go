package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// reference is docs/reference.md: every command with its flags, the exit codes and the configuration, as the program has
// them.
func reference(t *testing.T) string {
	t.Helper()
	a, _, _ := testApp()
	root := newRoot(a)
	root.InitDefaultCompletionCmd()
	var b strings.Builder
	b.WriteString("# Reference\n\nMade from the program by `go test ./cmd/tallyman -run Reference -update`.\n\n## Commands\n\nFlags of every command:\n\n")
	describeFlags(&b, root.PersistentFlags())
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.HasParent() && c.IsAvailableCommand() {
			fmt.Fprintf(&b, "### %s\n\n```\n%s\n```\n\n", c.CommandPath(), strings.TrimSpace(c.UseLine()))
			text := c.Long
			if text == "" {
				text = c.Short + "."
			}
			fmt.Fprintf(&b, "```text\n%s\n```\n\n", strings.TrimSpace(text))
			describeFlags(&b, c.NonInheritedFlags())
		}
		for _, sub := range c.Commands() {
			if c.Name() != "completion" {
				walk(sub)
			}
		}
	}
	walk(root)
	fmt.Fprintf(&b, "## Exit codes\n\n```text\n%s```\n\n", exitTable)
	fmt.Fprintf(&b, "## Configuration\n\n```yaml\n%s```\n", read(t, "../../config.example.yaml"))
	return b.String()
}

func describeFlags(b *strings.Builder, flags *pflag.FlagSet) {
	shown := false
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		shown = true
		kind, usage := pflag.UnquoteUsage(f)
		fmt.Fprintf(b, "- `%s`: %s\n", strings.TrimSpace("--"+f.Name+" "+kind), usage)
	})
	if shown {
		b.WriteString("\n")
	}
}

func TestReferenceIsCurrent(t *testing.T) {
	const path = "../../docs/reference.md"
	want := reference(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Errorf("docs/reference.md is not what the program says; run go test ./cmd/tallyman -run Reference -update (-want +got):\n%s", diff)
	}
}
