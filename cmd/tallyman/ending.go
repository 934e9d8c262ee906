package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"tallyman/importer"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
)

// sorted gives an error of a night or a report the exit code of its kind. nil stays nil.
func sorted(err error) error {
	var held *nightly.LockedError
	var binding *ledger.BindingError
	var mode *journal.ModeError
	var input *nightly.InputError
	var inbox *nightly.InboxError
	var signalled interruption
	switch {
	case err == nil:
		return nil
	case errors.As(err, &held), errors.Is(err, journal.ErrLocked):
		return locked(err)
	case errors.As(err, &binding), errors.As(err, &mode), errors.As(err, &input):
		return usage(err)
	case errors.As(err, &signalled), errors.Is(err, context.Canceled), errors.Is(err, ledger.ErrFull), errors.Is(err, journal.ErrFull):
		return stopped(err)
	case errors.Is(err, syscall.ENOSPC):
		return stopped(fmt.Errorf("%w: make room on that disk, then run the same command again", err))
	case ledger.Remedy(err) != "":
		return stopped(fmt.Errorf("%w: %s", err, ledger.Remedy(err)))
	case errors.Is(err, syscall.ENOTDIR):
		return stopped(fmt.Errorf("%w: a file stands where a directory is needed: move it, or configure another directory, then run the same command again", err))
	case diskFailed(err):
		return stopped(fmt.Errorf("%w: look at the disk and the rights on the directory, then run the same command again", err))
	case errors.As(err, &inbox):
		return needsPerson(fmt.Errorf("%w; nothing was done", err))
	}
	return err
}

// diskFailed reports whether the operating system could not read or write a file.
func diskFailed(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	if !errors.As(err, &path) && !errors.As(err, &link) {
		return false
	}
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.EROFS, syscall.EDQUOT, syscall.EPERM, syscall.EACCES, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// ending turns what a run did into the error that the command ends with: nil if nothing needs anybody.
func ending(r *nightly.Result) error {
	if why := r.Stop(); why != nil {
		return cutShort(why, untouched(r), r.Unforeseen())
	}
	if needs := r.NeedsPerson(); len(needs) > 0 {
		return needsPerson(errors.New("needs a person: " + strings.Join(needs, "\nneeds a person: ")))
	}
	return nil
}

// cutShort turns the reason why a run stopped into the error that the command ends with.
func cutShort(why error, untouched, unforeseen bool) error {
	var stop *importer.StopError
	switch {
	case errors.As(why, &stop) && stop.Reason == "misconfigured" && untouched:
		return usage(fmt.Errorf("%w; nothing was done", why))
	case unforeseen:
		return fmt.Errorf("stopped early: %w; what was done is on record", why)
	}
	return stoppedEarly(why)
}

// stoppedEarly tells why a run stopped and, unless the reason says it itself, to run it again.
func stoppedEarly(why error) error {
	err := fmt.Errorf("stopped early: %w; what was done is on record", why)
	if !strings.Contains(err.Error(), runAgain) {
		err = fmt.Errorf("%w: %s to go on", err, runAgain)
	}
	return stopped(err)
}

// untouched reports whether the run changed nothing at Moment.
func untouched(r *nightly.Result) bool {
	for _, f := range r.Files {
		for outcome, n := range f.Outcomes {
			if n > 0 && (outcome == "created" || outcome == "updated" || outcome == "in_doubt") {
				return false
			}
		}
	}
	return true
}
