package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"tallyman/internal/config"
)

// app is what every command gets: the outside world and the global flags. Tests
// build one of their own and run commands in-process.
type app struct {
	// stdout takes results only; everything else goes to stderr.
	stdout, stderr io.Writer
	env            config.Environment
	now            func() time.Time
	flags          globalFlags
	// logger writes to stderr as the flags say; it is set before a command runs.
	logger *slog.Logger

	// started is set once a command's own code runs: what fails before is the
	// command line.
	started bool
	// answered is set once a JSON document was written to stdout: there is to be
	// only one.
	answered bool
}

// globalFlags are the flags of every command.
type globalFlags struct {
	config    string
	json      bool
	logFormat string
	logLevel  string
	quiet     bool
}

func newApp() *app {
	return &app{
		stdout: os.Stdout,
		stderr: os.Stderr,
		env:    config.Environment{LookupEnv: os.LookupEnv},
		now:    time.Now,
	}
}

// configPath returns which configuration file is meant: --config, else
// $TALLYMAN_CONFIG, else ./tallyman.yaml.
func (a *app) configPath() string {
	if a.flags.config != "" {
		return a.flags.config
	}
	if path, ok := a.env.LookupEnv("TALLYMAN_CONFIG"); ok && path != "" {
		return path
	}
	return configName
}

// config loads the configuration for a command that uses these sections.
func (a *app) config(need config.Section) (*config.Config, error) {
	return config.Load(a.configPath(), a.env, need)
}

// answer writes a command's result: with --json the value as one JSON document,
// else the text.
func (a *app) answer(value any, text string) error {
	if !a.flags.json {
		if _, err := io.WriteString(a.stdout, text); err != nil {
			return fmt.Errorf("write result: %w", err)
		}
		return nil
	}
	a.answered = true
	if err := writeJSON(a.stdout, value); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
