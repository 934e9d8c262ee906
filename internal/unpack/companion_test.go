package unpack

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompanions(t *testing.T) {
	sha, sum := fmt.Sprintf("%x", sha256.Sum256([]byte(content))), fmt.Sprintf("%x", md5.Sum([]byte(content)))
	for _, c := range []struct {
		why    string
		beside map[string]string
		proofs []string
		rule   string
	}{
		{"none", nil, nil, ""},
		{"sha256", map[string]string{".sha256": sha + "  a.csv\n"}, []string{".sha256"}, ""},
		{"sha256 in capitals, with a mark", map[string]string{".sha256": "\uFEFF" + fmt.Sprintf("%X", sha256.Sum256([]byte(content)))}, []string{".sha256"}, ""},
		{"sha256 of other bytes", map[string]string{".sha256": fmt.Sprintf("%x", sha256.Sum256(nil))}, nil, "checksum_mismatch"},
		{"md5", map[string]string{".md5": sum + " *a.csv"}, []string{".md5"}, ""},
		{"md5 of other bytes", map[string]string{".md5": fmt.Sprintf("%x", md5.Sum(nil))}, nil, "checksum_mismatch"},
		{"an md5 where a sha256 should be", map[string]string{".sha256": sum}, nil, "bad_checksum_file"},
		{"an empty checksum file", map[string]string{".md5": ""}, nil, "bad_checksum_file"},
		{"a word", map[string]string{".md5": "tomorrow"}, nil, "bad_checksum_file"},
		{"done", map[string]string{".done": ""}, []string{".done"}, ""},
		{"all", map[string]string{".done": "", ".md5": sum, ".sha256": sha}, []string{".sha256", ".md5", ".done"}, ""},
		{"one good, one not", map[string]string{".md5": sum, ".sha256": fmt.Sprintf("%x", sha256.Sum256(nil))}, nil, "checksum_mismatch"},
	} {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for ending, text := range c.beside {
			if err := os.WriteFile(path+ending, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		proofs, err := Companions(t.Context(), path, path)
		if diff := cmp.Diff(c.proofs, proofs); rule(err) != c.rule || diff != "" {
			t.Errorf("%s: %v %s", c.why, err, diff)
		}
	}
}

func TestIsCompanion(t *testing.T) {
	for name, want := range map[string]string{"a.csv.md5": "a.csv", "a.csv.sha256": "a.csv", "a.csv.done": "a.csv", "a.csv": "a.csv", ".done": ".done"} {
		if CompanionOf(name) != want || IsCompanion(name) != (want != name) {
			t.Errorf("%q is of %q", name, CompanionOf(name))
		}
	}
}
