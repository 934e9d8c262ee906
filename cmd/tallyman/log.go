package main

import (
	"fmt"
	"io"
	"log/slog"
)

// newLogger returns the log of one command. Quiet leaves warnings and errors.
// An error is a wrong flag.
func newLogger(w io.Writer, flags globalFlags) (*slog.Logger, error) {
	var level slog.Level
	switch flags.logLevel {
	case "debug":
		level = slog.LevelDebug
	case "info":
		level = slog.LevelInfo
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	default:
		return nil, fmt.Errorf("--log-level must be debug, info, warn or error, not %q", flags.logLevel)
	}
	if flags.quiet {
		level = max(level, slog.LevelWarn)
	}
	options := &slog.HandlerOptions{Level: level}
	switch flags.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, fmt.Errorf("--log-format must be text or json, not %q", flags.logFormat)
}
