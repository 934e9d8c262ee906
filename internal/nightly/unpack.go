package nightly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"tallyman/importer"
	"tallyman/internal/config"
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
