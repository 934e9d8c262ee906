package mailbox

import (
	"path"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{
		"za_acme_dailyfile_2026-11-22.csv", "a", "Müller & Söhne (2).csv", "файл.csv", "a+b@c.csv", "50%.csv", "a~b", "=x.csv",
		strings.Repeat("x", maxName),
	} {
		if err := checkName(name); err != nil {
			t.Errorf("%q refused: %v", name, err)
		}
	}
	for _, name := range []string{
		"", ".", "..", ".hidden", "-rf", " a", "a ", "a.", "../a", "a/b", "/a", `a\b`, "a\x00b", "a\nb", "a\x1b[2Jb", "a\u202eb", "a\u200bb",
		"a\xffb", "a:b", "a|b", "a$b", "a`b", "a<b", "a*b", `a"b`, "a;b", strings.Repeat("x", maxName+1), strings.Repeat("x", 4096),
	} {
		if err := checkName(name); err == nil {
			t.Errorf("%q accepted", name)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	for _, seed := range []string{"a.csv", "../a", "a\x00", "-a", "\u202e", "é", "a/../b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if checkName(name) != nil {
			return
		}
		if path.Base(name) != name || !filepath.IsLocal(name) || len(name) > maxName || printable(name) != name {
			t.Errorf("%q accepted", name)
		}
	})
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[2J", "a\nb", "\xff", strings.Repeat("\x00", 1000), "é\u202e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := printable(text)
		if len(shown) > 400 {
			t.Errorf("%d bytes", len(shown))
		}
		if i := strings.IndexFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q is not printable at %d", shown, i)
		}
	})
}

func TestUnfinished(t *testing.T) {
	for name, want := range map[string]bool{
		"a.csv": false, "a.csv.part": true, "a.csv.PART": true, "a.filepart": true, "a.tmp": true, "a.csv~": true, ".a.csv": true, "part": false, "a.parts": false,
	} {
		if got := unfinished(name); got != want {
			t.Errorf("unfinished(%q) = %t", name, got)
		}
	}
}
