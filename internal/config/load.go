package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Load reads the configuration at path for a command that needs these sections.
// An error is always an *Error, with everything that is wrong.
//
// Secrets are resolved, and their files read, in the needed sections only.
func Load(path string, env Environment, need Section) (*Config, error) {
	env = env.orOwn()
	data, err := env.ReadFile(path)
	if err != nil {
		return nil, readError(path, err)
	}
	if len(data) > MaxFileSize {
		return nil, &Error{Problems: []Problem{{File: path, Message: "is far too large for a configuration", Remedy: "name the right file with --config"}}}
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, readError(path, err)
	}

	cfg := Default()
	cfg.file = path
	c := &checker{decoder: newDecoder(path, env.LookupEnv), cfg: cfg, dir: dir, stat: env.Stat}
	if c.decode(data, cfg) {
		cfg.locate(dir)
		c.check()
		c.resolve(env, need)
		_, cfg.hasAPI = c.at["api"]
	}
	if err := c.err(need); err != nil {
		return nil, err
	}
	return cfg, nil
}

func readError(path string, err error) error {
	p := Problem{File: path, Message: "cannot be read", Remedy: "let this user read it"}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Message, p.Remedy = "is not there", "run tallyman init to get one, or name another with --config"
	case !errors.Is(err, fs.ErrPermission):
		p.Message, p.Remedy = fmt.Sprintf("cannot be read: %s", err), "name the right file with --config"
	}
	return &Error{Problems: []Problem{p}, cause: err}
}
