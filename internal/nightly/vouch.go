package nightly

import (
	"context"
	"errors"
	"maps"
	"strings"

	"tallyman/formats"
	"tallyman/internal/mailbox"
	"tallyman/internal/unpack"
)

// vouch looks what stands beside a local file: a checksum must agree, or the file is rejected in its turn; and it or a
// .done file says that the file is whole.
func (f *customerFile) vouch(ctx context.Context, from string) error {
	proofs, err := unpack.Companions(ctx, from, f.path)
	f.proofs = append(f.proofs, proofs...)
	if fault, ok := errors.AsType[*formats.FileError](err); ok {
		f.fault = fault
		return nil
	}
	return err
}

// errGrowing says that a file of the inbox, or a checksum beside it, is still being written.
var errGrowing = errors.New("still being written")

// take spools a file of the inbox and looks what stands beside it. A checksum that does not fit may have been read while it
// or the file was being written: the file is rejected for it only if both are the same once they have stood still for
// inbox.settle, and otherwise left to the next run (errGrowing).
func (n *Night) take(ctx context.Context, box *mailbox.Mailbox, e mailbox.Entry, dir string) (f customerFile, err error) {
	spooled, err := box.Fetch(ctx, e, dir)
	changed, ok := errors.AsType[*mailbox.ChangedError](err)
	if ok && (changed.SizeBefore != changed.SizeAfter || !changed.TimeBefore.Equal(changed.TimeAfter)) {
		return f, errGrowing
	}
	if err != nil {
		return f, err
	}
	f = customerFile{name: e.Name, path: spooled.Path, sha256: spooled.SHA256}
	if spooled.Vanished {
		return f, nil // what stood beside it was never read
	}
	sums, err := readSums(ctx, box, e)
	if err != nil {
		return f, err
	}
	if err := f.compare(ctx, e.Done, sums); err != nil || f.fault == nil || n.config.Inbox.Settle == 0 {
		return f, err
	}
	n.log.Info("a checksum does not fit: looking again when all has stood still", "file", e.Name)
	return f, f.compareAgain(ctx, box, e, sums)
}

// compareAgain looks at a file and its checksums a second time.
func (f *customerFile) compareAgain(ctx context.Context, box *mailbox.Mailbox, e mailbox.Entry, sums map[string]string) error {
	alone := e
	alone.Done, alone.SHA256, alone.MD5 = false, false, false // as if nothing vouched for it: it has to stand still
	ready, _, err := box.Settled(ctx, []mailbox.Entry{alone})
	if err != nil {
		return err
	}
	if len(ready) == 0 || ready[0].Size != e.Size || !ready[0].ModTime.Equal(e.ModTime) {
		return errGrowing
	}
	again, err := readSums(ctx, box, ready[0])
	if err != nil || maps.Equal(sums, again) {
		return err
	}
	if err := f.compare(ctx, ready[0].Done, again); err != nil || f.fault == nil {
		return err
	}
	return errGrowing
}

// readSums returns the texts of the checksum files beside a file of the inbox, by their endings.
func readSums(ctx context.Context, box *mailbox.Mailbox, e mailbox.Entry) (map[string]string, error) {
	sums := map[string]string{}
	there := map[string]bool{unpack.SHA256Ending: e.SHA256, unpack.MD5Ending: e.MD5}
	for _, ending := range unpack.SumEndings() {
		if !there[ending] {
			continue
		}
		text, err := box.Read(ctx, e.Name+ending)
		if _, large := errors.AsType[*mailbox.TooLargeError](err); large {
			text, err = nil, nil // no checksum is that long
		}
		if err != nil {
			return nil, err
		}
		sums[ending] = string(text)
	}
	return sums, nil
}

// compare compares the spooled file with the checksums that came with it, and notes what they prove, or their fault.
func (f *customerFile) compare(ctx context.Context, done bool, sums map[string]string) error {
	f.proofs, f.fault = nil, nil
	for _, ending := range unpack.SumEndings() {
		text, there := sums[ending]
		if !there {
			continue
		}
		err := unpack.CheckSum(ctx, []byte(text), ending, f.path)
		if fault, ok := errors.AsType[*formats.FileError](err); ok {
			f.fault = fault
			return nil
		}
		if err != nil {
			return err
		}
		f.proofs = append(f.proofs, ending)
	}
	if done {
		f.proofs = append(f.proofs, unpack.DoneEnding)
	}
	return nil
}

// notes are what is worth saying about how a file came. proven says that a trailer counted its records.
func (f *customerFile) notes(plain plainFile, proven bool) []string {
	var notes []string
	if len(plain.Packed) > 0 {
		notes = append(notes, "unpacked: "+strings.Join(plain.Packed, ", then "))
	}
	if plain.SignedBy != "" {
		notes = append(notes, "signed by the key "+plain.SignedBy)
	}
	if len(f.proofs) == 0 && !proven && plain.SignedBy == "" && !f.retried {
		notes = append(notes, "completeness not provable: it has no trailer (files.trailer), and no .sha256, .md5 or .done stands beside it")
	}
	return notes
}
