package unpack

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"
)

// The endings of the files that stand beside a customer file and vouch for it.
const (
	SHA256Ending = ".sha256"
	MD5Ending    = ".md5"
	DoneEnding   = ".done"
)

// SumEndings are the endings of the companions that hold a checksum.
func SumEndings() []string { return []string{SHA256Ending, MD5Ending} }

// maxCompanion is how many bytes a checksum file may have.
const maxCompanion = 64 << 10

// IsCompanion reports whether a name is that of a file that vouches for another one.
func IsCompanion(name string) bool { return CompanionOf(name) != name }

// CompanionOf returns the name of the file that a companion vouches for; the name itself if it is none.
func CompanionOf(name string) string {
	for _, ending := range []string{SHA256Ending, MD5Ending, DoneEnding} {
		if rest, ok := strings.CutSuffix(name, ending); ok && rest != "" {
			return rest
		}
	}
	return name
}

// Companions looks what vouches for the file at path, read anew from content, and returns the endings of what does. A
// checksum that does not fit is a *formats.FileError. MD5 is good against accidents only, which is what it is for here.
func Companions(ctx context.Context, path, content string) (proofs []string, err error) {
	for _, ending := range SumEndings() {
		text, err := readCompanion(path + ending)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := CheckSum(ctx, text, ending, content); err != nil {
			return nil, err
		}
		proofs = append(proofs, ending)
	}
	switch _, err := os.Stat(path + DoneEnding); {
	case err == nil:
		proofs = append(proofs, DoneEnding)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("look for %s: %w", path+DoneEnding, err)
	}
	return proofs, nil
}

func readCompanion(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCompanion))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return text, nil
}

// CheckSum compares the text of a companion, known by its ending, with the file at content. A sum that does not fit is a
// *formats.FileError.
func CheckSum(ctx context.Context, text []byte, ending, content string) error {
	if ending == MD5Ending {
		return checkSum(ctx, text, ending, content, md5.New())
	}
	return checkSum(ctx, text, ending, content, sha256.New())
}

// checkSum compares a checksum with that of the file at content. The ending names the companion in a fault.
func checkSum(ctx context.Context, text []byte, ending, content string, h hash.Hash) error {
	want, ok := findSum(text, 2*h.Size())
	if !ok {
		return fault("bad_checksum_file", fmt.Sprintf("the %s file beside it does not hold one checksum of %d hex digits; have both sent again", ending, 2*h.Size()))
	}
	f, err := os.Open(content)
	if err != nil {
		return fmt.Errorf("check sum: %w", err)
	}
	defer f.Close()
	u := &unpacker{stopped: func() error { return context.Cause(ctx) }}
	if _, err := io.Copy(h, u.counted(f)); err != nil {
		return fmt.Errorf("check sum: %w", err)
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return fault("checksum_mismatch", fmt.Sprintf("the checksum in the %s file beside it is that of other bytes: the file is not whole or was changed; have both sent again", ending))
	}
	return nil
}

// findSum returns the checksum of so many hex digits, of either case, in the text of a companion: its first word, as md5sum
// and sha256sum write it, or the only such word in it, as openssl, certutil and others do.
func findSum(text []byte, digits int) (sum string, ok bool) {
	var found []string
	for i, word := range strings.Fields(strings.TrimPrefix(string(text), "\uFEFF")) {
		word = strings.ToLower(strings.TrimPrefix(word, `\`)) // the mark of an escaped name
		if _, err := hex.DecodeString(word); err != nil || len(word) != digits {
			continue
		}
		if i == 0 {
			return word, true
		}
		found = append(found, word)
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}
