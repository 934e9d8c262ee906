package unpack

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
		{"md5 as openssl and BSD write it", map[string]string{".md5": "MD5 (a.csv) = " + sum + "\n"}, []string{".md5"}, ""},
		{"sha256 as certutil writes it", map[string]string{".sha256": "SHA256 hash of a.csv:\r\n" + sha + "\r\nCertUtil: -hashfile command completed successfully.\r\n"}, []string{".sha256"}, ""},
		{"several sums behind words", map[string]string{".md5": "MD5 (a.csv) = " + sum + "\nMD5 (b.csv) = " + sum + "\n"}, nil, "bad_checksum_file"},
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

// FuzzFindSum: what is found stands in the text, in hex and of the right length.
func FuzzFindSum(f *testing.F) {
	sum := fmt.Sprintf("%x", md5.Sum(nil))
	for _, seed := range []string{sum, sum + "  a.csv\n", `\` + sum + ` a\n`, strings.ToUpper(sum), "\uFEFF" + sum, "MD5 (a) = " + sum, "", "x", sum[:31], sum + "0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := findSum([]byte(text), 32)
		if raw, err := hex.DecodeString(got); ok && (err != nil || len(raw) != 16 || !strings.Contains(strings.ToLower(text), got)) {
			t.Errorf("%q gives %q", text, got)
		}
	})
}
