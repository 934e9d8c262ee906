package nightly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/config"
	"tallyman/internal/mailbox"
	"tallyman/internal/unpack"
)

// plainFile is a customer file as it is parsed, unpacked if it came packed.
type plainFile struct {
	unpack.Plain
	temporary bool
}

func (p plainFile) open() (io.ReadCloser, error) { return os.Open(p.Path) }

// read opens the file for one reading.
func (p plainFile) read(f func(io.Reader) error) error {
	src, err := p.open()
	if err != nil {
		return fmt.Errorf("open customer file: %w", err)
	}
	return errors.Join(f(src), src.Close())
}

// remove removes what was made for parsing; a file may be large, and a night may have many.
func (p plainFile) remove() {
	if p.temporary {
		_ = os.Remove(p.Path)
	}
}

// pgpKeys reads the keys that encrypted files need, nil if none are configured.
func pgpKeys(f config.Files) (*unpack.Keys, error) {
	if f.PGP.KeyFile == "" {
		return nil, nil
	}
	private, err := os.ReadFile(f.PGP.KeyFile)
	if err != nil {
		return nil, &InputError{fmt.Errorf("files.pgp.key_file: %w", err)}
	}
	var signers [][]byte
	for _, path := range f.PGP.Signers {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, &InputError{fmt.Errorf("files.pgp.signers: %w", err)}
		}
		signers = append(signers, text)
	}
	keys, err := unpack.NewKeys(private, f.PGP.Passphrase.Reveal(), signers, f.PGP.RequireSignature)
	if err != nil {
		return nil, &InputError{err}
	}
	return keys, nil
}

// unpackFile makes a file ready for parsing. What is wrong with the file is a *formats.FileError, and what keeps us from
// working at all an *importer.StopError.
func unpackFile(ctx context.Context, path, name, dir string, keys *unpack.Keys) (plainFile, error) {
	plain, err := unpack.File(ctx, path, name, dir, unpack.Options{Keys: keys})
	switch {
	case err == nil:
		return plainFile{Plain: plain, temporary: plain.Path != path}, nil
	case ctx.Err() != nil:
		return plainFile{}, &importer.StopError{Reason: "interrupted", Err: context.Cause(ctx)}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return plainFile{}, &importer.StopError{Reason: "disk_full", Err: err}
	}
	return plainFile{}, err
}

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

// vouchRemote does so for a file of the inbox, where the mailbox has seen to all but .md5. A sum that does not fit is an
// error as it is for the mailbox: the file stays there.
func (f *customerFile) vouchRemote(ctx context.Context, box *mailbox.Mailbox, e mailbox.Entry, verified, md5 bool) error {
	if verified {
		f.proofs = append(f.proofs, unpack.SHA256Ending)
	}
	if e.Done {
		f.proofs = append(f.proofs, unpack.DoneEnding)
	}
	if !md5 {
		return nil
	}
	text, err := box.Read(ctx, e.Name+unpack.MD5Ending)
	if err != nil {
		return err
	}
	f.proofs = append(f.proofs, unpack.MD5Ending)
	return unpack.CheckMD5(ctx, text, f.path)
}

// withoutCompanions leaves out the listed files that vouch for others, and tells which have an .md5 of theirs.
func withoutCompanions(entries []mailbox.Entry) (files []mailbox.Entry, md5 map[string]bool) {
	md5 = map[string]bool{}
	for _, e := range entries {
		if strings.HasSuffix(e.Name, unpack.MD5Ending) {
			md5[unpack.CompanionOf(e.Name)] = true
		}
	}
	return slices.DeleteFunc(entries, func(e mailbox.Entry) bool { return unpack.IsCompanion(e.Name) }), md5
}

// notes are what is worth saying about how a file came. A trailer has been checked where one is configured.
func (f *customerFile) notes(plain plainFile, files config.Files) []string {
	var notes []string
	if len(plain.Packed) > 0 {
		notes = append(notes, "unpacked: "+strings.Join(plain.Packed, ", then "))
	}
	if plain.SignedBy != "" {
		notes = append(notes, "signed by the key "+plain.SignedBy)
	}
	if len(f.proofs) == 0 && !files.Trailer.Configured() && plain.SignedBy == "" && !f.retried {
		notes = append(notes, "nothing proves that the file is complete: it has no trailer (files.trailer), and no .sha256, .md5 or .done stands beside it")
	}
	return notes
}
