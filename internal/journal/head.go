package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tallyman/formats"
)

// headName is the file in the journal's directory that holds the end of the
// chain.
const headName = "HEAD"

// Witness says what the line with a certain number is: HEAD is one, and so is
// every summary.json. It finds what the chain alone cannot see, a lost end and
// a chain that was built anew.
type Witness struct {
	Seq    int64  `json:"seq"`  // 0: the journal was empty
	Hash   string `json:"hash"` // SHA-256 of the line, 64 lower-case hex digits; zeros where Seq is 0
	Source string `json:"-"`    // where it is written, for the report
}

// ofHead reports whether a head says it. A head is never older than the oldest
// segment, what a report knows may be.
func (w Witness) ofHead() bool { return strings.HasPrefix(w.Source, headName) }

// errHeadUnreadable is the error of a HEAD that is there and makes no sense.
var errHeadUnreadable = errors.New("not a head file of this tool")

// readHead reads a head file. A missing one is fs.ErrNotExist.
func readHead(path string) (Witness, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Witness{}, fmt.Errorf("read journal head: %w", err)
	}
	w := Witness{Source: filepath.Base(path)}
	// Nobody but the writer writes it, so another text is a changed one, even if
	// it can be read.
	if json.Unmarshal(text, &w) != nil || w.Seq < 0 || !isHash(w.Hash) ||
		(w.Seq == 0) != (w.Hash == formats.JournalGenesis) || string(text) != string(w.text()) {
		return Witness{}, fmt.Errorf("read journal head %s: %w", path, errHeadUnreadable)
	}
	return w, nil
}

// text is the content of the head file, one line.
func (w Witness) text() []byte {
	return fmt.Appendf(nil, "{\"seq\":%d,\"hash\":%q}\n", w.Seq, w.Hash)
}

// witnesses returns what stands in HEAD and in the heads that were put aside
// because they contradicted the journal, and the names of those that cannot be
// read.
func witnesses(dir string) (found []Witness, unreadable []string, err error) {
	names, err := filepath.Glob(filepath.Join(escapeGlob(dir), headName+"*"))
	if err != nil {
		return nil, nil, fmt.Errorf("list journal heads: %w", err)
	}
	for _, name := range names {
		base := filepath.Base(name)
		if base != headName && !strings.HasPrefix(base, headName+".mismatch-") {
			continue
		}
		w, err := readHead(name)
		switch {
		case errors.Is(err, errHeadUnreadable):
			unreadable = append(unreadable, base)
		case errors.Is(err, fs.ErrNotExist): // replaced while we looked
		case err != nil:
			return nil, nil, err
		default:
			found = append(found, w)
		}
	}
	return found, unreadable, nil
}

// escapeGlob makes a path stand for itself in a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// putHeadAside renames a head that contradicts the journal, so that it goes on
// bearing witness.
func putHeadAside(dir string, now time.Time) (string, error) {
	name := headName + ".mismatch-" + now.UTC().Format(stamp)
	if err := os.Rename(filepath.Join(dir, headName), filepath.Join(dir, name)); err != nil {
		return "", fmt.Errorf("put journal head aside: %w", err)
	}
	return name, nil
}

// stamp is the form of a time in the names of files put aside.
const stamp = "20060102T150405.000000Z"

func isHash(s string) bool {
	return len(s) == len(formats.JournalGenesis) && strings.Trim(s, "0123456789abcdef") == ""
}
