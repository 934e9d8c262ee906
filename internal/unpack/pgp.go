package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ProtonMail/gopenpgp/v3/constants"
	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// Keys decrypt files and verify their signatures.
type Keys struct {
	// RequireSignature refuses files that no signer has signed.
	RequireSignature bool

	decrypt *crypto.KeyRing
	verify  *crypto.KeyRing
	signers int
}

// NewKeys reads a private key, armored or not, that the passphrase unlocks, and the public keys of those who may sign.
// Errors never hold key material.
func NewKeys(private []byte, passphrase string, signers [][]byte, requireSignature bool) (*Keys, error) {
	key, err := crypto.NewKeyFromReader(bytes.NewReader(private))
	if err != nil {
		return nil, errors.New("files.pgp.key_file: is no PGP key: export it with gpg --export-secret-keys --armor")
	}
	if !key.IsPrivate() {
		return nil, errors.New("files.pgp.key_file: is a public key: the private one decrypts")
	}
	locked, err := key.IsLocked()
	if err != nil {
		return nil, fmt.Errorf("files.pgp.key_file: %w", err)
	}
	if locked {
		if key, err = key.Unlock([]byte(passphrase)); err != nil {
			return nil, errors.New("files.pgp.passphrase: does not unlock the key")
		}
	}
	k := &Keys{RequireSignature: requireSignature, signers: len(signers)}
	if k.decrypt, err = crypto.NewKeyRing(key); err != nil {
		return nil, fmt.Errorf("files.pgp.key_file: %w", err)
	}
	if k.verify, err = crypto.NewKeyRing(nil); err != nil {
		return nil, fmt.Errorf("files.pgp.signers: %w", err)
	}
	for i, text := range signers {
		signer, err := crypto.NewKeyFromReader(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("files.pgp.signers[%d]: is no PGP key: export it with gpg --export --armor", i)
		}
		if signer.IsPrivate() {
			return nil, fmt.Errorf("files.pgp.signers[%d]: is a private key: only its owner should have that; ask for the public one", i)
		}
		if err := k.verify.AddKey(signer); err != nil {
			return nil, fmt.Errorf("files.pgp.signers[%d]: %w", i, err)
		}
	}
	return k, nil
}

// decrypt writes what is within to a file that is removed unless all of it is authentic: the reader hands out text before
// the end of the message has proven it.
func (u *unpacker) decrypt(from *os.File, to io.Writer) error {
	keys := u.options.Keys
	if keys == nil {
		return fault("no_pgp_key", "the file is encrypted with PGP, and files.pgp.key_file names no key")
	}
	handle, err := crypto.PGP().Decryption().DecryptionKeys(keys.decrypt).VerificationKeys(keys.verify).MaxDecompressedMessageSize(u.options.MaxSize).New()
	if err != nil {
		return fmt.Errorf("decrypt: %w", err)
	}
	message, err := handle.DecryptingReader(u.counted(from), crypto.Auto)
	if err != nil {
		return u.undecrypted(err)
	}
	if err := u.copy(to, message, "pgp"); err != nil {
		return err
	}
	return u.verifySignature(keys, message)
}

// undecrypted says why a message cannot be read.
func (u *unpacker) undecrypted(err error) error {
	if stop := u.stopped(); stop != nil {
		return stop
	}
	return fault("bad_pgp", fmt.Sprintf("the file cannot be decrypted (%v); it must be encrypted for the key in files.pgp.key_file, not only signed, and whole", err))
}

// verifySignature judges the signature of a message that was read to its end. One that is there must be good as far as
// there is a key to tell; one that is required must be there.
func (u *unpacker) verifySignature(keys *Keys, message *crypto.VerifyDataReader) error {
	result, err := message.VerifySignature()
	if err != nil {
		return u.broken("pgp", err)
	}
	switch problem := result.SignatureErrorExplicit(); {
	case problem == nil:
		if key := result.SignedByKey(); key != nil {
			u.signedBy = key.GetFingerprint()
		}
		return nil
	case problem.Status == constants.SIGNATURE_NOT_SIGNED && !keys.RequireSignature:
		return nil
	case problem.Status == constants.SIGNATURE_NOT_SIGNED:
		return fault("not_signed", "the file is not signed, and files.pgp.require_signature says that it must be")
	case problem.Status == constants.SIGNATURE_NO_VERIFIER && !keys.RequireSignature && keys.signers == 0:
		return nil
	case problem.Status == constants.SIGNATURE_NO_VERIFIER:
		return fault("unknown_signer", "the file is signed by a key that files.pgp.signers does not name")
	}
	return fault("bad_signature", "the file's signature does not fit its content, or its key is expired, revoked or too weak")
}
