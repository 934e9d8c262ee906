package nightly

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/mailbox"
)

// patienceWithInbox bounds each step of a look at the mailbox: a person waits for it.
const patienceWithInbox = 15 * time.Second

// InboxCheck is what a look at the mailbox found.
type InboxCheck struct {
	Server      string // as it calls itself
	Algorithms  string
	Directories []mailbox.DirectoryStatus
}

// CheckInbox connects with the configured mailbox as a run does, once, and tries its directories. The errors are those of
// mailbox.Dial.
func CheckInbox(ctx context.Context, inbox config.Inbox, log *slog.Logger, now func() time.Time) (c *InboxCheck, err error) {
	o := mailboxOptions(inbox, log, now)
	o.Timeout, o.Attempts = patienceWithInbox, 1
	box, err := mailbox.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	return &InboxCheck{Server: box.Server(), Algorithms: box.Algorithms(), Directories: box.CheckDirectories(ctx)}, nil
}
