package nightly

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tallyman/internal/mailbox"
)

// The outbox is a directory of files that are to be delivered to the biller. It is filled before the mailbox is needed
// and emptied as each file is delivered, so that what cannot be delivered tonight is delivered by the next run.
func (n *Night) outbox() string { return filepath.Join(n.config.DataDir, "outbox") }

// post puts a file into the outbox under the name it will be delivered by.
func (n *Night) post(path, name string) error {
	if n.config.Inbox.Deliver == "" || n.options.DryRun {
		return nil
	}
	if err := os.MkdirAll(n.outbox(), 0o700); err != nil {
		return fmt.Errorf("make the outbox: %w", err)
	}
	src, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("post %s: %w", name, err)
	}
	defer src.Close()
	hash := sha256.New()
	err = writeFile(filepath.Join(n.outbox(), name), func(w io.Writer) error {
		_, err := io.Copy(io.MultiWriter(w, hash), src)
		return err
	})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(n.outbox(), name+checksum), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%x  %s\n", hash.Sum(nil), name)
		return err
	})
}

// checksum ends the name of the file with the SHA-256 of another, in the form of sha256sum. It is delivered after it.
const checksum = ".sha256"

// delivered reports whether the configuration wants a file of the report delivered. Without csv among the formats the
// machine files stay where they are; the summary and what was made for people go.
func (n *Night) delivered(name string) bool {
	return filepath.Ext(name) != ".csv" || strings.HasSuffix(name, excelSuffix) || slices.Contains(n.config.Reports.Formats, "csv")
}

// postOutcome puts the result files of an imported file into the outbox.
func (n *Night) postOutcome(f FileResult) error {
	var errs []error
	for _, path := range []string{f.Outcome, f.Rejects} {
		if path != "" {
			errs = append(errs, n.post(path, filepath.Base(path)))
		}
	}
	return errors.Join(errs...)
}

// postReport puts the files of a report into the outbox.
func (n *Night) postReport(r *Report) error {
	if r == nil {
		return nil
	}
	var errs []error
	for _, name := range r.Files {
		if !n.delivered(name) {
			continue
		}
		errs = append(errs, n.post(filepath.Join(r.Dir, name), fmt.Sprintf("%s_%s_%s", n.config.Merchant, r.Summary.BusinessDate, name)))
	}
	return errors.Join(errs...)
}

// deliver empties the outbox. What fails stays in it and is said.
func (n *Night) deliver(ctx context.Context, box *mailbox.Mailbox, result *Result) error {
	if n.config.Inbox.Deliver == "" {
		return nil
	}
	entries, err := os.ReadDir(n.outbox())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	failed := ""
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue // left by a killed run while it was being written
		}
		if e.Name() == failed+checksum {
			continue // it would vouch for what is not there
		}
		path := filepath.Join(n.outbox(), e.Name())
		if err := box.Deliver(ctx, path, e.Name()); err != nil {
			failed = e.Name()
			result.Faults = append(result.Faults, fmt.Sprintf("%s could not be delivered and will be next time: %v", e.Name(), err))
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("empty the outbox: %w", err)
		}
	}
	return nil
}
