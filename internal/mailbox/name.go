package mailbox

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how many bytes the name of a file may have: with everything that
// is ever added to it (.part, .reason.txt, a hash and a time) it must stay
// within the 255 that file systems allow.
const maxName = 200

// The partners of a file: their presence says that the file is complete.
const (
	doneSuffix   = ".done"
	sha256Suffix = ".sha256"
	md5Suffix    = ".md5"
)

// checkName accepts a base name as it may be opened, renamed and shown: the
// server decides the names, so anything that could lead out of a directory,
// be taken for an option or disturb a terminal is refused.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("it is empty")
	case len(name) > maxName:
		return fmt.Errorf("it has %d bytes, %d are allowed", len(name), maxName)
	case !utf8.ValidString(name):
		return errors.New("it is not valid UTF-8")
	case strings.ContainsAny(name[:1], "-. "):
		return fmt.Errorf("it begins with %q", name[:1])
	case strings.ContainsAny(name[len(name)-1:], ". "):
		return fmt.Errorf("it ends with %q", name[len(name)-1:])
	}
	for _, r := range name {
		if !allowedInName(r) {
			return fmt.Errorf("it holds the character %q", r)
		}
	}
	return nil
}

func allowedInName(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune(" ._-+@()[]{}=,#%&'~^!", r)
}

// unfinished reports names that uploads in progress, editors and hidden files
// have; they are passed over without a word.
func unfinished(name string) bool {
	lower := strings.ToLower(name)
	for _, suffix := range []string{".part", ".filepart", ".tmp", "~"} {
		if strings.HasSuffix(lower, suffix) {
			return true
		}
	}
	return strings.HasPrefix(name, ".")
}

func isPartner(name string) bool {
	return strings.HasSuffix(name, doneSuffix) || strings.HasSuffix(name, sha256Suffix) || strings.HasSuffix(name, md5Suffix)
}

// printable makes text that the server chose safe for a terminal or a log:
// what cannot be printed is escaped, and the rest is cut off.
func printable(text string) string {
	const most = 300
	var b strings.Builder
	for _, r := range strings.TrimSpace(text) {
		if b.Len() >= most {
			b.WriteString("…")
			break
		}
		if unicode.IsPrint(r) && r != utf8.RuneError {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
