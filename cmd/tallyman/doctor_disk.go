package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"tallyman/internal/config"
	"tallyman/internal/durable"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
)

// leastSpace is how much room a night should find, in bytes: a day file of some hundred thousand customers, its results
// and the report, and a journal that must never be turned away.
const leastSpace = 1 << 30

// disk checks that the tool's own directories can be written, and that there is room.
func (d *doctor) disk(context.Context) {
	d.directory("data_dir", d.base.DataDir)
	if cfg := d.whole[config.SectionReports]; cfg != nil {
		d.directory("reports.dir", cfg.Reports.Dir)
	}
}

func (d *doctor) directory(key, dir string) {
	there, err := nearest(dir)
	if err != nil {
		d.fail("disk", fmt.Sprintf("%s: %v", key, err), "name a directory that can be made, or let this user use it")
		return
	}
	info, err := os.Stat(there)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", there)
	}
	if err == nil {
		err = writable(there, there == dir)
	}
	if err != nil {
		d.fail("disk", fmt.Sprintf("%s %s cannot be written: %v", key, dir, err), "let the user that tallyman runs as write there")
		return
	}
	if there == dir && durable.Shared(info)&0o002 != 0 {
		d.fail("disk", fmt.Sprintf("%s %s can be written by everybody on this machine", key, dir), "chmod 700 "+dir)
		return
	}
	yet := ""
	if there != dir {
		yet = " is not there yet and will be made;"
	}
	free, err := durable.Free(there)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		d.ok("disk", "%s %s%s can be written", key, dir, yet)
	case err != nil:
		d.fail("disk", fmt.Sprintf("%s %s: the free space cannot be told: %v", key, dir, err), "see that the file system is mounted")
	case free < leastSpace:
		d.fail("disk", fmt.Sprintf("%s %s: only %d MiB are free", key, dir, free>>20), fmt.Sprintf("make room: %d MiB should be free", leastSpace>>20))
	default:
		d.ok("disk", "%s %s%s %d MiB free", key, dir, yet, free>>20)
	}
}

// nearest returns a directory, or the nearest one above it that is there.
func nearest(dir string) (string, error) {
	for {
		_, err := os.Stat(dir)
		if err == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || above == dir {
			return "", err
		}
		dir = above
	}
}

// writable reports why nothing can be written into a directory. In one of our own it tries.
func writable(dir string, own bool) error {
	if !own {
		return mayWrite(dir)
	}
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// ledger checks that the ledger opens, and that it is the one of this merchant, mode and host.
func (d *doctor) ledger(ctx context.Context) {
	l, err := ledger.OpenExisting(ctx, d.base.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		d.ok("ledger", "there is none yet; the first import makes it")
		return
	}
	if err != nil {
		d.fail("ledger", err.Error(), ledgerRemedy(err))
		return
	}
	defer func() { _ = l.Close() }()
	binding := ledger.Binding{Merchant: d.base.Merchant, Mode: d.base.API.Mode}
	if u, err := url.Parse(d.base.API.BaseURL); err == nil {
		binding.Host = u.Hostname()
	}
	if err := l.CheckBinding(ctx, binding); err != nil {
		d.fail("ledger", err.Error(), "")
		return
	}
	runs, err := l.Runs(ctx, 1)
	switch {
	case err != nil:
		d.fail("ledger", err.Error(), ledgerRemedy(err))
	case len(runs) > 0 && runs[0].StartedAt.After(d.app.now()):
		d.fail("ledger", fmt.Sprintf("its last run began at %s, which is in the future", shortTime(runs[0].StartedAt, d.base.Reconcile.Calendar().Location())), "set the clock: it has gone backwards")
	default:
		d.ok("ledger", "opens, and belongs to merchant %s, mode %s, %s", binding.Merchant, binding.Mode, binding.Host)
	}
}

// ledgerRemedy is what to do about a ledger that cannot be opened or read: only a damaged one is to be replaced.
func ledgerRemedy(err error) string {
	return cmp.Or(ledger.Remedy(err), "keep the file as it is and take "+ledger.FileName+" from a backup")
}

// journal looks at the end of the journal; whether every line is there, only journal verify tells.
func (d *doctor) journal(context.Context) {
	dir := filepath.Join(d.base.DataDir, "journal")
	segments, err := journal.Segments(dir)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(segments) == 0) {
		d.ok("journal", "there is none yet; tallyman receive makes it")
		return
	}
	if err != nil {
		d.fail("journal", err.Error(), "let this user read it")
		return
	}
	text, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	if err != nil {
		d.fail("journal", fmt.Sprintf("%s without a HEAD that can be read: %v", count(len(segments), "segment"), err), "tallyman journal verify; take HEAD from a backup")
		return
	}
	var head journal.Witness
	if err := json.Unmarshal(text, &head); err != nil || head.Hash == "" {
		d.fail("journal", "its HEAD makes no sense", "tallyman journal verify")
		return
	}
	d.ok("journal", "%s, last number at least %d; tallyman journal verify checks every line", count(len(segments), "segment"), head.Seq)
}
