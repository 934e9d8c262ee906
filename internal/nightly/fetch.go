package nightly

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"tallyman/importer"
	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/internal/mailbox"
)

// dial connects with the mailbox.
func (n *Night) dial(ctx context.Context) (*mailbox.Mailbox, error) {
	o := mailboxOptions(n.config.Inbox, n.log, n.options.Now)
	mark, err := machineMark(n.config.DataDir)
	if err != nil {
		return nil, err
	}
	o.Mark = mark
	return mailbox.Dial(ctx, o)
}

// machineMark tells one machine and data directory from others that deliver to the same mailbox, in 8 hex digits.
func machineMark(dataDir string) (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name this machine: %w", err)
	}
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return "", fmt.Errorf("name this machine: %w", err)
	}
	sum := sha256.Sum256([]byte(host + "\x00" + dir))
	return hex.EncodeToString(sum[:4]), nil
}

// InboxError says that a file of the inbox cannot be had: the mailbox is unreachable or another one, or the file is not
// whole yet. Nothing was done, and a person has to look.
type InboxError struct{ Err error }

func (e *InboxError) Error() string { return e.Err.Error() }

func (e *InboxError) Unwrap() error { return e.Err }

// fetchOne spools one named file of the inbox, whatever its name, and leaves it there. What the mailbox says against it
// is an *InboxError.
func (n *Night) fetchOne(ctx context.Context, name, dir, asked string) (f customerFile, err error) {
	defer func() {
		if input := (*InputError)(nil); err != nil && !errors.As(err, &input) {
			err = &InboxError{err}
		}
	}()
	box, err := n.dial(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	entries, _, err := box.List(ctx)
	if err != nil {
		return f, err
	}
	entries = slices.DeleteFunc(entries, func(e mailbox.Entry) bool { return e.Name != name })
	if len(entries) == 0 {
		return f, &InputError{fmt.Errorf("there is no file %q in the inbox (%s)", name, n.config.Inbox.Path)}
	}
	ready, _, err := box.Settled(ctx, entries)
	if err != nil {
		return f, err
	}
	if len(ready) == 0 {
		return f, fmt.Errorf("%s is still being written in the inbox: try again when it stands still", name)
	}
	if f, err = n.take(ctx, box, ready[0], dir); errors.Is(err, errGrowing) {
		return f, fmt.Errorf("%s is still being written in the inbox: try again when it stands still", name)
	}
	return n.identify(f, asked), err
}

// fetch spools the day files that stand still in the inbox, and says in the result what was left there and why.
func (n *Night) fetch(ctx context.Context, box *mailbox.Mailbox, asked string, result *Result) ([]customerFile, error) {
	entries, refused, err := box.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range refused {
		result.Faults = append(result.Faults, fmt.Sprintf("%s in the inbox is not touched: %s", r.Name, r.Reason))
	}
	var days []mailbox.Entry
	for _, e := range entries {
		if _, ok := config.MatchName(n.config.Inbox.Pattern, e.Name); ok {
			days = append(days, e)
			continue
		}
		result.Waiting = append(result.Waiting, e.Name+": its name does not fit inbox.pattern; import it with: tallyman import sftp:"+e.Name)
	}
	ready, growing, err := box.Settled(ctx, days)
	if err != nil {
		return nil, err
	}
	var files []customerFile
	for _, e := range ready {
		f, err := n.take(ctx, box, e, n.spool)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var full *mailbox.DiskFullError
		if errors.As(err, &full) {
			// The others would not fit either, and what is here could not be recorded.
			result.stopEarly(&importer.StopError{Reason: "disk_full", Err: err})
			return nil, nil
		}
		if errors.Is(err, errGrowing) {
			growing = append(growing, e)
			continue
		}
		if err != nil {
			// One file that cannot be had does not keep the others.
			result.Faults = append(result.Faults, fmt.Sprintf("%s was left in the inbox: %v", e.Name, err))
			continue
		}
		date := ""
		if inName, _ := config.MatchName(n.config.Inbox.Pattern, e.Name); inName == "" {
			date = asked
		}
		files = append(files, n.identify(f, date))
	}
	for _, e := range growing {
		result.Waiting = append(result.Waiting, e.Name+": still being written; the next run takes it")
	}
	order(files)
	return files, nil
}

// putAway moves a file that is done with out of the inbox: to the archive, or to the rejected ones with the reason. A
// file with unfinished records stays, so that the next run goes on with it. A move that fails is said and tried again
// the next time: the ledger knows that the file is done.
func (n *Night) putAway(ctx context.Context, box *mailbox.Mailbox, f FileResult, result *Result) {
	var err error
	switch f.State {
	case ledger.FileDone:
		err = box.Archive(ctx, f.Name, f.SHA256)
	case ledger.FileRejected:
		err = box.Reject(ctx, f.Name, f.SHA256, f.Fault+"\n")
	default:
		return
	}
	if errors.Is(err, fs.ErrNotExist) {
		n.log.Info("the file is not in the inbox any more: nothing to move", "file", f.Name)
		return
	}
	if err != nil {
		result.Faults = append(result.Faults, fmt.Sprintf("%s could not be moved out of the inbox and will be next time: %v", f.Name, err))
	}
}
