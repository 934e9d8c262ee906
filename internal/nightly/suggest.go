package nightly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tallyman/formats"
	"tallyman/internal/config"
)

// SuggestResult is a proposal for the files section of the configuration, and what it makes of the file.
type SuggestResult struct {
	File     string            `json:"file"`
	YAML     string            `json:"yaml"`
	Settings []formats.Setting `json:"settings"`
	Read     int               `json:"read"`            // records
	Good     int               `json:"good"`            // of them without a problem of their own
	Fault    string            `json:"fault,omitempty"` // why the file cannot be read so
}

// Suggest looks at an unknown customer file. A file that cannot be opened, or that nothing can be said about, is an
// *InputError.
func Suggest(ctx context.Context, path string, files config.Files) (result *SuggestResult, err error) {
	if _, err := regular(path); err != nil {
		return nil, &InputError{err}
	}
	scratch, err := os.MkdirTemp("", "tallyman-check-")
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	keys, err := pgpKeys(files)
	if err != nil {
		return nil, err
	}
	plain, err := unpackFile(ctx, path, filepath.Base(path), scratch, keys)
	if err == nil {
		result = &SuggestResult{File: path}
		err = result.look(ctx, plain)
	}
	if fault, ok := errors.AsType[*formats.FileError](err); ok {
		return nil, &InputError{fmt.Errorf("%s: %w", path, fault)}
	}
	return result, err
}

// look makes the proposal, and tries it.
func (r *SuggestResult) look(ctx context.Context, plain plainFile) error {
	var suggestion *formats.Suggestion
	err := plain.read(func(src io.Reader) (err error) {
		suggestion, err = formats.Suggest(src)
		return err
	})
	if err != nil {
		return err
	}
	r.YAML, r.Settings = suggestion.YAML(), suggestion.Settings
	err = plain.read(func(src io.Reader) error {
		records, err := formats.NewCustomerReader(src, suggestion.Options)
		if err == nil {
			defer records.Close()
		}
		for err == nil {
			var record *formats.CustomerRecord
			if record, err = records.Next(); err != nil {
				break
			}
			if r.Read++; len(record.Problems) == 0 {
				r.Good++
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
	if fault, ok := errors.AsType[*formats.FileError](err); ok {
		r.Read, r.Good, r.Fault = 0, 0, fault.Error()
		return nil
	}
	return err
}
