package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// configName is what a configuration is called unless it is named.
const configName = "tallyman.yaml"

// starter is config.example.yaml with the sample values taken out, so that
// nobody goes to work as acme; a test keeps the two together.
//
//go:embed starter.yaml
var starter []byte

func newInitCommand(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "init [--dir DIR]",
		Short: "Write a commented " + configName,
		Long: `Writes a ` + configName + ` with every key, its default and its reason. What is
required stands empty and is marked so. A file that is there is never
overwritten.`,
		Example: "  tallyman init --dir /etc/tallyman",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return runInit(a, dir)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "write into `DIR`, which is made if need be")
	return cmd
}

// initResult is what `tallyman init --json` says.
type initResult struct {
	File string `json:"file"`
}

func runInit(a *app, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return usage(fmt.Errorf("make directory for %s: %w", configName, err))
	}
	path := filepath.Join(dir, configName)
	switch err := writeNew(path, starter); {
	case errors.Is(err, fs.ErrExist):
		return usage(fmt.Errorf("%s is there already and was left as it is; remove it, or name another directory with --dir", path))
	case err != nil:
		return usage(fmt.Errorf("write %s: %w", path, err))
	}
	return a.answer(initResult{File: path}, fmt.Sprintf(`Wrote %s. Next:
  1. In it, fill in merchant; and the inbox, if your files come by SFTP.
  2. Put the secret key from Moment's dashboard into $MOMENT_API_KEY, or into a
     file that api.key_file names.
  3. tallyman doctor --config %[1]s
`, path))
}

// writeNew writes a file that must not be there yet, for this user only, and
// leaves none behind that is not whole.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
